"""What left the building: exported spans as plain attributes, and the schemas their JSON must satisfy."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from tests.conformance.spans import check
from tests.shared import shared

from agentops_sdk.traces.conformance.span_rules import state_only_names

_OF = {
    "gen_ai.input.messages": "gen-ai-input-messages.json",
    "gen_ai.output.messages": "gen-ai-output-messages.json",
    "gen_ai.system_instructions": "gen-ai-system-instructions.json",
    "gen_ai.tool.definitions": "gen-ai-tool-definitions.json",
    "gen_ai.retrieval.documents": "gen-ai-retrieval-documents.json",
}


class Seen:
    """One exported span."""

    def __init__(self, span: Any) -> None:
        self.span = span
        self.name: str = span.name
        self.attributes: dict[str, Any] = dict(span.attributes or {})
        check_schemas(self.attributes)
        check([span], "main" if semconv_of_main(self.attributes) else None)

    def __getitem__(self, name: str) -> Any:
        return self.attributes[name]

    def get(self, name: str) -> Any:
        return self.attributes.get(name)

    def json(self, name: str) -> Any:
        return json.loads(self.attributes[name])

    @property
    def outcome(self) -> str:
        return str(self.attributes["agentops.outcome"])

    @property
    def output(self) -> list[dict[str, Any]]:
        return list(self.json("gen_ai.output.messages")) if "gen_ai.output.messages" in self.attributes else []

    @property
    def parts(self) -> list[dict[str, Any]]:
        return [part for message in self.output for part in message["parts"]]

    @property
    def text(self) -> str:
        return "".join(part["content"] for part in self.parts if part["type"] == "text")

    @property
    def calls(self) -> list[tuple[str, Any]]:
        return [(part["name"], part["arguments"]) for part in self.parts if part["type"] == "tool_call"]


def semconv_of_main(attributes: dict[str, Any]) -> bool:
    """Whether a span has names of the newer state alone."""
    own = state_only_names("main") & attributes.keys()
    return bool(own) and "gen_ai.usage.cache_creation.input_tokens" not in attributes


@cache
def _validator(name: str) -> Any:
    import jsonschema

    folder = shared("semconv")
    if folder is None:
        return None
    return jsonschema.Draft202012Validator(json.loads((folder / "schemas" / name).read_text()))


def check_schemas(attributes: dict[str, Any]) -> None:
    """Structured attributes are JSON text of the conventions' schemas (where those are at hand)."""
    for name, schema in _OF.items():
        if name in attributes:
            value = json.loads(attributes[name])
            validator = _validator(schema)
            if validator is not None:
                validator.validate(value)
