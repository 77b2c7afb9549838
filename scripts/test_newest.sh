#!/usr/bin/env bash
# Resolve everything afresh, say what has moved since the pins were written, and run the vendor-facing tests with it,
# unless nothing has moved: `make test` has run them then.
#
# The exit code is the tests'. A vendor's release is news, not a broken build: .ci/run prints this and goes on.
set -uo pipefail
cd "$(dirname "$0")/.."
home=.venv-newest
rm -rf "$home"
mkdir "$home"
python=$(bash scripts/find_python.sh 3.11 3.12 3.13)
bash scripts/uv.sh pip compile -q --python "$python" --no-header --no-annotate --upgrade -o "$home/newest.txt" \
    pyproject.toml --extra all --group dev || exit 1

"$python" - "$home/newest.txt" >"$home/moved.txt" <<'PY'
import sys
from pathlib import Path


def versions(path):
    pins = {}
    for line in Path(path).read_text().splitlines():
        name, _, version = line.partition(";")[0].strip().partition("==")
        pins.setdefault(name, []).append(version)
    return pins


newest = versions(sys.argv[1])
for name, tested in versions("constraints/dev.txt").items():
    if name in newest and newest[name][0] not in tested:  # what is for other systems is not resolved here
        print(f"  {name} {' or '.join(tested)} -> {newest[name][0]}")
PY

code=0
if [ -s "$home/moved.txt" ]; then
    UNPINNED=1 bash scripts/setup.sh "$home" dev "$@" || exit 1
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
