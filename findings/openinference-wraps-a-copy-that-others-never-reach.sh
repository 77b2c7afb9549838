#!/usr/bin/env bash
# openinference-instrumentation-openai 0.1.66: instrument() wraps `request` of OpenAI, which that class inherits. The wrapper
# is put on OpenAI itself, around the base class's function as it was then: whoever patches the base class afterwards
# (as the client's own structure suggests) is never called again, for any OpenAI client, and is told nothing.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'openinference-instrumentation-openai==0.1.66' 'openai==3.57.0' opentelemetry-sdk
"$home/venv/bin/python" - <<'PY'
import importlib.metadata

import openai
from openai import _base_client
from openinference.instrumentation.openai import OpenAIInstrumentor

original, calls = _base_client.SyncAPIClient.request, []


def patched(self, *args, **kwargs):
    calls.append("patched")
    return original(self, *args, **kwargs)


def ask():
    client = openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="none", max_retries=0)
    try:
        client.models.list()
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello!"}])
    except openai.APIConnectionError:
        pass
    return list(calls)


_base_client.SyncAPIClient.request = patched
print("without:", ask())
assert calls
calls.clear()
_base_client.SyncAPIClient.request = original
OpenAIInstrumentor().instrument()
_base_client.SyncAPIClient.request = patched
print("openinference-instrumentation-openai", importlib.metadata.version("openinference-instrumentation-openai"), "first:", ask())
assert not calls
PY
