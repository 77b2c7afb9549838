"""What a deployment or a file sets wrongly warns and stops no program; a keyword is refused by its own name."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk import config


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "_warned", set())


def records_one_span() -> bool:
    with agentops.span("s"):
        pass
    agentops.shutdown()
    return sum(len(path.read_text().splitlines()) for path in Path(".agentops/traces").glob("*.jsonl")) == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AGENTOPS_EXPORTERS", "nonsense"),
        ("AGENTOPS_EXPORTERS", "jsonl,otlp:ftp://nowhere"),
        ("AGENTOPS_INTEGRATIONS", "nonsense"),
        ("AGENTOPS_REDACT_PATTERNS", "["),
        ("AGENTOPS_SHUTDOWN_TIMEOUT", "99999999999999999999999"),
        ("AGENTOPS_SHUTDOWN_TIMEOUT", "inf"),
        ("AGENTOPS_TRACES_MAX_DAYS", "0"),
    ],
)
def test_a_bad_variable_warns_and_the_program_is_recorded(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.warns(UserWarning, match="is ignored"):
        agentops.init()
    assert records_one_span()


def test_a_bad_name_among_good_ones_leaves_the_good_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOPS_INTEGRATIONS", "nonsense,openai")
    with pytest.warns(UserWarning, match="nonsense"):
        status = agentops.init()
    assert list(status.integrations) == ["openai"]


@pytest.mark.parametrize(
    "content",
    [b"tool = 3", b"[tool]\nagentops = 5", b"\xff\xfe", b"not [[[ toml", b"a = " + b"[" * 100_000],
    ids=["tool", "section", "bytes", "syntax", "depth"],
)
def test_a_broken_file_stops_no_program(content: bytes) -> None:
    Path("pyproject.toml").write_bytes(content)
    agentops.init(integrations=[])
    assert records_one_span()


@pytest.mark.parametrize(
    "line", ["exporters = ['nope']", "integrations = ['nope']", "queue_sise = 5", "directory = []"]
)
def test_a_wrong_entry_in_the_file_warns(line: str) -> None:
    Path("pyproject.toml").write_text(f"[tool.agentops]\n{line}\n")
    with pytest.warns(UserWarning, match="is ignored"):
        agentops.init()
    assert records_one_span()


def test_a_collector_named_by_the_deployment_on_a_read_only_disk_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector")
    monkeypatch.setenv("AGENTOPS_DIR", "occupied/here")
    Path("occupied").write_text("a file where a directory should be")
    with pytest.warns(UserWarning, match="is ignored"):
        status = agentops.init(integrations=[])
    assert status.enabled


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("directory", "a\0b"),
        ("traces_max_days", 0),
        ("spool_max_days", 0),
        ("shutdown_timeout", math.inf),
        ("redact_patterns", ["("]),
        ("exporters", "nonsense"),
        ("integrations", ["nonsense"]),
    ],
)
def test_a_bad_keyword_is_refused_by_its_own_name(name: str, value: Any) -> None:
    with pytest.raises(agentops.ConfigError, match=f"^{name}="):
        agentops.init(**{name: value})


def test_waiting_for_ever_is_waiting_long(tmp_path: Path) -> None:
    agentops.init(exporters=[f"jsonl:{tmp_path / 'traces'}"], integrations=[])
    with agentops.span("s"):
        pass
    assert agentops.flush(math.inf).exported == 1
    assert agentops.shutdown(math.inf).lost == 0
