#!/usr/bin/env bash
# Install the real parts that the export tests run against, each in an environment of its own.
#
#   scripts/test_parts.sh receiver      a reference OTLP receiver and a collector, for `make test`
#   scripts/test_parts.sh backends      Phoenix, MLflow and sideseat (if there is npm) as well, for `make test-backends` (about 1.5 GB)
#
# Without them the tests that need them are skipped and say so.
set -euo pipefail
cd "$(dirname "$0")/.."
parts=${AGENTOPS_TEST_PARTS:-.parts}
python=${PYTHON:-python3}

install() {
    local name=$1
    shift
    [ -x "$parts/$name/bin/python" ] && [ -e "$parts/$name/.installed" ] && return
    if command -v uv >/dev/null; then
        uv venv -q --python 3.11 "$parts/$name"
        uv pip install -q -p "$parts/$name" "$@"
    else
        "$python" -m venv "$parts/$name"
        "$parts/$name/bin/python" -m pip install -q --disable-pip-version-check "$@"
    fi
    touch "$parts/$name/.installed"
}

case ${1:-receiver} in
    receiver)
        install ddapm 'ddapm-test-agent>=1.69,<2'
        install rotel 'rotel==0.0.1a15'
        ;;
    backends)
        "$0" receiver
        install phoenix 'arize-phoenix>=20,<21'
        install mlflow 'mlflow>=3,<4'
        if command -v npm >/dev/null && [ ! -e "$parts/sideseat/node_modules" ]; then
            npm install --silent --no-audit --no-fund --prefix "$parts/sideseat" sideseat@1
        fi
        ;;
    *) echo "unknown parts: $1" >&2; exit 2 ;;
esac
