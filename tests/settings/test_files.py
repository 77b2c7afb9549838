"""A file in the working directory makes things stricter and never looser; a file that the user names is trusted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk import config


@pytest.fixture(autouse=True)
def _elsewhere(no_settings: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def write(text: str, path: str = "pyproject.toml") -> None:
    Path(path).write_text(f"[tool.agentops]\n{text}\n")


def value(name: str) -> Any:
    return agentops.status().settings[name].value


LOOSER = [
    'blobs = "files"',
    "parent_based = false",
    "log_events = 'debug'",
    'propagators = ["none"]',
    "redact = false",
    "redact = 'off'",
    'exporters = ["otlp:http://127.0.0.1:9/steal"]',
    'exporters = ["jsonl", "otlp"]',
    'exporters = "console"',
    'exporters = ["jsonl:/tmp/elsewhere"]',
    'exporters = ["jsonl:../elsewhere"]',
    'exporters = ["jsonl:~/elsewhere"]',
    'directory = "/tmp/elsewhere"',
    'directory = "../elsewhere"',
    'directory = "~/elsewhere"',
    'directory = "link"',
    "max_value_bytes = 100000000",
    "state_changes = true",
    "global_provider = true",
    "traces_max_days = 3650.0",
    "traces_max_bytes = 99999999999",
    "spool_max_days = 30",
    "spool_max_bytes = 99999999999",
    'on_limit = "mark"',
    'on_stream = "cut"',
    "flight_recorder = 21",
    'unknown_price = "allow"',
    'log_level = "debug"',
    'log_level = "info"',
    'pii_key = "env:HOME"',
    "pii_timeout = 50",
]


@pytest.mark.parametrize("line", LOOSER)
def test_looser_is_refused_and_told_once_in_the_log(line: str, caplog: pytest.LogCaptureFixture) -> None:
    Path("link").symlink_to("/tmp")
    write(line)
    name = line.split(maxsplit=1)[0]
    agentops.init(integrations=[])
    default = agentops.status().settings[name]
    assert default.origin == "default"
    assert list(agentops.status().sinks) == ["jsonl"]
    agentops.init(integrations=[], restart=True)
    (told,) = [record.getMessage() for record in caplog.records if "stricter" in record.getMessage()]
    assert f"its {name} does not: it is ignored" in told


STRICTER = [
    ("enabled = false", "enabled", False),
    ("capture_content = false", "capture_content", False),
    ('capture_content = "NO_CONTENT"', "capture_content", False),
    ("redact = true", "redact", True),
    ('redact_patterns = ["ACME-\\\\d+"]', "redact_patterns", ["ACME-\\d+"]),
    ("max_value_bytes = 1000", "max_value_bytes", 1000),
    ("sample_ratio = 0.1", "sample_ratio", 0.1),
    ("keep_errors = false", "keep_errors", False),
    ('exporters = ["jsonl"]', "exporters", ["jsonl"]),
    ('exporters = ["jsonl:inside/traces"]', "exporters", ["jsonl:inside/traces"]),
    ("exporters = []", "exporters", []),
    ('exporters = ["memory"]', "exporters", ["memory"]),
    ('directory = "inside"', "directory", "inside"),
    ('integrations = ["openai"]', "integrations", ["openai"]),
    ("propagate_processes = false", "propagate_processes", False),
    ("traces_max_days = 1", "traces_max_days", 1.0),
    ('service_name = "shop"', "service_name", "shop"),
    ("queue_size = 5", "queue_size", 5),
    ('pii = ["email", "phone:hash"]', "pii", ["email:redact", "phone:hash"]),
    ("pii_timeout = 0.5", "pii_timeout", 0.5),
    ('content_rules = ["off"]', "content_rules", ["off"]),
    ("audit = true", "audit", True),
    ("content_max_days = 7", "content_max_days", 7.0),
    ("hash_user_id = true", "hash_user_id", True),
    ('limits = ["$5 / run"]', "limits", ["5 USD / run"]),
    ('log_level = "error"', "log_level", "error"),
    ('resource_attributes = { team = "a" }', "resource_attributes", {"team": "a"}),
]


@pytest.mark.parametrize(("line", "name", "wanted"), STRICTER)
def test_stricter_and_harmless_count(line: str, name: str, wanted: Any) -> None:
    write(line)
    agentops.init()
    assert (value(name), agentops.status().settings[name].origin) == (wanted, "pyproject")


@pytest.mark.parametrize("row", config.rows(), ids=lambda row: row.name)
def test_every_setting_has_been_thought_of(row: Any) -> None:
    """One that says nothing about files may not be set by one: its name appears above, or it is refused."""
    named = {line.split()[0] for line in LOOSER} | {name for _, name, _ in STRICTER}
    harmless = {"shutdown_timeout", "traces_max_file_bytes", "traces_compress", "traces_fsync", "pricing",
                "stream_usage", "internal", "propagate_threads", "semconv", "log_correlation", "release",
                "environment", "variant", "attribute_count_limit", "attribute_length_limit", "event_count_limit",
                "link_count_limit", "event_attribute_count_limit", "link_attribute_count_limit",
                "vocabularies", "resource_detectors", "findings"}  # fmt: skip
    from agentops_sdk import file_limits

    refused = file_limits.default_only, file_limits.off_only
    assert row.name in named | harmless or (row.metadata["limit"] in refused and not row.default)


def test_patterns_add_up_and_none_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    write('redact_patterns = ["file"]')
    monkeypatch.setenv("AGENTOPS_REDACT_PATTERNS", "environment")
    agentops.init(redact_patterns=["code"], integrations=[], exporters=["memory"])
    assert value("redact_patterns") == ["file", "environment", "code"]


@pytest.mark.parametrize("line", LOOSER[:-2])
def test_a_file_that_the_user_names_is_trusted(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "link" in line:
        Path("link").mkdir()
    for path in ("../mine.toml", "../pyproject.toml", "pyproject.toml"):
        write(line, path)
        monkeypatch.setenv("AGENTOPS_CONFIG", path)
        name = line.split(maxsplit=1)[0]
        assert config.resolve({}).origins[name] == "environment AGENTOPS_CONFIG"
        assert config.inspect()[1] == [], "what holds is not told to be ignored"
        Path(path).unlink()


def test_a_named_file_needs_no_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ops.toml").write_text('redact = false\nservice_name = "shop"\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AGENTOPS_CONFIG", "~/ops.toml")
    settings = config.resolve({})
    assert (settings.redact, settings.service_name) == (False, "shop")


@pytest.mark.parametrize(
    "content", [None, "not [[[ toml", "[tool]\nagentops = 5", "[tool.agentops]\ncapture_contnet = 0"]
)
def test_a_named_file_that_cannot_be_understood_captures_less(content: str | None, monkeypatch: Any) -> None:
    if content is not None:
        Path("ops.toml").write_text(content)
    monkeypatch.setenv("AGENTOPS_CONFIG", "ops.toml")
    with pytest.warns(UserWarning, match="AGENTOPS_CONFIG.*capture_content is taken to be False"):
        agentops.init(integrations=[], exporters=["memory"])
    assert value("capture_content") is False


def test_a_broken_file_here_that_speaks_of_us_captures_less() -> None:
    Path("pyproject.toml").write_text("[tool.agentops]\ncapture_content = false\nbroken\n")
    with pytest.warns(UserWarning, match="pyproject: no TOML"):
        agentops.init(integrations=[], exporters=["memory"])
    assert value("capture_content") is False


@pytest.mark.parametrize(
    "line", ["capture_content = 'flase'", "redact_patterns = ['[']", "capture_contents = false", "enabled = 'prehaps'"]
)
@pytest.mark.parametrize("where", ["pyproject", "AGENTOPS_CONFIG"])
def test_what_a_file_says_unclearly_of_privacy_captures_less(line: str, where: str, monkeypatch: Any) -> None:
    if where == "pyproject":
        write(line)
    else:
        write(line, "ops.toml")
        monkeypatch.setenv("AGENTOPS_CONFIG", "ops.toml")
    with pytest.warns(UserWarning, match=f"{where}.*capture_content is taken to be False") as told:
        agentops.init(integrations=[], exporters=["memory"])
    assert len(told) == 1
    assert value("capture_content") is False
    assert value("redact") is True


def test_the_environment_beats_the_file_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    write("capture_content = false\nsample_ratio = 1.0\nexporters = ['jsonl', 'memory']")
    monkeypatch.setenv("AGENTOPS_CAPTURE_CONTENT", "true")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    settings = config.resolve({})
    assert (settings.capture_content, settings.sample_ratio, settings.exporters) == (True, 0.0, ("jsonl",))


def test_an_endpoint_of_the_environment_does_not_undo_a_stricter_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write("exporters = ['jsonl']")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    assert config.resolve({}).exporters == ("jsonl",)


@pytest.mark.parametrize("how", ["keyword", "environment"])
def test_a_file_here_deletes_nothing_elsewhere(how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write("traces_max_days = 0.000001\ntraces_max_bytes = 1\nspool_max_days = 0.000001\nspool_max_bytes = 65536")
    assert config.resolve({}).traces_max_bytes == 1
    keywords = {}
    if how == "keyword":
        keywords["directory"] = str(tmp_path / "ops")
    else:
        monkeypatch.setenv("AGENTOPS_DIR", str(tmp_path / "ops"))
    settings = config.resolve(keywords)
    kept = (settings.traces_max_days, settings.traces_max_bytes, settings.spool_max_days, settings.spool_max_bytes)
    assert kept == (30.0, 536_870_912, 7.0, 268_435_456)


def test_a_pipe_of_that_name_is_not_waited_for() -> None:
    os.mkfifo("pyproject.toml")
    agentops.init(integrations=[], exporters=["memory"])
    assert agentops.status().enabled


def test_no_code_of_a_plug_in_is_loaded_for_the_file(tmp_path: Path) -> None:
    """An installed exporter of somebody else's, named by a stranger's directory."""
    site = tmp_path / "site"
    (site / "thief-1.0.dist-info").mkdir(parents=True)
    (site / "thief-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: thief\nVersion: 1.0\n")
    (site / "thief-1.0.dist-info" / "entry_points.txt").write_text("[agentops_sdk.exporters]\nthief = thief:create\n")
    (site / "thief.py").write_text("print('loaded')\n\ndef create(argument, settings):\n    print('made')\n")
    write('exporters = ["thief:x"]')
    code = "import agentops_sdk as a; print(list(a.init(integrations=[]).sinks))"

    def run(**environment: str) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(site), **environment},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout, done.stderr

    out, err = run()
    assert (out, err.count("stricter")) == ("['jsonl']\n", 1)
    assert run(AGENTOPS_EXPORTERS="thief:x")[0].startswith("loaded\nmade\n")
