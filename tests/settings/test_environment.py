"""What the environment says: standard variables, slips, and what is unclear about privacy."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk import config

pytestmark = pytest.mark.usefixtures("no_settings")


@agentops.tool
def look_up(word: str) -> str:
    return word.upper()


def value(name: str) -> Any:
    return agentops.status().settings[name].value


def resource() -> dict[str, Any]:
    """What a recorded span says of the process."""
    agentops.init(exporters=["jsonl"], integrations=[])
    with agentops.span("run"):
        pass
    agentops.flush()
    (trace,) = agentops.traces.load(".agentops/traces")
    return dict(trace.root.resource)


# --- content -------------------------------------------------------------------------------------

CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


@pytest.mark.parametrize("variable", [CONTENT, "AGENTOPS_CAPTURE_CONTENT"])
@pytest.mark.parametrize(
    ("text", "captured"),
    [
        ("NO_CONTENT", False), ("no_content", False), ("SPAN_ONLY ", True), ("Span_And_Event", True),
        ("EVENT_ONLY", False),  # content belongs on events then, and we have it on spans
        ("true", True), ("True", True), ("1", True), ("false", False), ("FALSE", False), ("0", False),
    ],
)  # fmt: skip
def test_every_standard_word_for_content(variable: str, text: str, captured: bool, monkeypatch: Any) -> None:
    monkeypatch.setenv(variable, text)
    agentops.init(exporters=["memory"], integrations=[])  # any warning is an error here
    assert value("capture_content") is captured


@pytest.mark.parametrize("variable", [CONTENT, "AGENTOPS_CAPTURE_CONTENT"])
@pytest.mark.parametrize("text", ["flase", "NO-CONTENT", "none", "2", "SPANONLY", "-", "null"])
def test_an_unclear_word_for_content_captures_none(variable: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.warns(UserWarning, match=variable) as told:
        agentops.init(exporters=["jsonl"], integrations=[])
    look_up("private")
    agentops.shutdown()
    agentops.init(exporters=["jsonl"], integrations=[])  # a second warning would be an error
    assert len(told) == 1
    assert told[0].filename == __file__
    assert "capture_content is taken to be False" in str(told[0].message)
    agentops.shutdown()
    written = "".join(path.read_text() for path in Path(".agentops/traces").glob("*.jsonl"))
    assert "look_up" in written
    assert "private" not in written.lower()


@pytest.mark.parametrize(
    ("environment", "captured"),
    [
        ({"AGENTOPS_CAPTURE_CONTENT": "fales", CONTENT: "true"}, False),
        ({"AGENTOPS_CAPTURE_CONTENT": "false", CONTENT: "span_only"}, False),
        ({"AGENTOPS_CAPTURE_CONTNET": "false"}, False),
        ({"AGENTOPS_CAPTURE_CONTENTS": "false", "AGENTOPS_CAPTURE_CONTENT": "true"}, False),
        ({"AGENTOPS_REDACT_PATTERNS": r"ACME-\d+,["}, False),
        ({"AGENTOPS_ENABLED": "perhaps"}, False),
        ({"AGENTOPS_QUEUE_SIZE": "many"}, True),
        ({"AGENTOPS_CAPTURE_CONTENT": "  "}, True),
    ],
)
def test_when_in_doubt_less(environment: dict[str, str], captured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr(config, "warn_once", lambda message: None)
    agentops.init(exporters=["memory"], integrations=[])
    assert value("capture_content") is captured
    assert agentops.status().enabled


@pytest.mark.parametrize("text", ["flase", "nope", "2"])
def test_an_unclear_word_for_redaction_redacts(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOPS_REDACT", text)
    with pytest.warns(UserWarning, match="redact is taken to be True"):
        agentops.init(exporters=["memory"], integrations=[])
    assert value("redact") is True


def test_code_beats_what_is_unclear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOPS_CAPTURE_CONTENT", "flase")
    agentops.init(capture_content=True, exporters=["memory"], integrations=[])
    assert value("capture_content") is True


def test_patterns_of_code_and_environment_add_up_and_may_hold_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOPS_REDACT_PATTERNS", r"ID\d{2,3}, [,;]{2}, (a|b,c)")
    agentops.init(redact_patterns=["ACME"], exporters=["memory"], integrations=[])
    assert value("redact_patterns") == [r"ID\d{2,3}", "[,;]{2}", "(a|b,c)", "ACME"]


# --- the service and its resource ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "keywords", "name"),
    [
        ({}, {}, None),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=My%20Shop"}, {}, "My Shop"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=a", "OTEL_SERVICE_NAME": "b"}, {}, "b"),
        ({"OTEL_SERVICE_NAME": "b"}, {"resource_attributes": {"service.name": "c"}}, "c"),
        ({"OTEL_SERVICE_NAME": "b"}, {"service_name": "d", "resource_attributes": {"service.name": "c"}}, "d"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=a"}, {"service_name": "d"}, "d"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name="}, {}, None),
    ],
)
def test_the_service_has_one_name(environment: Any, keywords: Any, name: str | None, monkeypatch: Any) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/agent.py"])  # a worker of the test run has none
    for variable, text in environment.items():
        monkeypatch.setenv(variable, text)
    agentops.init(exporters=["jsonl"], integrations=[], **keywords)
    assert resource()["service.name"] == value("service_name")
    assert agentops.status().resource["service.name"] == value("service_name")
    assert value("service_name") == (name or "agent")


def test_attributes_are_decoded_and_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = "service.namespace=My%20Shop,deployment.environment.name=prod%2Feu,equation=a=b,empty=,plus=a+b,late=%zz"
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", pairs)
    agentops.init(exporters=["jsonl"], integrations=[], resource_attributes={"release": 7, "plus": "mine"})
    sent = resource()
    expected = {
        "service.namespace": "My Shop", "deployment.environment.name": "prod/eu", "equation": "a=b", "empty": "",
        "late": "%zz", "release": 7, "plus": "mine",
    }  # fmt: skip
    assert {name: sent.get(name) for name in expected} == expected
    assert value("resource_attributes") == expected
    assert {name: agentops.status().resource.get(name) for name in expected} == expected


def test_a_providers_own_words_are_what_status_says() -> None:
    code = """
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider(resource=Resource({"service.name": "theirs"})))
import agentops_sdk as agentops
agentops.init(service_name="ours", exporters=["memory"], integrations=[])
now = agentops.status()
print(now.resource, now.settings["service_name"].value, now.settings["service_name"].origin)
"""
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out == "{'service.name': 'theirs'} theirs the program's own TracerProvider\n"


def test_one_bad_pair_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod,oops,=x")
    with pytest.warns(UserWarning, match="'oops', '=x' is ignored"):
        agentops.init(exporters=["jsonl"], integrations=[])
    assert resource()["deployment.environment.name"] == "prod"


# --- sinks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "sinks"),
    [
        ({"OTEL_TRACES_EXPORTER": "otlp,console"}, ["jsonl", "otlp", "console"]),
        ({"OTEL_TRACES_EXPORTER": " OTLP , console "}, ["jsonl", "otlp", "console"]),
        ({"OTEL_TRACES_EXPORTER": "console,jsonl,console"}, ["jsonl", "console"]),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, ["jsonl"]),
        (
            {"OTEL_TRACES_EXPORTER": "console", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
            ["jsonl", "console"],
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, ["jsonl", "otlp"]),
        ({"OTEL_TRACES_EXPORTER": "otlp,console", "AGENTOPS_EXPORTERS": "memory"}, ["memory"]),
        ({"OTEL_TRACES_EXPORTER": ""}, ["jsonl"]),
    ],
)
def test_the_standard_list_of_sinks(environment: dict[str, str], sinks: list[str], monkeypatch: Any) -> None:
    for variable, text in environment.items():
        monkeypatch.setenv(variable, text)
    assert list(agentops.init(integrations=[]).sinks) == sinks


def test_an_unknown_sink_is_told_and_the_rest_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "zipkin,console")
    with pytest.warns(UserWarning, match="zipkin is not a sink"):
        status = agentops.init(integrations=[])
    assert list(status.sinks) == ["jsonl", "console"]


# --- slips ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "right"),
    [
        ("AGENTOPS_QUEU_SIZE", "AGENTOPS_QUEUE_SIZE"),
        ("AGENTOPS_DIRECTORY", "AGENTOPS_DIR"),
        ("AGENTOPS_EXPORTER", "AGENTOPS_EXPORTERS"),
        ("AGENTOPS_SERVICE_NAME", "OTEL_SERVICE_NAME"),
        ("AGENTOPS_SAMPLE_RATE", "AGENTOPS_SAMPLE_RATIO"),
    ],
)
def test_a_slip_in_a_name_is_told_once_with_the_right_one(variable: str, right: str, monkeypatch: Any) -> None:
    monkeypatch.setenv(variable, "secret-value")
    with pytest.warns(UserWarning, match=f"{variable} is not a setting; did you mean {right}\\?") as told:
        agentops.init(exporters=["memory"], integrations=[])
    agentops.init(exporters=["memory"], integrations=[], restart=True)
    assert len(told) == 1
    assert told[0].filename == __file__
    assert "secret-value" not in str(told[0].message)


@pytest.mark.parametrize(
    "variable", ["agentops_capture_content", "Agentops_Capture_Content", "AGENTOPS_capture_content"]
)
def test_a_privacy_setting_in_another_case_is_told_and_captures_less(variable: str, monkeypatch: Any) -> None:
    monkeypatch.setenv(variable, "false")
    with pytest.warns(UserWarning, match=f"{variable} is not a setting; did you mean AGENTOPS_CAPTURE_CONTENT"):
        status = agentops.init(exporters=["memory"], integrations=[])
    assert status.settings["capture_content"].value is False


def test_a_name_that_resembles_none_is_told_without_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOPS_XYZZY_KWJ", "1")
    with pytest.warns(UserWarning, match=r"AGENTOPS_XYZZY_KWJ is not a setting\. It is ignored"):
        agentops.init(exporters=["memory"], integrations=[])


@pytest.mark.parametrize(
    ("variable", "text", "told"),
    [
        ("AGENTOPS_PROPAGATORS", "nobodys", "propagators is 'nobodys'; expected tracecontext, baggage, none, or one"),
        ("OTEL_PROPAGATORS", "nobodys", "propagators is 'nobodys'; expected tracecontext, baggage, none, or one"),
        ("AGENTOPS_INTEGRATIONS", "opnai", "integrations is 'opnai'; expected names of integrations: a2a, "),
        ("AGENTOPS_CONFIG", "no.toml", "'no.toml': no file that can be read; expected the path of a TOML file"),
    ],
)
def test_a_wrong_value_is_told_with_the_variable_the_value_and_what_is_right(
    variable: str, text: str, told: str, monkeypatch: Any
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.warns(UserWarning, match=f"^{variable}: {told}"):
        agentops.init(exporters=["memory"])


def test_a_propagator_that_the_program_names_must_be_there() -> None:
    with pytest.raises(agentops.ConfigError, match="propagators='nobodys': expected tracecontext, baggage, none, or"):
        agentops.init(exporters=["memory"], integrations=[], propagators=["tracecontext", "nobodys"])
    agentops.init(exporters=["memory"], integrations=[])
    with pytest.raises(agentops.ConfigError, match="propagators='nobodys'"):
        agentops.init(propagators=["nobodys"])
    assert list(value("propagators")) == ["tracecontext", "baggage"]


def test_a_slip_in_a_keyword_names_the_right_one() -> None:
    with pytest.raises(agentops.ConfigError, match="capture_content"):
        agentops.init(capture_contents=False)


def test_every_variable_that_the_code_reads_is_known() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(agentops.__file__).parent.rglob("*.py"))
    read = set(re.findall(r"\bAGENTOPS_[A-Z_]*[A-Z]\b", source))
    known = {variable for row in config.rows() for variable in row.metadata["env"]} | set(config.OTHER_VARIABLES)
    assert read - known == set()


def test_warnings_as_errors_stop_no_program(tmp_path: Path) -> None:
    code = "import agentops_sdk as a; a.init(integrations=[]); print('on' if a.status().enabled else 'off')"
    environment = {**os.environ, "AGENTOPS_CAPTURE_CONTENT": "flase", "AGENTOPS_QUEU_SIZE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "on\n"), done.stderr
    assert "capture_content is taken to be False" in done.stderr


def test_no_sink_at_all_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOPS_EXPORTERS", "none")
    assert config.resolve({}).exporters == ()
    assert config.resolve({"exporters": ["none"]}).exporters == ()
    with pytest.raises(agentops.ConfigError, match='"none" to stand alone'):
        config.resolve({"exporters": ["none", "jsonl"]})
