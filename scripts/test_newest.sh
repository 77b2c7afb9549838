#!/usr/bin/env bash
# Resolve everything afresh, say what has moved since the pins were written, and run the vendor-facing tests with it,
# unless nothing has moved: `make test` has run them then.
#
# The exit code is the tests'. A vendor's release is news, not a broken build: .ci/run prints this and goes on.
set -uo pipefail
cd "$(dirname "$0")/.."
home=.venv-newest
rm -rf "$home"
UNPINNED=1 bash scripts/setup.sh "$home" dev "$@" || exit 1

"$home/bin/python" - >"$home/moved.txt" <<'PY'
import importlib.metadata
from pathlib import Path

from packaging.requirements import Requirement

for line in Path("constraints/dev.txt").read_text().splitlines():
    pin = Requirement(line)
    if pin.marker is not None and not pin.marker.evaluate():
        continue
    tested = str(pin.specifier).removeprefix("==")
    try:
        newest = importlib.metadata.version(pin.name)
    except importlib.metadata.PackageNotFoundError:
        newest = "gone"
    if newest != tested:
        print(f"  {pin.name} {tested} -> {newest}")
PY

code=0
if [ -s "$home/moved.txt" ]; then
    "$home/bin/python" -m pytest -q --no-header -n "${WORKERS:-2}" -m "not slow and not vendors and not backends" \
        tests/anthropic tests/openai tests/langchain tests/testing tests/decision tests/smoke >"$home/tests.log" 2>&1 || code=$?
fi

bar=$(printf '#%.0s' {1..100})
echo "$bar"
if [ ! -s "$home/moved.txt" ]; then
    echo "NEWEST VERSIONS: nothing has moved since the pins were written"
else
    [ $code = 0 ] && echo "NEWEST VERSIONS: work" || echo "NEWEST VERSIONS: BREAK SOMETHING"
    echo "moved since the pins were written:"
    cat "$home/moved.txt"
    echo "broken:"
    grep -E '^(FAILED|ERROR) ' "$home/tests.log" | sed 's/^/  /' || { [ $code = 0 ] && echo "  nothing"; } || tail -c 3000 "$home/tests.log"
    tail -n 1 "$home/tests.log"
fi
echo "$bar"
exit $code
