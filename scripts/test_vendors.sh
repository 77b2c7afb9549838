#!/usr/bin/env bash
# Run tests in the environments of scripts/vendors.txt, each in .vendors/NAME. Arguments name the rows to run; none: all.
# Every row runs even when an earlier one failed; what a row said is shown when it has ended; those that failed are named last.
set -uo pipefail
cd "$(dirname "$0")/.."

rows=$(sed -E '/^ *(#|$)/d' scripts/vendors.txt)
names=("$@")
[ $# -gt 0 ] || mapfile -t names < <(cut -d'|' -f1 <<<"$rows" | tr -d ' ')
for name in "${names[@]}"; do
    grep -qE "^$name +\|" <<<"$rows" || { echo "no such row: $name"; exit 2; }
done

told=$(mktemp -d)
trap 'rm -rf "$told"' EXIT
set_up() { # set_up NAME: unless it is there, and newer than what it is made from
    home=.vendors/$1
    [ "$home/.ready" -nt "constraints/$1.txt" ] && [ "$home/.ready" -nt pyproject.toml ] || bash scripts/setup.sh "$home" "$1"
    touch "$told/$1.tried"
}
run() { # run NAME: its tests, once it is set up
    IFS='|' read -r _ tests versions < <(grep -E "^$1 +\|" <<<"$rows")
    echo "== $1: $versions"
    until [ -e "$told/$1.tried" ]; do sleep 0.2; done
    eval "tests=($tests)"  # paths and options, quoted where there are blanks inside
    [ -e ".vendors/$1/.ready" ] &&
        ".vendors/$1/bin/python" -m pytest -q --no-header -n "$workers" -m "not slow" tests/status/test_installed.py "${tests[@]}" ||
        touch "$told/$1.failed"
}
# Several rows at once, each with one worker: loading the libraries and reading the tests is a third of what a row costs,
# and each worker does both. A worker, and not the process itself: what a library has left open when that ends, as litellm
# does, is no test's. A row that runs alone has all the workers.
workers=1
[ ${#names[@]} -gt 1 ] || workers=${WORKERS:-2}
export told rows workers
export -f set_up run
# Two at a time, while the tests of those that are there run: an installation mostly waits for the disk and the network.
# A row that fails here fails below, and is named.
printf '%s\n' "${names[@]}" | xargs -P 2 -I NAME bash -c 'set_up NAME' &
printf '%s\n' "${names[@]}" | xargs -P "${WORKERS:-2}" -I NAME bash -c 'run NAME >"$told/NAME.log" 2>&1; cat "$told/NAME.log"'

failed=()
for name in "${names[@]}"; do
    [ ! -e "$told/$name.failed" ] || failed+=("$name")
done
[ ${#failed[@]} -eq 0 ] || { echo "FAILED with: ${failed[*]}"; exit 1; }
