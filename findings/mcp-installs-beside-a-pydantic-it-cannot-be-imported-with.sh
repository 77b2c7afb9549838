#!/usr/bin/env bash
# mcp 1.20.0 allows any pydantic from 2.11 on, so pip puts 2.14 beside it without a word; `import mcp`, a client's as well as
# a server's, then fails: its server side imports a private function of pydantic that 2.14 no longer has. Whoever pins mcp
# to an older 1.x and lets pydantic go on meets this.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'mcp==1.20.0' 'pydantic==2.14.4'
"$home/venv/bin/python" -m pip check
"$home/venv/bin/python" - <<'PY'
import importlib.metadata

requires = [each for each in importlib.metadata.requires("mcp") if each.startswith("pydantic<") or each.startswith("pydantic>")]
print("mcp", importlib.metadata.version("mcp"), "requires", *requires, "| pydantic", importlib.metadata.version("pydantic"))
try:
    import mcp
    seen = "imported"
except ImportError as error:
    seen = str(error).partition(" (")[0]
print("import mcp:", seen)
assert "cannot import name 'eval_type_backport'" in seen
PY
