#!/usr/bin/env bash
# Environments for the recorders that benchmarks/ratios.py and benchmarks/delivery.py measure beside ours: .peers/NAME.
set -euo pipefail
cd "$(dirname "$0")/.."
peer() {
    local python=".peers/$1/bin/python"
    [ -x "$python" ] || bash scripts/uv.sh venv -q ".peers/$1"
    bash scripts/uv.sh pip install -q --python "$python" openai httpx opentelemetry-exporter-otlp-proto-http "$2"
}
peer langfuse langfuse
peer logfire logfire
peer openllmetry traceloop-sdk
