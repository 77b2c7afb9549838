"""Every line of the table of vendors in docs/backends.md, as it is written: what arrives, where, with which headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from tests.export.collector import Collector

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.integration import start

PAGE = Path(__file__).parents[2] / "docs" / "backends.md"
ROW = re.compile(
    r"^\| (?P<vendor>[^|]+) \| (?:(?P<signal>traces|metrics): )?`(?P<url>[^`]+)`[^|]*\|(?P<headers>[^|]*)\|$",
    re.MULTILINE,
)
TABLE = PAGE.read_text(encoding="utf-8").partition("\n## Vendors\n")[2].partition("|---")[2]
FILLED = re.compile(r"\{[^}]*\}|…")
"""What a reader fills in."""


def rows() -> Iterator[tuple[str, str | None, str, str]]:
    for row in ROW.finditer(TABLE.replace("{base}", "https://x")):
        headers = [*re.findall(r"`([^`]+)`", row["headers"]), ""]
        yield row["vendor"], row["signal"], FILLED.sub("x", row["url"]), FILLED.sub("x", headers[0])


ROWS = list(rows())


def test_no_line_is_overlooked() -> None:
    assert len(ROWS) == sum(line.startswith("| ") for line in TABLE.splitlines()) > 10


@pytest.mark.parametrize(("vendor", "signal", "url", "headers"), ROWS, ids=[row[0].split(",")[0] for row in ROWS])
def test_a_request_is_as_the_line_says(
    vendor: str, signal: str | None, url: str, headers: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    collector = Collector()
    try:
        path = urlsplit(url).path
        variable = f"OTEL_EXPORTER_OTLP_{f'{signal.upper()}_' if signal else ''}ENDPOINT"
        monkeypatch.setenv(variable, collector.url + path)
        if headers:
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", headers)
        agentops.init(exporters=["memory" if signal == "metrics" else "otlp"], integrations=[], directory=tmp_path)
        start(
            "llm", "gpt-4o-mini", attributes={semconv.USAGE_INPUT_TOKENS: 120, semconv.USAGE_OUTPUT_TOKENS: 30}
        ).finish()
        assert agentops.flush(20), vendor
        agentops.shutdown()
        assert set(collector.paths) == {path if signal else f"{path}/v1/traces"}
        assert {name for name, _ in collector.received} == {signal or "traces"}
        for sent in collector.headers:
            assert sent["content-type"] == "application/x-protobuf"
            for name, _, value in (pair.partition("=") for pair in headers.split(",") if pair):
                assert sent[name.lower()] == unquote(value)
    finally:
        collector.close()
