#!/usr/bin/env bash
# Install the real parts that the export tests run against, each in an environment of its own, with pinned versions.
#
#   scripts/test_parts.sh receiver      a reference OTLP receiver and a collector, for `make test`
#   scripts/test_parts.sh backends      Phoenix, MLflow and sideseat (if there is npm) as well, for `make test-backends` (about 1.5 GB)
#
# Without them the tests that need them are skipped and say so.
set -euo pipefail
cd "$(dirname "$0")/.."
parts=${AGENTOPS_TEST_PARTS:-.parts}

install() { # install NAME: what constraints/parts/NAME.txt lists, and nothing else
    local home=$parts/$1
    [ "$home/.installed" -nt "constraints/parts/$1.txt" ] && return
    rm -rf "$home"
    bash scripts/uv.sh venv -q --python "${PYTHON:-$(bash scripts/find_python.sh 3.11 3.12)}" "$home"
    bash scripts/uv.sh pip install -q --python "$home/bin/python" -r "constraints/parts/$1.txt"
    touch "$home/.installed"
}

case ${1:-receiver} in
    receiver)
        install ddapm
        install rotel
        ;;
    backends)
        "$0" receiver
        install phoenix
        install mlflow
        if command -v npm >/dev/null && [ ! -e "$parts/sideseat/node_modules" ]; then
            npm install --silent --no-audit --no-fund --prefix "$parts/sideseat" sideseat@1
        fi
        ;;
    *) echo "unknown parts: $1" >&2; exit 2 ;;
esac
