"""The whole of what OpenTelemetry's scenario programs ask for is there, in both states, and nothing is wrong."""

from __future__ import annotations

import pytest
from tests.conformance.client_scenarios import CLIENT_SCENARIOS
from tests.conformance.providers import measured
from tests.conformance.scenarios import SCENARIOS

LIBRARIES = {
    "openai": "openai", "langchain": "langchain_openai", "anthropic": "anthropic", "google_genai": "google.genai",
    "bedrock": "boto3",
}  # fmt: skip
"""What the programs of a package need."""


@pytest.mark.parametrize("state", ["pin", "main"])
@pytest.mark.parametrize("package", LIBRARIES)
def test_all_is_there_and_nothing_is_wrong(package: str, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(LIBRARIES[package], reason=f"{package} is not installed")
    programs = [program for program in (*SCENARIOS, *CLIENT_SCENARIOS) if program.package == package]
    measure = measured(programs, state, [package, *(["openai"] if package == "langchain" else [])], monkeypatch)
    assert (measure.missing, measure.wrong) == ({}, {})
