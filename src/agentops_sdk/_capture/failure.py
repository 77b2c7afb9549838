"""An exception as plain data: taken on the user's thread without running user code, formatted later.

``str(error)`` may run a user's ``__str__`` and ``traceback`` reads source files; neither belongs on
the user's path. So the type, the arguments and the frames are copied here, and
:meth:`Failure.attributes` makes the conventions' ``exception.*`` attributes on the consumer thread.
"""

from __future__ import annotations

import linecache
import types
from typing import NamedTuple

from agentops_sdk import semconv

_MAX_CHAIN = 8
_MAX_FRAMES = 50
_MAX_MESSAGE = 8_192
_PLAIN = (str, int, float, bool, type(None))


# The C getters: a subclass may have put a property of its own, which may raise or hang, in their place.
_args, _cause, _context, _suppressed, _traceback = (
    BaseException.__dict__[name].__get__
    for name in ("args", "__cause__", "__context__", "__suppress_context__", "__traceback__")
)
_members = BaseExceptionGroup.__dict__["exceptions"].__get__


class _Frame(NamedTuple):
    file: str
    line: int
    function: str


class _Link(NamedTuple):
    type: str
    message: str
    frames: tuple[_Frame, ...]
    relation: str


_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"
_MEMBER = "\nMember of the exception group above:\n\n"


class Failure:
    """What is kept of an exception: a chain of types, messages and frames, and nothing of the user's."""

    __slots__ = ("chain",)

    def __init__(self, error: BaseException) -> None:
        self.chain = _chain(error)

    @property
    def type(self) -> str:
        """Qualified name of the exception's class, the builtins' without their module."""
        return self.chain[0].type

    @property
    def message(self) -> str:
        return self.chain[0].message

    def attributes(self) -> dict[str, str]:
        """``exception.type``, ``.message`` and ``.stacktrace``; reads source files for the stack's lines."""
        links = list(self.chain)
        own, members = [links[0]], [link for link in links[1:] if link.relation is _MEMBER]
        ancestors = [link for link in links[1:] if link.relation is not _MEMBER]
        text = "".join(_text(link) + link.relation for link in reversed(ancestors))
        text += "".join(_text(link) for link in own) + "".join(_MEMBER + _text(link) for link in members)
        return {
            semconv.EXCEPTION_TYPE: self.type,
            semconv.EXCEPTION_MESSAGE: self.message,
            semconv.EXCEPTION_STACKTRACE: text,
        }


def type_name(error: BaseException) -> str:
    """Qualified class name as ``error.type`` has it: ``TimeoutError``, ``openai.RateLimitError``."""
    cls = type(error)
    module = cls.__dict__.get("__module__", getattr(cls, "__module__", "builtins"))
    if module == "builtins" or not isinstance(module, str):
        return cls.__qualname__
    return f"{module}.{cls.__qualname__}"


def message_of(error: BaseException) -> str:
    """The exception's message where it can be had without running Python code of the user's."""
    args = _args(error)
    plain = all(type(arg) in _PLAIN for arg in args)
    if plain and _builtin_str(type(error)):
        return str(error)[:_MAX_MESSAGE]
    return ", ".join(str(arg) if type(arg) in _PLAIN else f"<{type(arg).__name__}>" for arg in args)[:_MAX_MESSAGE]


def _builtin_str(cls: type) -> bool:
    for base in cls.__mro__:
        method = base.__dict__.get("__str__")
        if method is not None:
            return isinstance(method, types.WrapperDescriptorType)
    return False


def _chain(error: BaseException) -> tuple[_Link, ...]:
    links: list[_Link] = []
    seen: set[int] = set()
    waiting: list[tuple[BaseException, str]] = [(error, "")]
    while waiting and len(links) < _MAX_CHAIN:
        current, relation = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        links.append(_Link(type_name(current), message_of(current), _frames(current), relation))
        if issubclass(type(current), BaseExceptionGroup):
            waiting.extend((member, _MEMBER) for member in _members(current))
        if (cause := _cause(current)) is not None:
            waiting.append((cause, _CAUSE))
        elif (before := _context(current)) is not None and not _suppressed(current):
            waiting.append((before, _CONTEXT))
    return tuple(links)


def _frames(error: BaseException) -> tuple[_Frame, ...]:
    frames: list[_Frame] = []
    step = _traceback(error)
    while step is not None:
        code = step.tb_frame.f_code
        frames.append(_Frame(code.co_filename, step.tb_lineno, code.co_name))
        step = step.tb_next
        if len(frames) > 2 * _MAX_FRAMES:  # keep both ends of a runaway recursion
            del frames[_MAX_FRAMES]
    return tuple(frames)


def _text(link: _Link) -> str:
    lines = ["Traceback (most recent call last):\n"] if link.frames else []
    for frame in link.frames:
        lines.append(f'  File "{frame.file}", line {frame.line}, in {frame.function}\n')
        source = linecache.getline(frame.file, frame.line).strip()
        if source:
            lines.append(f"    {source}\n")
    lines.append(f"{link.type}: {link.message}\n" if link.message else f"{link.type}\n")
    return "".join(lines)
