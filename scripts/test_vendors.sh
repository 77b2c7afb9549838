#!/usr/bin/env bash
# Run tests in the environments of scripts/vendors.txt, each in .vendors/NAME. Arguments name the rows to run; none: all.
# Every row runs even when an earlier one failed; those that failed are named at the end.
set -uo pipefail
cd "$(dirname "$0")/.."

rows=$(sed -E '/^ *(#|$)/d' scripts/vendors.txt)
names=("$@")
[ $# -gt 0 ] || mapfile -t names < <(cut -d'|' -f1 <<<"$rows" | tr -d ' ')

tried=$(mktemp -d)
trap 'rm -rf "$tried"' EXIT
set_up() { # set_up NAME: unless it is there, and newer than what it is made from
    home=.vendors/$1
    [ "$home/.ready" -nt "constraints/$1.txt" ] && [ "$home/.ready" -nt pyproject.toml ] || bash scripts/setup.sh "$home" "$1"
    touch "$tried/$1"
}
export tried
export -f set_up
# Two at a time, while the tests of those that are there run: an installation mostly waits for the disk and the network.
# A row that fails here fails below, and is named.
printf '%s\n' "${names[@]}" | xargs -P 2 -I NAME bash -c 'set_up NAME' &

failed=()
for name in "${names[@]}"; do
    IFS='|' read -r _ tests versions < <(grep -E "^$name +\|" <<<"$rows") || { echo "no such row: $name"; exit 2; }
    echo "== $name: $versions"
    until [ -e "$tried/$name" ]; do sleep 0.2; done
    eval "tests=($tests)"  # paths and options, quoted where there are blanks inside
    [ -e ".vendors/$name/.ready" ] &&
        ".vendors/$name/bin/python" -m pytest -q --no-header -n "${WORKERS:-2}" -m "not slow" tests/status/test_installed.py "${tests[@]}" || failed+=("$name")
done
[ ${#failed[@]} -eq 0 ] || { echo "FAILED with: ${failed[*]}"; exit 1; }
