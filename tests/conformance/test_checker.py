"""``agentops doctor --conformance``: its data, its rules, its formats."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from tests.shared import shared

from agentops_sdk._pipeline.registry import find_integrations
from agentops_sdk.cli import main
from agentops_sdk.traces.conformance import check, json_schema
from agentops_sdk.traces.conformance.conventions import schema_of, span_types
from agentops_sdk.traces.conformance.span_rules import Span

ROOT = Path(__file__).parents[2]
SEMCONV = shared("semconv")
needs_data = pytest.mark.skipif(SEMCONV is None, reason="../shared/semconv is missing")

CHAT = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o", "gen_ai.response.finish_reasons": ["stop"], "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 2, "server.address": "api.openai.com", "server.port": 443,
}  # fmt: skip


def chat(name: str = "chat gpt-4o", kind: str = "CLIENT", failed: bool = False, **more: Any) -> Span:
    attributes = {**CHAT, **{key.replace("__", "."): value for key, value in more.items()}}
    kept = {key: value for key, value in attributes.items() if value is not None}
    return Span(name, kind, failed, not failed, kept)


def script() -> Any:
    spec = importlib.util.spec_from_file_location("conformance_data", ROOT / "scripts" / "conformance_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@needs_data
def test_what_is_shipped_is_what_the_conventions_say() -> None:
    assert SEMCONV is not None
    made = script()
    assert made.WRITTEN.read_text() == made.text(SEMCONV)


@needs_data
def test_documents_break_the_schemas_where_they_should() -> None:
    assert SEMCONV is not None
    names = {f"gen-ai-{file}.json": name for name, file in script()._SCHEMAS.items()}
    cases = [case for case in json.loads((SEMCONV / "schema-cases.json").read_text())["cases"] if case["era"] == "main"]
    assert len(cases) > 10
    for case in cases:
        schema = schema_of(names[case["schema"]])
        assert schema is not None
        found = json_schema.errors(case["document"], schema)
        assert sorted(found) == sorted((one["path"], one["keyword"]) for one in case["errors"]), case["name"]


def test_every_integration_was_held_against_both_states_and_breaks_nothing() -> None:
    rows = json.loads((ROOT / "docs" / "conformance.json").read_text())
    assert {*find_integrations()} - {*rows} == set(), "run tests/conformance/collect.py over its tests"
    for name, kinds in rows.items():
        for kind, states in kinds.items():
            found = {state: one["violations"] for state, one in states.items()}
            assert found == {"pin": 0, "main": 0}, (name, kind)


def test_each_rule_finds_its_own_violation() -> None:
    message = '[{"role": "user"}]'
    for span, rule, where in (
        (chat(gen_ai__request__max_tokens="10"), "type", "gen_ai.request.max_tokens"),
        (chat(gen_ai__request__stream=1), "type", "gen_ai.request.stream"),
        (chat(gen_ai__request__seed=True), "type", "gen_ai.request.seed"),
        (chat(gen_ai__response__finish_reasons="stop"), "type", "gen_ai.response.finish_reasons"),
        (chat(gen_ai__output__type="xml"), "value", "gen_ai.output.type"),
        (chat(gen_ai__input__messages=message), "schema", "gen_ai.input.messages"),
        (chat(gen_ai__input__messages="Hello"), "schema", "gen_ai.input.messages"),
        (chat(gen_ai__usage__cache_write__input_tokens=1), "state", "gen_ai.usage.cache_write.input_tokens"),
        (chat(gen_ai__system="openai"), "deprecated", "gen_ai.system"),
        (chat(gen_ai__invented="x"), "unknown", "gen_ai.invented"),
        (chat(kind="SERVER"), "span kind", "gen_ai.inference.client"),
        (chat(name="OpenAI.chat"), "span name", "gen_ai.inference.client"),
    ):
        report = check([span], "pin")
        (found,) = report.kinds["gen_ai.inference.client"].violations
        assert (found.rule, found.where) == (rule, where)
        assert (report.score or 0) < 100


def test_what_is_right_is_right_and_what_is_missing_is_told() -> None:
    assert check([chat(gen_ai__provider__name="together", gen_ai__usage__cache_read__input_tokens=1)]).score == 100
    failed = check([chat(failed=True, gen_ai__response__model=None, gen_ai__usage__output_tokens=None)])
    assert dict(failed.kinds["gen_ai.inference.client"].missing) == {"error.type": 1}
    # Content is asked for once a span of the file has any.
    content = '[{"role": "assistant", "parts": []}]'
    report = check([chat(), chat(gen_ai__input__messages=content, gen_ai__output__messages=content)])
    assert dict(report.kinds["gen_ai.inference.client"].missing) == {
        "gen_ai.input.messages": 1, "gen_ai.output.messages": 1,
    }  # fmt: skip


def test_the_state_is_the_one_whose_names_are_used() -> None:
    report = check([chat(gen_ai__usage__cache_write__input_tokens=1)])
    assert (report.state, report.violations, *report.kinds) == ("main", 0, "gen_ai.client.inference")
    assert {one.short for one in span_types("pin")} == {one.short for one in span_types("main")}


def test_a_file_of_somebody_elses_is_read_with_its_own_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs: dict[str, Any] = {
        "gen_ai.operation.name": {"stringValue": "chat"}, "gen_ai.system": {"stringValue": "openai"},
        "gen_ai.request.model": {"stringValue": "gpt-4o"}, "gen_ai.usage.prompt_tokens": {"intValue": "3"},
        "gen_ai.request.temperature": {"doubleValue": 1},
    }  # fmt: skip
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "chat gpt-4o", "kind": 3,
        "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000",
        "attributes": [{"key": key, "value": value} for key, value in pairs.items()],
    }  # fmt: skip
    document = {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "other"}, "spans": [span]}]}]}
    for name, text in {"line.jsonl": json.dumps(document), "whole.json": json.dumps(document, indent=2)}.items():
        (tmp_path / name).write_text(text)
        assert main(["doctor", "--conformance", str(tmp_path / name), "--json"]) == 1
        report = json.loads(capsys.readouterr().out)
        (kind,) = report["kinds"]
        assert [(one["rule"], one["where"]) for one in kind["violations"]] == [
            ("deprecated", "gen_ai.system"), ("deprecated", "gen_ai.usage.prompt_tokens"),
        ]  # fmt: skip
        assert "gen_ai.provider.name" in kind["missing"]
    assert main(["doctor", "--conformance", str(tmp_path / "line.jsonl"), "--semconv", "main"]) == 1
    shown = capsys.readouterr().out
    assert "  WRONG gen_ai.system: write gen_ai.provider.name (deprecated; 1x)" in shown
    assert "2 violations" in shown
    assert main(["doctor", "--conformance", str(tmp_path / "none.jsonl")]) == 1
    del pairs["gen_ai.system"], pairs["gen_ai.usage.prompt_tokens"]
    span["attributes"] = [{"key": key, "value": value} for key, value in pairs.items()]
    (tmp_path / "lacks.json").write_text(json.dumps(document))
    assert main(["doctor", "--conformance", str(tmp_path / "lacks.json")]) == 1
    assert "0 violations, 1x a required attribute is missing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("recorder", "code", "told"),
    [
        ("openinference.jsonl", 1, ["names of OpenInference in place of the conventions'", "no score, for no span"]),
        ("mlflow.json", 1, ["names of MLflow in place of the conventions' (5x)", "no score, for no span"]),
        ("vercel_ai.json", 1, ["missing gen_ai.operation.name, by which a span is known to be of a type (3x)"]),
        ("logfire.jsonl", 1, ["WRONG gen_ai.tool.definitions: $[0] lacks name (schema; 2x)", "score 36 of 100"]),
        (
            "strands.jsonl", 1,
            ["no such attribute; perhaps gen_ai.usage.cache_read.input_tokens (unknown; 2x)", "score 0 of 100"],
        ),
        ("openllmetry.jsonl", 1, ["'openai.chat' in place of 'chat gpt-4o-mini' (span name; 2x)"]),
        ("claude_code.jsonl", 0, ["missing server.address (recommended; 2x)", "score 90 of 100: 4 spans"]),
    ],
)  # fmt: skip
def test_files_of_real_recorders_are_told_what_to_write(
    recorder: str, code: int, told: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--conformance", str(ROOT / "tests" / "reading" / "fixtures" / recorder)]) == code
    shown = capsys.readouterr().out
    assert [words for words in told if words not in shown] == []
