"""Each recorded exchange is asked again through the real client of its API, by the tests of that client."""

from __future__ import annotations

import importlib
import json

import pytest
from tests.shared import shared

MODULES = ("anthropic", "bedrock", "cohere", "google_genai", "mistral", "ollama", "openai", "openai_dialect")

ELSEWHERE = {
    "complete": "anthropic 2 has no text completions: in the environment of the oldest version",
}
"""APIs whose exchanges are asked again in another environment than this one, and why."""


def test_no_exchange_is_left_out() -> None:
    folder = shared("recorded")
    if folder is None:
        pytest.skip("the recorded exchanges are not beside this checkout")
    recorded = {}
    for path in folder.glob("*/*.json"):
        exchange = json.loads(path.read_text())
        recorded[exchange["id"]] = exchange["api"]
    asked = {
        exchange["id"]
        for module in MODULES
        for exchange in importlib.import_module(f"tests.{module}.test_recorded").EXCHANGES
    }
    assert {name: api for name, api in recorded.items() if name not in asked} == {}
    assert set(ELSEWHERE) <= set(recorded.values())
