#!/usr/bin/env bash
# Build the wheel once, into dist/, and print its path.
#
#   scripts/wheel.sh [VENV]
#
# Needs only an environment with pip; the build itself happens in isolation, with the pinned build tools.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv}
rm -rf dist
[ -x "$venv/bin/python" ] || bash scripts/setup.sh "$venv" pip
"$venv/bin/python" -m pip wheel -q --no-deps --build-constraint constraints/build.txt -w dist .
ls dist/*.whl
