#!/usr/bin/env bash
# genai-prices 0.2.3: the name of a provider is matched by what it contains. A server of one's own that speaks the
# OpenAI API and is called "vllm-openai" or "openai-compatible" gets the prices of OpenAI, without a remark; a name
# that means nothing to it raises LookupError. So "no price" cannot be told from "somebody else's price" by the result.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'genai-prices==0.2.3'
"$home/venv/bin/python" - <<'PY'
import importlib.metadata

from genai_prices import Usage, calc_price

print("genai-prices", importlib.metadata.version("genai-prices"))
usage = Usage(input_tokens=1000, output_tokens=1000)
paid = calc_price(usage, model_ref="gpt-4o", provider_id="openai").total_price
for name in ("vllm-openai", "openai-compatible", "openrouter-openai"):
    result = calc_price(usage, model_ref="gpt-4o", provider_id=name)
    print(name, "->", result.provider.id, result.total_price)
    assert (result.provider.id, result.total_price) == ("openai", paid)
try:
    calc_price(usage, model_ref="gpt-4o", provider_id="vllm")
except LookupError as error:
    print("vllm ->", error)
else:
    raise SystemExit("vllm has a price now")
PY
