#!/usr/bin/env bash
# genai-prices 0.2.3: what a call of DeepSeek's models costs depends on the time of day, by up to a factor of 4 within one day,
# and the time is that at which the price is asked for, unless the call's is given (genai_request_timestamp). A trace that is
# priced again at night, or one whose cost is worked out when it is read, gets other costs for the same tokens. The result tells the
# price and neither the hours that it holds for nor that there are others.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'genai-prices==0.2.3'
cat >"$home/program.py" <<'PY'
import importlib.metadata
from datetime import UTC, datetime

from genai_prices import Usage, calc_price

usage = Usage(input_tokens=1_000_000, output_tokens=1_000_000)


def price(model, at=None):
    return calc_price(usage, model_ref=model, provider_id="deepseek", genai_request_timestamp=at)


print("genai-prices", importlib.metadata.version("genai-prices"))
for model in ("deepseek-reasoner", "deepseek-chat", "deepseek-v4-pro"):
    by_hour = [price(model, datetime(2026, 11, 30, hour, 45, tzinfo=UTC)).total_price for hour in range(24)]
    print(f"{model}: dearest at", [hour for hour, each in enumerate(by_hour) if each == max(by_hour)], "UTC,",
          f"{max(by_hour) / min(by_hour)} times the rest")
    before, seen, after = price(model, datetime.now(UTC)), price(model), price(model, datetime.now(UTC))
    assert seen.total_price in (before.total_price, after.total_price), "without a time it is that of now"
result = price("deepseek-reasoner", datetime(2026, 11, 30, 12, tzinfo=UTC))
print("the result says that there are hours:", "16:30" in str(result.model_price) or "constraint" in repr(result.model_price))
PY
"$home/venv/bin/python" "$home/program.py" | tee "$home/output"
diff - "$home/output" <<'EXPECTED'
genai-prices 0.2.3
deepseek-reasoner: dearest at [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] UTC, 4 times the rest
deepseek-chat: dearest at [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] UTC, 2 times the rest
deepseek-v4-pro: dearest at [1, 2, 3, 6, 7, 8, 9] UTC, 2 times the rest
the result says that there are hours: False
EXPECTED
