"""Values leave in the types that the conventions give them, whatever a program or a server wrote."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.spans import wrong
from tests.seen import Seen

from agentops_sdk.integration import start


@pytest.mark.parametrize(
    ("name", "written", "leaves"),
    [
        ("gen_ai.request.top_k", 40.0, 40),
        ("gen_ai.request.max_tokens", "128", 128),
        ("gen_ai.request.temperature", 1, 1.0),
        ("gen_ai.response.id", 7, "7"),
        ("gen_ai.request.stop_sequences", "end", ["end"]),
        ("gen_ai.request.stop_sequences", ("a", 1), ["a", "1"]),
        ("gen_ai.request.seed", 1.5, None),
        ("gen_ai.request.max_tokens", True, None),
        ("gen_ai.request.temperature", "warm", None),
        ("gen_ai.request.stream", "yes", None),
        ("gen_ai.request.top_p", "nan", None),
        ("gen_ai.output.type", "b64_json", None),
    ],
)
def test_a_value_has_its_type_or_stands_elsewhere(seen: Seen, name: str, written: Any, leaves: Any) -> None:
    call = start("llm", "m", attributes={"gen_ai.request.model": "m", "gen_ai.provider.name": "p", name: written})
    call.finish()
    attributes = seen.one("chat m").attributes
    value = attributes.get(name)
    assert (list(value) if isinstance(value, tuple) else value) == leaves
    assert type(value) is not bool
    assert (f"agentops.invalid.{name}" in attributes) == (leaves is None and name != "gen_ai.output.type")
    assert wrong(seen.all()) == []
