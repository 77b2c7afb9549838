#!/usr/bin/env bash
# openai 3.57.0 uses httpx2 and looks whether the older httpx is loaded too: it takes sys.modules["httpx"] as it stands.
# While another thread of the program is in the middle of its first `import httpx`, making a client raises
# AttributeError ("partially initialized module"), although the program gives the client nothing of httpx. An import
# statement would have waited for the other thread. A moment later the same line works.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'openai==3.57.0' 'httpx==0.28.1'
"$home/venv/bin/python" - <<'PY'
import importlib.metadata
import sys
import threading

import openai

print("openai", importlib.metadata.version("openai"), "httpx", importlib.metadata.version("httpx"))
assert "httpx" not in sys.modules
begun, go_on = threading.Event(), threading.Event()


def pause(event, arguments):  # so that the moment can be met every time
    if event == "import" and arguments[0] == "httpx._client":
        begun.set()
        go_on.wait(30)


sys.addaudithook(pause)
importing = threading.Thread(target=lambda: __import__("httpx"))
importing.start()
assert begun.wait(30)
try:
    openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="none")
except AttributeError as error:
    print("while another thread imports httpx:", error)
    assert "partially initialized module" in str(error)
else:
    raise SystemExit("this openai waits for the import, or does not look")
go_on.set()
importing.join()
print("afterwards:", type(openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="none")).__name__)
PY
