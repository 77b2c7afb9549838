#!/usr/bin/env bash
# Set up a virtual environment from nothing but python3 and pip, with the versions that were tested.
#
#   scripts/setup.sh VENV demo          the checkout, editable, with what the demo needs
#   scripts/setup.sh VENV dev           the checkout, editable, with everything the tests and linters need
#   scripts/setup.sh VENV dev WHEEL     the same, with the built wheel in place of the checkout
#   scripts/setup.sh VENV NAME          the checkout, with the row NAME of scripts/vendors.txt
#
# The versions stand in constraints/, which `make lock` writes. UNPINNED=1 takes the newest of everything instead.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1 what=$2 wheel=${3:-}

python=${PYTHON:-$(bash scripts/find_python.sh 3.11 3.12 3.13)}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { echo "Python 3.11 or newer is needed (set PYTHON=/path/to/python3.11)" >&2; exit 1; }

uv() { PYTHON=$python bash scripts/uv.sh "$@"; }
# Where uv cannot be had, pip does the same, slowly.
uv --version >/dev/null || { echo "without uv: this takes longer" >&2; uv() { return 1; }; }

if [ ! -x "$venv/bin/python" ]; then
    echo "setting up $venv" >&2
    # Some distributions ship python3 without ensurepip; pip can still install into an environment from outside.
    uv venv -q --allow-existing --python "$python" "$venv" || "$python" -m venv "$venv" >/dev/null 2>&1 ||
        { rm -rf "$venv"; "$python" -m venv --without-pip "$venv"; }
fi

source=${wheel:-.}
requirements=()
case $what in
    demo) requirements=("$source[openai]") ;;
    dev) requirements=("$source[all]" --group dev) ;;
    *)
        row=$(grep -E "^$what +\|" scripts/vendors.txt) || { echo "unknown environment: $what" >&2; exit 2; }
        IFS='|' read -r _ _ versions <<<"$row"
        read -ra requirements <<<"$versions"
        requirements=("$source" --group test "${requirements[@]}")
        ;;
esac
[ -n "$wheel" ] || requirements=(-e "${requirements[@]}")

constraints=(-c "constraints/$what.txt")
pip=$(sed -n 's/^pip==/pip==/p' constraints/build.txt)
if [ -n "${UNPINNED:-}" ]; then constraints=(--upgrade) pip=pip; fi

with_pip() {
    # A pip of our own choice: --group and --build-constraint are young, and an environment may have none.
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m pip --python "$venv/bin/python" install -q "$pip"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --upgrade "$pip" &&
        "$venv/bin/python" -m pip install -q --disable-pip-version-check --build-constraint constraints/build.txt "$@"
}
case $what in demo | dev) requirements+=("$pip") ;; esac  # people expect one
uv pip install -q --python "$venv/bin/python" --build-constraints constraints/build.txt "${constraints[@]}" "${requirements[@]}" ||
    with_pip "${constraints[@]}" "${requirements[@]}"

case $what in demo) touch "$venv/.demo" ;; dev) touch "$venv/.demo" "$venv/.dev" ;; *) touch "$venv/.ready" ;; esac
