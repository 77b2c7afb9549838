#!/usr/bin/env bash
# Print the path of an interpreter of one of the given versions, the first that runs; fail where there is none.
#
#   scripts/find_python.sh 3.13 [3.12 ...]
set -uo pipefail

runs() { "$1" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$2')" 2>/dev/null; }

for version; do
    # pyenv's shims answer only for the versions that are switched on; its folders hold the others.
    for candidate in "python$version" python3 "$(pyenv prefix "$(pyenv latest "$version" 2>/dev/null)" 2>/dev/null)/bin/python"; do
        runs "$candidate" "$version" && { command -v "$candidate"; exit 0; }
    done
done
echo "no interpreter found for Python $*" >&2
exit 1
