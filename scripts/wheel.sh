#!/usr/bin/env bash
# Build the wheel once, into dist/, and print its path.
#
#   scripts/wheel.sh [VENV]
#
# Needs only an environment with pip or uv; the build itself happens in isolation.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv}
rm -rf dist
mkdir -p dist
if ! { command -v uv >/dev/null && uv build -q --wheel -o dist . 2>/dev/null; }; then
    [ -x "$venv/bin/python" ] || bash scripts/setup.sh "$venv" demo
    "$venv/bin/python" -m pip wheel -q --no-deps -w dist .
fi
rm -f dist/.gitignore
ls dist/*.whl
