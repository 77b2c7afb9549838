"""Rewrite what ``agentops doctor --conformance`` knows of the conventions, from their data in a folder.

    python scripts/conformance_data.py FOLDER

FOLDER holds ``coverage-model.pin.json``, ``coverage-model.main.json``, ``attributes.json`` and ``schemas/``. What is
written is small: names, types, levels and schemas, without a word of description.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

WRITTEN = Path(__file__).parents[1] / "src" / "agentops_sdk" / "traces" / "conformance" / "conventions.json"
_WORDS = ("description", "title", "default", "$comment", "examples")
_SCHEMAS = {
    "gen_ai.input.messages": "input-messages",
    "gen_ai.output.messages": "output-messages",
    "gen_ai.system_instructions": "system-instructions",
    "gen_ai.tool.definitions": "tool-definitions",
    "gen_ai.retrieval.documents": "retrieval-documents",
    "gen_ai.memory.records": "memory-records",
    "gen_ai.tool.call.arguments": "tool-call-arguments",
    "gen_ai.tool.call.result": "tool-call-result",
}


def compact(folder: Path) -> dict[str, Any]:
    """The data as the package ships it."""
    attributes = json.loads((folder / "attributes.json").read_text())["attributes"]
    states = {state: json.loads((folder / f"coverage-model.{state}.json").read_text()) for state in ("pin", "main")}
    return {
        "attributes": {
            name: {
                key: value
                for key, value in {
                    "type": fact["type"], "status": fact["status"], "in": fact.get("in", []),
                    "enum": fact.get("enum"), "replaced_by": fact.get("replaced_by"),
                }.items()
                if value
            }
            for name, fact in attributes.items()
        },
        "spans": {
            state: {
                name: {"kind": span["kind"], "attributes": span["attributes"]}
                for name, span in model["spans"].items()
            }
            for state, model in states.items()
        },
        "schemas": {
            name: _without_words(json.loads((folder / "schemas" / f"gen-ai-{file}.json").read_text()))
            for name, file in _SCHEMAS.items()
        },
    }  # fmt: skip


def text(folder: Path) -> str:
    """What the file holds."""
    return json.dumps(compact(folder), separators=(",", ":"), sort_keys=True) + "\n"


def _without_words(schema: Any, named: bool = False) -> Any:
    """A schema without what is for people; ``named``: its keys are names of properties, not words of JSON Schema."""
    if isinstance(schema, list):
        return [_without_words(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_words(value, key in ("properties", "$defs") and not named)
        for key, value in schema.items()
        if named or key not in _WORDS
    }


if __name__ == "__main__":
    WRITTEN.write_text(text(Path(sys.argv[1])), encoding="utf-8")
