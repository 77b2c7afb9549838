#!/usr/bin/env bash
# Run tests in the environments of scripts/vendors.txt, each in .vendors/NAME. Arguments name the rows to run; none: all.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=" $* "
while IFS='|' read -r name tests _ <&3; do
    name=${name// /}
    [[ -z $name || $name == '#'* ]] && continue
    [ -z "${wanted// /}" ] || [[ $wanted == *" $name "* ]] || continue
    home=.vendors/$name
    [ "$home/.ready" -nt "constraints/$name.txt" ] && [ "$home/.ready" -nt pyproject.toml ] ||
        bash scripts/setup.sh "$home" "$name"
    echo "== $name: $(cut -d'|' -f3 <<<"$(grep -E "^$name +\|" scripts/vendors.txt)")"
    # shellcheck disable=SC2086 - several paths
    "$home/bin/python" -m pytest -q --no-header -n "${WORKERS:-2}" -m "not slow" $tests
done 3<scripts/vendors.txt
