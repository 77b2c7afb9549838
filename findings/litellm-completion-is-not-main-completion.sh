#!/usr/bin/env bash
# litellm 1.110.2: `litellm.completion` and `litellm.main.completion` are two different functions. The name on the
# package is a dispatcher that took hold of the original when the package was imported, so replacing the function in
# `litellm.main`, where its code lives, changes nothing for callers of `litellm.completion`. The dispatcher carries
# `__wrapped__`, so a tool that unwraps before it patches ends up at the one that nobody calls through the package.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'litellm==1.110.2'
"$home/venv/bin/python" - <<'PY'
import importlib.metadata
import inspect
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no network for the price table
import litellm
import litellm.main

assert litellm.completion is not litellm.main.completion
assert inspect.unwrap(litellm.completion) is not litellm.completion, "has __wrapped__"

seen = []
original = litellm.main.completion
litellm.main.completion = lambda *args, **kwargs: seen.append("main") or original(*args, **kwargs)
reply = litellm.completion(
    model="gpt-4o-mini", messages=[{"role": "user", "content": "hello"}], mock_response="hello yourself"
)
assert reply.choices[0].message.content == "hello yourself"
assert seen == [], f"the replacement in litellm.main was called: {seen}"
print("litellm", importlib.metadata.version("litellm"))
print("litellm.completion is litellm.main.completion:", litellm.completion is litellm.main.completion)
print("calls of litellm.completion that a replacement of litellm.main.completion saw:", len(seen))
PY
