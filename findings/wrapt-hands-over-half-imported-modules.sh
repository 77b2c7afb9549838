#!/usr/bin/env bash
# wrapt 2.5.2: a post-import hook that is registered while another thread is in the middle of importing the module is
# called at once, with the half-made module, and never again: what asks it for a class to patch finds none, and the
# library stays unpatched for the life of the process. Registered before the import begins, the hook waits for its end.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'wrapt==2.5.2'
"$home/venv/bin/python" - <<'PY'
import importlib.metadata
import sys
import tempfile
import threading
from pathlib import Path

import wrapt

print("wrapt", importlib.metadata.version("wrapt"))
folder = Path(tempfile.mkdtemp())
(folder / "gate.py").write_text("import threading\nbegun, go_on = threading.Event(), threading.Event()\n")
for name in ("early", "late"):
    (folder / f"{name}.py").write_text("import gate\ngate.begun.set()\ngate.go_on.wait(30)\nclass Client: pass\n")
sys.path.insert(0, str(folder))
import gate  # noqa: E402

has_class = {"early": [], "late": []}


def register(name):
    wrapt.register_post_import_hook(lambda module: has_class[name].append(hasattr(module, "Client")), name)


register("early")
for name in ("early", "late"):
    gate.begun.clear(), gate.go_on.clear()
    importing = threading.Thread(target=lambda name=name: __import__(name))
    importing.start()
    assert gate.begun.wait(30)
    if name == "late":
        register("late")
    gate.go_on.set()
    importing.join()
    assert hasattr(sys.modules[name], "Client")
print("the hook saw the class:", has_class)
assert has_class == {"early": [True], "late": [False]}
PY
