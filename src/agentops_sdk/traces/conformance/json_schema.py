"""As much of JSON Schema as the conventions' schemas use: a few words, and where a document breaks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["errors", "first_error"]

_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "object": dict, "array": list, "string": str, "number": (int, float), "integer": int, "boolean": bool,
    "null": type(None),
}  # fmt: skip
_DEEPEST: Final = 60


def errors(document: Any, schema: dict[str, Any]) -> list[tuple[str, str]]:
    """Where and by which word of the schema a document breaks it: ``[("$[0].role", "required")]``; empty if it fits.

    Of alternatives that all fail, the last one tells why. What is described in another document may be anything.
    """
    return [(path, word) for path, word, _ in _errors(document, schema, schema, "$", 0)]


def first_error(document: Any, schema: dict[str, Any]) -> str | None:
    """The first of them in words; ``None`` if the document fits."""
    return next((f"{path} {why}" for path, _, why in _errors(document, schema, schema, "$", 0)), None)


def _errors(value: Any, schema: Any, root: dict[str, Any], path: str, depth: int) -> Iterator[tuple[str, str, str]]:
    """Path, word of the schema, and what is wrong there."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return
    reference = schema.get("$ref")
    if reference is not None:
        if reference.startswith("#/$defs/"):
            yield from _errors(value, root["$defs"][reference.removeprefix("#/$defs/")], root, path, depth + 1)
        return
    if "type" in schema and not _is_a(value, schema["type"]):
        yield path, "type", f"is no {schema['type']}"
        return
    if "const" in schema and value != schema["const"]:
        yield path, "const", f"is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield path, "enum", f"is none of {', '.join(map(str, schema['enum']))}"
    broken = [list(_errors(value, one, root, path, depth + 1)) for one in schema.get("anyOf", ())]
    if broken and all(broken):
        yield broken[-1][0]  # the last alternative is the most general
    if isinstance(value, dict) and (lacking := [name for name in schema.get("required", ()) if name not in value]):
        yield path, "required", f"lacks {', '.join(lacking)}"
    for step, member, inner in _members(value, schema):
        yield from _errors(member, inner, root, path + step, depth + 1)


def _members(value: Any, schema: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What is inside a value, where, and by which schema."""
    if isinstance(value, dict):
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                yield f".{name}", value[name], inner
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield f"[{index}]", item, schema.get("items")


def _is_a(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])
