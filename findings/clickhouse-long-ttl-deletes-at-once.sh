#!/usr/bin/env bash
# ClickHouse (chdb 4.4.0): a TTL is worked out in seconds of 32 bits, so that one which ends after 2106 wraps round and lies
# in the past. A table of traces "kept for 30,000 days" (TTL toDateTime(Timestamp) + toIntervalDay(30000)) takes an insert
# without a word and has no row after the next merge; with 20,000 days it has. The sum itself says 1972. In days
# (TTL toDate(Timestamp) + …) the same table keeps its row until 2149.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'chdb==4.4.0'
cat >"$home/program.py" <<'PY'
import importlib.metadata
import sys

from chdb import session

engine = session.Session(sys.argv[1])
print("chdb", importlib.metadata.version("chdb"))
engine.query("CREATE DATABASE traces")
for name, until in {"days_20000": "toDateTime(Timestamp) + toIntervalDay(20000)",
                    "days_30000": "toDateTime(Timestamp) + toIntervalDay(30000)",
                    "days_30000_by_date": "toDate(Timestamp) + toIntervalDay(30000)"}.items():
    engine.query(f"CREATE TABLE traces.{name} (Timestamp DateTime64(9, 'UTC'), SpanName String) ENGINE = MergeTree "
                 f"ORDER BY Timestamp TTL {until}")
    engine.query(f"INSERT INTO traces.{name} VALUES ('2026-11-30 00:00:00', 'chat')")
    engine.query(f"OPTIMIZE TABLE traces.{name} FINAL")
    print(name, "rows:", str(engine.query(f"SELECT count() FROM traces.{name}")).strip())
print("2026 + 30,000 days:", str(engine.query(
    "SELECT toYear(toDateTime(toDateTime64('2026-11-30 00:00:00', 9, 'UTC')) + toIntervalDay(30000))")).strip())
PY
"$home/venv/bin/python" "$home/program.py" "$home/engine" | tee "$home/output"
diff - "$home/output" <<'EXPECTED'
chdb 4.4.0
days_20000 rows: 1
days_30000 rows: 0
days_30000_by_date rows: 1
2026 + 30,000 days: 1972
EXPECTED
