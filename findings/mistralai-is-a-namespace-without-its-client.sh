#!/usr/bin/env bash
# mistralai 3.7.0: the import package is a namespace without a module of its own. `import mistralai` works and has no
# client in it; `from mistralai import Mistral`, which every text for 1.x says, raises ImportError; the client is
# mistralai.client.Mistral. Whatever waits for `mistralai` to be imported in order to patch it finds an empty namespace.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'mistralai==3.7.0'
"$home/venv/bin/python" - <<'PY'
import importlib.metadata

import mistralai

print("mistralai", importlib.metadata.version("mistralai"), "| file:", mistralai.__file__)
assert mistralai.__file__ is None
assert not hasattr(mistralai, "Mistral")
try:
    from mistralai import Mistral
except ImportError as error:
    print("from mistralai import Mistral:", type(error).__name__)
else:
    raise SystemExit("mistralai has its client again")
from mistralai.client import Mistral

print("mistralai.client:", Mistral.__name__, "| loaded from", Mistral.__module__)
assert Mistral.__module__ == "mistralai.client.sdk"
PY
