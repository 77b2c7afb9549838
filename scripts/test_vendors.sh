#!/usr/bin/env bash
# Run the integration tests against the oldest and the newest supported version of each vendor's library.
# Each version gets a virtual environment of its own below .vendors/. Arguments name the versions to run; none: all.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=" $* "

run() { # run NAME TESTS REQUIREMENT...: an environment with those requirements, and the tests in it
    local name=$1 tests=$2 home=".vendors/$1"
    shift 2
    [ -z "${wanted// /}" ] || [[ $wanted == *" $name "* ]] || return 0
    if command -v uv >/dev/null; then
        [ -x "$home/bin/python" ] || uv venv -q "$home" --python "${PYTHON:-3.11}"
        uv pip install -q -p "$home" -e . pytest pytest-asyncio jsonschema websockets "$@"
    else
        [ -x "$home/bin/python" ] || "${PYTHON:-python3}" -m venv "$home"
        "$home/bin/pip" install -q -e . pytest pytest-asyncio jsonschema websockets "$@"
    fi
    echo "== $name: $("$home/bin/python" -c 'import importlib.metadata as m; print(*(f"{d} {m.version(d)}" for d in ("openai", "langchain-core", "langgraph") if any(m.distributions(name=d))))')"
    "$home/bin/python" -m pytest -q --no-header -m "not slow" $tests
}

run openai-min tests/openai "openai==1.50.0" "httpx<0.28" numpy
run openai-1 tests/openai "openai>=1.109,<2"
run openai-2 tests/openai "openai>=2.54,<3"
run openai-newest tests/openai "openai>=3,<4" openinference-instrumentation-openai
run langchain-min tests/langchain "langchain==1.0.0" "langchain-core==1.0.0" "langgraph==1.0.0" "langchain-openai==1.0.0" tiktoken
run langchain-newest tests/langchain "langchain>=1.4" "langgraph>=1.2" "langchain-openai>=1.1" \
    langgraph-supervisor langgraph-swarm langgraph-checkpoint-sqlite langchain-mcp-adapters
