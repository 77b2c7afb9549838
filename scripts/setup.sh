#!/usr/bin/env bash
# Set up a virtual environment from nothing but python3 and pip.
#
#   scripts/setup.sh VENV demo          the checkout, editable, with what the demo needs
#   scripts/setup.sh VENV dev           the checkout, editable, with everything the tests and linters need
#   scripts/setup.sh VENV dev WHEEL     the same, with the built wheel in place of the checkout
#
# Uses uv where there is one (seconds), else pip (a minute or two).
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1 what=$2 wheel=${3:-}

python=${PYTHON:-}
for candidate in ${python:-python3 python3.11 python3.12 python3.13}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$candidate; break; fi
done
[ -n "${found:-}" ] || { echo "Python 3.11 or newer is needed (set PYTHON=/path/to/python3.11)" >&2; exit 1; }

if [ ! -x "$venv/bin/python" ]; then
    echo "setting up $venv" >&2
    # Some distributions ship python3 without ensurepip; pip can still install into an environment from outside.
    "$found" -m venv "$venv" 2>/dev/null >&2 || { rm -rf "$venv"; "$found" -m venv --without-pip "$venv"; }
fi

source=${wheel:-.}
case $what in
    demo) requirements=("$source[openai]") groups=() ;;
    dev) requirements=("$source[all]") groups=(--group dev) ;;
    *) echo "unknown environment: $what" >&2; exit 2 ;;
esac
[ -n "$wheel" ] || requirements=(-e "${requirements[0]}")

with_uv() { command -v uv >/dev/null && uv pip install -q -p "$venv" "${requirements[@]}" "${groups[@]}"; }
with_pip() {
    if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        "$found" -m pip --python "$venv/bin/python" install -q pip
    fi
    # --group needs pip 25.1
    "$venv/bin/python" -m pip install -q --disable-pip-version-check 'pip>=25.1'
    "$venv/bin/python" -m pip install -q --disable-pip-version-check "${requirements[@]}" "${groups[@]}"
}
with_uv || with_pip
touch "$venv/.demo"
[ "$what" = demo ] || touch "$venv/.dev"
