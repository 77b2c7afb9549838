"""Prompts that were rendered of late, by their text: the span of a model call that holds one names it.

Written where a prompt is rendered, read on the consumer thread. A call is named after a prompt only if the prompt's
text stands in what the model was given, whatever carried it there. Bounded by number and by size.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from agentops_sdk import semconv

__all__ = ["forget", "note", "prompt_of"]

_MOST: Final = 512
_MOST_BYTES: Final = 4 * 1_048_576
_SHORTEST_PART: Final = 24
"""A shorter text names a call only where it is a whole message: within others it may stand by chance."""
_rendered: OrderedDict[str, Mapping[str, Any]] = OrderedDict()
_size = 0
_lock = threading.Lock()
is_any = False
"""Whether a prompt has been rendered: where none was, nobody has to look for one."""


def note(text: str, attributes: Mapping[str, Any]) -> None:
    """A prompt was rendered.

    Args:
        text: what came of it.
        attributes: by which spans name it.
    """
    global _size, is_any
    key = text.strip()
    if not key or len(key) > _MOST_BYTES:
        return
    with _lock:
        if key not in _rendered:
            _size += len(key)
        _rendered[key] = attributes
        is_any = True
        _rendered.move_to_end(key)
        while len(_rendered) > _MOST or _size > _MOST_BYTES:
            _size -= len(_rendered.popitem(last=False)[0])


def forget() -> None:
    """Forget all of them."""
    global _size, is_any
    with _lock:
        _rendered.clear()
        _size, is_any = 0, False


def prompt_of(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attributes of the prompt that a model call was made with; none where no prompt's text stands in it."""
    with _lock:
        known = list(reversed(_rendered.items()))
    texts = {text.strip() for text in _texts(attributes)}
    for text, told in known:
        if text in texts:
            return told
    for text, told in known:
        if len(text) >= _SHORTEST_PART and any(text in whole for whole in texts):
            return told
    return {}


def _texts(attributes: Mapping[str, Any]) -> Iterator[str]:
    """Every text that the model was given as instructions or messages."""
    stack = [attributes.get(semconv.SYSTEM_INSTRUCTIONS), attributes.get(semconv.INPUT_MESSAGES)]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            if item[:1] in ("[", "{"):
                try:
                    stack.append(orjson.loads(str.__str__(item)))
                    continue
                except ValueError:
                    pass
            yield str.__str__(item)
        elif isinstance(item, dict):
            stack += [item.get("content"), item.get("parts")]
        elif isinstance(item, list | tuple):
            stack.extend(item)
