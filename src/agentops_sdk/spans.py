"""Spans by hand: ``span()`` around a block, and what is current inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any

from agentops_sdk import semconv
from agentops_sdk._capture.call import NULL_CALL, Call, NullCall
from agentops_sdk._capture.current import current_call
from agentops_sdk._capture.invalid_values import Check, is_text
from agentops_sdk._capture.start import start
from agentops_sdk._host import admission
from agentops_sdk._host.guard import guard
from agentops_sdk._snapshot.snapshot import text_of
from agentops_sdk._snapshot.text import encodable
from agentops_sdk._track.span_handle import NULL_SPAN, Span, plain

__all__ = ["Span", "current_span", "current_trace_id", "span", "update_current_span"]


class span:  # noqa: N801 - a context manager that reads as a statement
    """``with span("name", kind="tool") as step:`` records a block; ``async with`` does the same.

    Never raises into the block, ends with the block's true outcome, and lets its exceptions pass. Where
    :class:`limits` are set, one that is a model or tool call may raise ``LimitExceeded`` before the block begins.
    One object may be entered many times, also nested and from several threads.

    Args:
        name: of the step, agent, tool …
        kind: ``agent, workflow, task, tool, llm, embedding, retriever, memory, plan, guardrail, decision, span``.
        attributes: recorded as they are; structures become JSON.

    A ``kind`` that is none of these makes a ``span``; like a name that is not a string it is marked in
    ``agentops.invalid`` and told once in the log.
    """

    def __init__(self, name: str, *, kind: str = "task", **attributes: Any) -> None:
        self._kind, self._name, self._attributes = "span", "span", attributes
        self._marks: dict[str, Any] = {}
        with guard("span.init"):
            check = Check("span()")
            self._name = check.name("name", name)
            if type(kind) is str and kind in semconv.KINDS:
                self._kind = kind
            elif is_text(kind) and text_of(kind) in semconv.KINDS:
                self._kind = text_of(kind)
            else:
                check.note("kind", kind, "one of " + ", ".join(semconv.KINDS), keep=True)
            self._marks = check.attributes
        self._entered: list[tuple[Call | NullCall, Any]] = []

    def __enter__(self) -> Span:
        call, token = self._begun()
        if call.recording and (answer := admission.answered("span.limits", call)) is not None:
            admission.insist("span.limits", answer, partial(_stop, call, token))
        return self._into(call, token)

    def _begun(self) -> tuple[Call | NullCall, Any]:
        call: Call | NullCall = NULL_CALL
        token: Any = None
        with guard("span.enter"):
            attributes = {encodable(str.__str__(name)): plain(value) for name, value in self._attributes.items()}
            attributes.update(self._marks)
            call = start(self._kind, self._name, attributes=attributes)
            token = call.attach()
        return call, token

    def _into(self, call: Call | NullCall, token: Any) -> Span:
        self._entered.append((call, token))
        return Span(call) if call.recording else NULL_SPAN

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        call, token = self._left()
        if not call.recording:
            return
        with guard("span.exit"):
            call.detach(token)
        if error is None:
            call.finish()
        else:
            call.fail(error)

    def _left(self) -> tuple[Call | NullCall, Any]:
        """What was entered last, here: entered in several threads or tasks, each leaves its own."""
        if len(self._entered) > 1:
            current = current_call()
            for index in range(len(self._entered) - 1, -1, -1):
                if self._entered[index][0] is current:
                    return self._entered.pop(index)
        return self._entered.pop() if self._entered else (NULL_CALL, None)

    async def __aenter__(self) -> Span:
        call, token = self._begun()
        if call.recording and (answer := admission.answered("span.limits", call)) is not None:
            await admission.insist_async("span.limits", answer, partial(_stop, call, token))
        return self._into(call, token)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)


def _stop(call: Call | NullCall, token: Any, error: BaseException) -> None:
    """The block is not begun."""
    with guard("span.enter"):
        call.detach(token)
    call.fail(error)


trace = span
"""Another spelling, as some know it from elsewhere: it works, and what is written here uses the one name."""


def current_span() -> Span:
    """The innermost live span; if there is none, a span that records nothing."""
    call = current_call()
    return Span(call) if call is not None and not call.ended else NULL_SPAN


def current_trace_id() -> str | None:
    """The current trace id as 32 hexadecimal digits, for logs and support tickets; ``None`` outside any trace."""
    from opentelemetry.trace import format_trace_id, get_current_span

    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else None


def update_current_span(
    *,
    name: str | None = None,
    input: Any = None,  # noqa: A002 - the word for it
    output: Any = None,
    tags: Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    **attributes: Any,
) -> None:
    """Add to the innermost live span; does nothing where there is none.

    Args:
        name: replaces the span's name.
        input: what went in, recorded like a captured argument.
        output: what came out; a decorated function's result, once it returns, takes its place.
        tags: replaces the span's tags.
        metadata: recorded below ``agentops.metadata.``.
        attributes: recorded by their own names.
    """
    here = current_span()
    if not here.recording:
        return
    with guard("update_current_span"):
        check = Check("update_current_span()")
        if name is not None:
            here.rename(name)
        if input is not None:
            here.set_input(input)
        if output is not None:
            here.set_output(output)
        if tags is not None:
            here.set(semconv.TAGS, check.texts("tags", tags))
        for key, value in check.pairs("metadata", metadata):
            here.set(f"{semconv.METADATA_PREFIX}{key}", value)
        here.update(attributes)
        here.mark(check)
