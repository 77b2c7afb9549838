"""Works out the tokens of a call whose reply told none: counted by its tokenizer, or estimated by a rule.

The rules for what surrounds text are those OpenAI documents: three tokens per message, one more for a
name, three that open the reply; a few per tool and parameter; pictures by tiles.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from agentops_sdk import semconv
from agentops_sdk._usage import encodings, image_tokens, token_heuristic

_PER_MESSAGE, _PER_NAME, _REPLY = 3, 1, 3
_PER_TOOL, _ALL_TOOLS = 7, 12
_FIRST_PROPERTY, _PER_PROPERTY, _PER_CHOICE, _FIRST_CHOICE = 3, 3, 3, -3
_MEDIA = ("image", "speech")
_MOST = 4_096
_known: dict[tuple[str | None, int, int], int] = {}
"""Tokens of texts by what counts them, their length and what they hash to."""
_THINKS = ("o1", "o3", "o4", "gpt-5", "gpt-6")


class _Tally:
    """Counts pieces of one call, and remembers whether a guess was among them."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.family = token_heuristic.family(model)
        name = encodings.name_for(model)
        encoding = encodings.loaded(name) if name else None
        self.exact = encoding is not None
        self.guessed = False
        if encoding is not None:
            # Special tokens in a text are text: nothing a user writes may raise.
            self._counted: Callable[[str], int] = lambda text: len(encoding.encode_ordinary(text))
        else:
            self._counted = lambda text: token_heuristic.tokens(text, model)
        self._by = name if encoding is not None else f"rule for {self.family.part}"

    def text(self, text: str) -> int:
        """Its tokens. What was said before is sent again with each turn of a conversation: it is counted once."""
        if type(text) is not str:
            return self._counted(text)
        mark = self._by, len(text), hash(text)
        count = _known.get(mark)
        if count is None:
            if len(_known) >= _MOST:
                _known.clear()
            count = _known[mark] = self._counted(text)
        return count

    def structure(self, value: Any) -> int:
        return self.text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))

    @property
    def source(self) -> str:
        return "counted" if self.exact and not self.guessed else "estimated"


def work_out(attributes: dict[str, Any]) -> None:
    """Set the tokens and their source on a call that has content; nothing if there is nothing to count.

    A call that failed before an answer used nothing that anybody knows of: it stays without tokens. Of a stream that
    had begun, and was left before the first word, the prompt was read, and is paid for.
    """
    asked = _parsed(attributes.get(semconv.INPUT_MESSAGES))
    answers = _parsed(attributes.get(semconv.OUTPUT_MESSAGES))
    embedding = attributes.get(semconv.KIND) == "embedding"
    finished = attributes.get(semconv.OUTCOME, "ok") == "ok"
    if embedding and not finished:
        return
    if not embedding and not _has_parts(answers) and not _was_left(attributes):
        return
    if attributes.get(semconv.OUTPUT_TYPE) in _MEDIA:
        return  # pictures and speech are made of tokens that no tokenizer knows
    if attributes.get(semconv.COST_UNKNOWN_REASON) == semconv.KEPT_BY_PROVIDER:
        work_out_answer(attributes)  # nobody here knows all that was read
        return
    tally = _tally_of(attributes)
    tokens_in = tokens_out = 0
    if embedding:
        tokens_in = _plain(tally, _parsed(attributes.get(semconv.INPUT)))
    else:
        system = _parsed(attributes.get(semconv.SYSTEM_INSTRUCTIONS))
        tokens_in = prompt(tally, asked, system, _parsed(attributes.get(semconv.TOOL_DEFINITIONS)))
        tokens_out = answer(tally, answers)
        if tally.model.lower().rpartition("/")[2].startswith(_THINKS):
            tally.guessed = True  # hidden reasoning is paid for, and not in the answer
    if attributes.get(semconv.TRUNCATED):
        tally.guessed = True
    if tokens_in:
        attributes[semconv.USAGE_INPUT_TOKENS] = tokens_in
    if tokens_out:
        attributes[semconv.USAGE_OUTPUT_TOKENS] = tokens_out
    if tokens_in or tokens_out:
        attributes[semconv.USAGE_SOURCE] = tally.source


def work_out_answer(attributes: dict[str, Any]) -> None:
    """Set the output tokens of a call whose input was reported, by what had been said: an estimate, and told as one."""
    tokens = answer(_tally_of(attributes), _parsed(attributes.get(semconv.OUTPUT_MESSAGES)))
    if tokens:
        attributes[semconv.USAGE_OUTPUT_TOKENS] = tokens
        attributes[semconv.USAGE_SOURCE] = "estimated"


def _tally_of(attributes: Mapping[str, Any]) -> _Tally:
    return _Tally(str(attributes.get(semconv.RESPONSE_MODEL) or attributes.get(semconv.REQUEST_MODEL) or ""))


def prompt(tally: _Tally, messages: Any, system: Any = None, tools: Any = None) -> int:
    """Tokens of what was sent: messages, system instructions, tools, pictures."""
    sum_ = 0
    for message in [{"role": "system", "parts": system}] if system else []:
        sum_ += _message(tally, message)
    for message in messages if isinstance(messages, list) else []:
        sum_ += _message(tally, message)
    sum_ += _tools(tally, tools)
    return sum_ + _REPLY + tally.family.prompt if sum_ else 0


def answer(tally: _Tally, messages: Any) -> int:
    """Tokens of what came back, every choice of it."""
    sum_ = sum(_parts(tally, message.get("parts")) for message in messages or () if isinstance(message, Mapping))
    return sum_ + tally.family.answer if sum_ else 0


def _has_parts(messages: Any) -> bool:
    return isinstance(messages, list) and any(isinstance(one, Mapping) and one.get("parts") for one in messages)


def _was_left(attributes: Mapping[str, Any]) -> bool:
    return semconv.STREAM_CHUNKS in attributes and attributes.get(semconv.OUTCOME) in ("abandoned", "cancelled")


def _message(tally: _Tally, message: Any) -> int:
    if not isinstance(message, Mapping):
        return 0
    named = message.get("name")
    extra = _PER_NAME + tally.text(named) if isinstance(named, str) else 0
    return _PER_MESSAGE + tally.text(str(message.get("role", ""))) + extra + _parts(tally, message.get("parts"))


def _parts(tally: _Tally, parts: Any) -> int:
    if isinstance(parts, str):
        return tally.text(parts)
    return sum(_part(tally, part) for part in parts) if isinstance(parts, list) else 0


def _part(tally: _Tally, part: Any) -> int:
    if not isinstance(part, Mapping):
        return tally.structure(part)
    kind = part.get("type")
    if kind in ("text", "reasoning"):
        return tally.structure(part.get("content") or "")
    if kind in ("tool_call", "server_tool_call"):
        arguments = part.get("arguments", part.get("server_tool_call"))
        return tally.family.call + tally.text(str(part.get("name", ""))) + tally.structure(arguments or "")
    if kind == "tool_call_response":
        return tally.structure(part.get("response", part.get("result")) or "")
    if kind in ("blob", "uri", "file"):
        tally.guessed = True
        if part.get("modality") == "image":
            return image_tokens.tokens(tally.model, part.get("content"))
        return 0
    return tally.structure(part)


def _tools(tally: _Tally, tools: Any) -> int:
    if not isinstance(tools, list) or not tools:
        return 0
    return _ALL_TOOLS + tally.family.tools + sum(_tool(tally, tool) for tool in tools if isinstance(tool, Mapping))


def _tool(tally: _Tally, tool: Mapping[str, Any]) -> int:
    about = str(tool.get("description") or "").rstrip(".")
    sum_ = _PER_TOOL + tally.text(f"{tool.get('name', '')}:{about}")
    schema = tool.get("parameters")
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping) or not properties:
        return sum_
    sum_ += _FIRST_PROPERTY
    for name, field in properties.items():
        if not isinstance(field, Mapping):
            continue
        text = str(field.get("description") or "").rstrip(".")
        sum_ += _PER_PROPERTY + tally.text(f"{name}:{field.get('type', '')}:{text}")
        choices = field.get("enum")
        if isinstance(choices, list):
            sum_ += _FIRST_CHOICE + sum(_PER_CHOICE + tally.text(str(choice)) for choice in choices)
    return sum_


def _plain(tally: _Tally, value: Any) -> int:
    """An embedding's input: a text, texts, or tokens that are already counted."""
    if isinstance(value, str):
        return 0 if value.startswith("data:") else tally.text(value)  # a picture has tokens of another kind
    if isinstance(value, list):
        if value and all(type(one) is int for one in value):
            return len(value)
        return sum(_plain(tally, one) for one in value)
    return 0


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
