"""An exception as plain data: taken on the user's thread without running user code, formatted later.

``str(error)`` may run a user's ``__str__`` and ``traceback`` reads source files; neither belongs on
the user's path. So the type, the arguments and the frames are copied here, and
:meth:`Failure.attributes` makes the conventions' ``exception.*`` attributes on the consumer thread.
"""

from __future__ import annotations

import linecache
import textwrap
import types

from agentops_sdk import semconv
from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk._propagation.privacy import marked
from agentops_sdk._snapshot.data_fields import derives, one_of
from agentops_sdk._snapshot.data_fields import type_name as class_name
from agentops_sdk._snapshot.snapshot import text_of
from agentops_sdk._snapshot.text import clip

_MAX_CHAIN = 8
_MAX_EXCEPTIONS = 24
_MAX_MEMBERS = 10
_MAX_MEMBER_MESSAGE = 500
_MAX_FRAMES = 50
_MAX_MESSAGE = 8_192
_LARGEST_BITS = 2_048  # writing an int in decimal takes quadratic time, and beyond some digits Python refuses
_PLAIN = (str, int, float, bool, type(None))


# The C getters: a subclass may have put a property of its own, which may raise or hang, in their place.
_args, _cause, _context, _suppressed, _traceback = (
    BaseException.__dict__[name].__get__
    for name in ("args", "__cause__", "__context__", "__suppress_context__", "__traceback__")
)
_files = tuple(OSError.__dict__[name].__get__ for name in ("filename", "filename2"))
_members, _group_message = (BaseExceptionGroup.__dict__[name].__get__ for name in ("exceptions", "message"))


class _Frame(NamedTuple):
    file: str
    line: int
    function: str


class _Link(NamedTuple):
    """One exception: ``before`` is what it came from, by way of ``relation``; a group has members, ``size`` of them."""

    type: str
    message: str
    frames: tuple[_Frame, ...]
    relation: str = ""
    before: _Link | None = None
    members: tuple[_Link, ...] = ()
    size: int = 0


_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


class Failure:
    """What is kept of an exception: types, messages and frames of all that led to it, and nothing of the user's.

    Attributes:
        message: the exception's; an exception group's ends with the types and messages of its members. Nothing where
            anything that led to it comes out of ``private()``.
    """

    __slots__ = ("_link", "_private", "message")

    def __init__(self, error: BaseException) -> None:
        copy = _Copy()
        self._link = copy.link(error)
        self._private = copy.private
        self.message = "" if copy.private else clip(_with_members(self._link), _MAX_MESSAGE)

    @property
    def type(self) -> str:
        """Qualified name of the exception's class, the builtins' without their module."""
        return self._link.type

    def attributes(self) -> dict[str, str]:
        """``exception.type``, ``.message`` and ``.stacktrace``; reads source files for the stack's lines."""
        if self._private:
            return {semconv.EXCEPTION_TYPE: self.type}
        return {
            semconv.EXCEPTION_TYPE: self.type,
            semconv.EXCEPTION_MESSAGE: self.message,
            semconv.EXCEPTION_STACKTRACE: _text(self._link),
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
    if issubclass(type(error), BaseExceptionGroup):
        size = len(_members(error))
        return f"{clip(text_of(_group_message(error)), _MAX_MESSAGE)} ({size} sub-exception{'s' if size != 1 else ''})"
    args = _args(error)
    if all(one_of(type(arg), _PLAIN) for arg in args) and _builtin_str(type(error)):
        if len(args) == 1 and type(args[0]) is str and not derives(type(error), KeyError):
            return clip(args[0], _MAX_MESSAGE)
        if not any(type(arg) is int and arg.bit_length() > _LARGEST_BITS for arg in args) and _plain_file(error):
            return clip(str(error), _MAX_MESSAGE)
    return clip(", ".join(text_of(arg) if one_of(type(arg), _PLAIN) else f"<{class_name(type(arg))}>" for arg in args),
                _MAX_MESSAGE)  # fmt: skip


def _plain_file(error: BaseException) -> bool:
    """Whether the file that an ``OSError`` names, which its text shows by ``repr``, is plain as well."""
    return not derives(type(error), OSError) or all(one_of(type(file(error)), _PLAIN) for file in _files)


def _builtin_str(cls: type) -> bool:
    for base in cls.__mro__:
        method = base.__dict__.get("__str__")
        if method is not None:
            return isinstance(method, types.WrapperDescriptorType)
    return False


class _Copy:
    """Copies what led to one exception, each part of it once, and of very many the first."""

    def __init__(self) -> None:
        self.private = False
        self._seen: set[int] = set()
        self._left = _MAX_EXCEPTIONS

    def link(self, error: BaseException, relation: str = "", chain: int = _MAX_CHAIN) -> _Link:
        self.private = self.private or marked(error)
        self._seen.add(id(error))
        self._left -= 1
        before, related = _cause(error), _CAUSE
        if before is None and not _suppressed(error):
            before, related = _context(error), _CONTEXT
        earlier = None
        if before is not None and chain > 1 and self._may(before):
            earlier = self.link(before, related, chain - 1)
        members: tuple[BaseException, ...] = _members(error) if issubclass(type(error), BaseExceptionGroup) else ()
        inner = [
            self.link(member, "", chain - 1) for member in members[:_MAX_MEMBERS] if chain > 1 and self._may(member)
        ]
        return _Link(type_name(error), message_of(error), _frames(error), relation, earlier, tuple(inner), len(members))

    def _may(self, error: BaseException) -> bool:
        return self._left > 0 and id(error) not in self._seen


def _with_members(link: _Link) -> str:
    """A message, and after it in brackets what a group holds."""
    if not link.size:
        return link.message
    inner = [f"{one.type}: {message}" if (message := _short(one)) else one.type for one in link.members]
    if more := link.size - len(inner):
        inner.append(f"{more} more")
    return f"{link.message} [{'; '.join(inner)}]"


def _short(link: _Link) -> str:
    message = _with_members(link)
    return message if len(message) <= _MAX_MEMBER_MESSAGE else message[: _MAX_MEMBER_MESSAGE - 1] + "…"


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
    """An exception as Python prints it: first what it came from; below it, indented, what a group holds."""
    text = _text(link.before) + link.before.relation if link.before is not None else ""
    lines = [text, "Traceback (most recent call last):\n" if link.frames else ""]
    for frame in link.frames:
        lines.append(f'  File "{frame.file}", line {frame.line}, in {frame.function}\n')
        source = linecache.getline(frame.file, frame.line).strip()
        if source:
            lines.append(f"    {source}\n")
    lines.append(f"{link.type}: {link.message}\n" if link.message else f"{link.type}\n")
    for number, member in enumerate(link.members, 1):
        lines.append(f"  Member {number} of {link.size}:\n")
        lines.append(textwrap.indent(_text(member), "    "))
    if link.members and (more := link.size - len(link.members)):
        lines.append(f"  {more} more\n")
    return "".join(lines)
