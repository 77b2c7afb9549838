#!/usr/bin/env bash
# Build the wheel once, into dist/, and print its path.
#
# Needs only python3 with pip; the build itself happens in isolation, with the pinned build tools.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf dist
bash scripts/uv.sh build -q --wheel --build-constraints constraints/build.txt -o dist .
ls dist/*.whl
