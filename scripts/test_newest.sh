#!/usr/bin/env bash
# Resolve everything afresh, say what has moved since the pins were written, and run the tests that face what has moved:
# those of a client, of the framework or of pytest where it alone has; all of them where something has that they share;
# two folders where only the tools did. Where nothing has, `make test` has run them all.
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
bash scripts/uv.sh pip compile -q --python "$python" --no-header --no-annotate -c "$home/newest.txt" -o "$home/used.txt" \
    pyproject.toml --extra all --group test || exit 1

"$python" - "$home" >"$home/moved.txt" <<'PY'
import sys
from pathlib import Path

home = Path(sys.argv[1])
OWN = {"anthropic": "anthropic", "openai": "openai", "langchain": "langchain", "langgraph": "langchain", "pytest": "testing"}


def versions(path):
    pins = {}
    for line in Path(path).read_text().splitlines():
        name, _, version = line.partition(";")[0].strip().partition("==")
        pins.setdefault(name, []).append(version)
    return pins


newest, used = versions(home / "newest.txt"), versions(home / "used.txt")
folders = {"decision", "smoke"}
for name, tested in versions("constraints/dev.txt").items():
    if name in newest and newest[name][0] not in tested:  # what is for other systems is not resolved here
        print(f"  {name} {' or '.join(tested)} -> {newest[name][0]}")
        if own := OWN.get(name.partition("-")[0]):
            folders.add(own)
        elif name in used:
            folders.update(OWN.values())
(home / "folders.txt").write_text("".join(f"tests/{folder}\n" for folder in sorted(folders)))
PY

code=0
if [ -s "$home/moved.txt" ]; then
    UNPINNED=1 bash scripts/setup.sh "$home" dev "$@" || exit 1
    mapfile -t folders <"$home/folders.txt"
    "$home/bin/python" -m pytest -q --no-header -n "${WORKERS:-2}" -m "not slow and not vendors and not backends" \
        "${folders[@]}" >"$home/tests.log" 2>&1 || code=$?
fi

bar=$(printf '#%.0s' {1..100})
echo "$bar"
if [ ! -s "$home/moved.txt" ]; then
    echo "NEWEST VERSIONS: nothing has moved since the pins were written"
else
    [ $code = 0 ] && echo "NEWEST VERSIONS: work" || echo "NEWEST VERSIONS: BREAK SOMETHING"
    echo "moved since the pins were written:"
    cat "$home/moved.txt"
    echo "tested: ${folders[*]}"
    echo "broken:"
    grep -E '^(FAILED|ERROR) ' "$home/tests.log" | sed 's/^/  /' || { [ $code = 0 ] && echo "  nothing"; } || tail -c 3000 "$home/tests.log"
    tail -n 1 "$home/tests.log"
fi
echo "$bar"
exit $code
