#!/usr/bin/env bash
# Resolve everything afresh, say what has moved since the pins were written, and run the vendor-facing tests with it.
#
# The exit code is the tests'. A vendor's release is news, not a broken build: .ci/run prints this and goes on.
set -uo pipefail
cd "$(dirname "$0")/.."
home=.venv-newest
rm -rf "$home"
UNPINNED=1 bash scripts/setup.sh "$home" dev "$@" || exit 1

"$home/bin/python" -m pytest -q --no-header -n "${WORKERS:-2}" -m "not slow and not vendors and not backends" \
    tests/openai tests/langchain tests/testing tests/decision tests/smoke >"$home/tests.log" 2>&1
code=$?

"$home/bin/python" - "$home/tests.log" "$code" <<'PY'
import importlib.metadata
import re
import sys
from pathlib import Path

from packaging.requirements import Requirement

log, code = Path(sys.argv[1]).read_text(), sys.argv[2]
moved = []
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
        moved.append(f"  {pin.name} {tested} -> {newest}")
broken = re.findall(r"^(?:FAILED|ERROR) .*", log, re.MULTILINE)
bar = "#" * 100
print(bar)
print(f"NEWEST VERSIONS: {'work' if code == '0' else 'BREAK SOMETHING'}")
print(f"moved since the pins were written ({len(moved)}):", *(moved or ["  nothing"]), sep="\n")
print(f"broken ({len(broken)}):", *(broken or ["  nothing"] if code == "0" else broken or [log[-3000:]]), sep="\n")
print(log.strip().splitlines()[-1])
print(bar)
PY
exit "$code"
