#!/usr/bin/env bash
# zhipuai 2.1.5.20250825 imports sniffio at its top and does not declare it. Today nothing that it does declare brings sniffio
# along any more (httpx and anyio once did), so that a fresh installation of the client cannot be imported.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'zhipuai==2.1.5.20250825'
"$home/venv/bin/python" - <<'PY'
import importlib.metadata

print("zhipuai", importlib.metadata.version("zhipuai"), "| httpx", importlib.metadata.version("httpx"))
requirements = [text.split(";")[0] for text in importlib.metadata.requires("zhipuai") or []]
print("declares:", requirements)
assert not any(text.startswith("sniffio") for text in requirements)
try:
    import zhipuai
except ModuleNotFoundError as error:
    print("import zhipuai:", error)
    assert error.name == "sniffio"
else:
    raise SystemExit("zhipuai can be imported")
PY
