"""Drives generators and asynchronous generators step by step, with a context attached inside each step only.

The body of a generator and its consumer take turns in one task. The body's context (its span, and
whatever the body has entered itself) is attached before each step and taken away before each
``yield``: spans of the body nest, spans of the consumer do not, and nothing is left attached when
the generator is closed by somebody else or never finished.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Protocol

from opentelemetry.context import Context

from agentops_sdk._host import admission
from agentops_sdk._propagation import privacy
from agentops_sdk._propagation.context_keys import current, make_current, release
from agentops_sdk._propagation.privacy import decided_when_called, privately

__all__ = ["NO_STEPS", "NoSteps", "Steps", "drive", "drive_async", "driven"]

_ITERABLE_COROUTINE = 0x100  # inspect.CO_ITERABLE_COROUTINE
_LIMITS = "generators.limits"


class Steps(Protocol):
    """One run of a generator, as its driver sees it. Every method is guarded by whoever implements it."""

    context: Context | None
    """What the body runs in next; ``None`` leaves the consumer's context alone."""

    live: Any
    """What limits are asked about before the first step; ``None`` where nobody is."""

    stops: bool
    """Whether the body is to be left before its next step."""

    def cut_off(self) -> Exception | None:
        """It is left: what the consumer gets to see, ``None`` for a plain end."""

    def item(self, value: Any) -> None:
        """The body yielded ``value``."""

    def end(self, result: Any) -> None:
        """The body returned."""

    def abandon(self) -> None:
        """The consumer stopped early."""

    def fail(self, error: BaseException) -> None:
        """The body raised ``error``, or was cancelled."""


class NoSteps:
    """Of a generator that is not recorded: every method does nothing."""

    context: Context | None = None
    live = None
    stops = False

    def cut_off(self) -> Exception | None: ...
    def item(self, value: Any) -> None: ...
    def end(self, result: Any) -> None: ...
    def abandon(self) -> None: ...
    def fail(self, error: BaseException) -> None: ...


NO_STEPS = NoSteps()

Begin = Callable[[tuple[Any, ...], dict[str, Any]], Steps]


def _begun(begin: Begin, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Steps:
    steps = begin(args, kwargs)
    if admission.ask is not None and (live := steps.live) is not None:
        answer = admission.answered(_LIMITS, live)
        if answer is not None:
            admission.insist(_LIMITS, answer, live.fail)
    return steps


async def _begun_async(begin: Begin, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Steps:
    steps = begin(args, kwargs)
    if (live := steps.live) is not None and (answer := admission.answered(_LIMITS, live)) is not None:
        await admission.insist_async(_LIMITS, answer, live.fail)
    return steps


def _enter(steps: Steps) -> Any:
    return make_current(steps.context) if steps.context is not None else None


def _leave(steps: Steps, token: Any) -> None:
    if token is None:
        return
    steps.context = current()  # a span that the body holds open over the yield is current again next time
    release(token)


def _left(steps: Steps, body: Generator[Any, Any, Any]) -> None:
    """Leave the body before its next step."""
    refused = steps.cut_off()
    body.close()
    if refused is not None:
        raise refused


async def _left_async(steps: Steps, body: AsyncGenerator[Any, Any]) -> None:
    refused = steps.cut_off()
    await body.aclose()
    if refused is not None:
        raise refused


def _without_us(error: BaseException) -> BaseException:
    """An exception thrown in, without the frame of ours that it has just come up in."""
    step = error.__traceback__
    return BaseException.with_traceback(error, step.tb_next if step is not None else None)


def drive(function: Callable[..., Generator[Any, Any, Any]], begin: Begin) -> Callable[..., Any]:
    """A generator function around ``function`` whose generators forward everything to its own."""
    return decided_when_called(_drive(function, begin), _drive(function, privately(begin)))


def drive_async(function: Callable[..., AsyncGenerator[Any, Any]], begin: Begin) -> Callable[..., Any]:
    """The same for an asynchronous generator function; each step runs in the task that asked for it."""
    return decided_when_called(_drive_async(function, begin), _drive_async(function, privately(begin)))


def driven(
    function: Callable[..., Any],
    begin: Begin,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    is_async: bool | None = None,
) -> Any:
    """One generator of either kind, as :func:`drive` and :func:`drive_async` make them, called here and now."""
    is_async = inspect.isasyncgenfunction(function) if is_async is None else is_async
    make: Callable[..., Any] = _drive_async if is_async else _drive
    return make(function, privately(begin) if privacy.used and privacy.is_private() else begin)(*args, **kwargs)


def _drive(  # noqa: C901, PLR0915 - one hot loop
    function: Callable[..., Generator[Any, Any, Any]], begin: Begin
) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        body = function(*args, **kwargs)
        steps = _begun(begin, args, kwargs)
        step: Callable[[Any], Any] = body.send
        sent: Any = None
        leaving: GeneratorExit | None = None
        while True:
            token = make_current(steps.context) if steps.context is not None else None
            try:
                item = step(sent)
            except StopIteration as stop:
                _leave(steps, token)
                steps.end(stop.value)
                return stop.value
            except BaseException as error:
                sent = None
                _leave(steps, token)
                steps.fail(error)
                raise
            if token is not None:  # as _leave() does it: this is what every step passes
                steps.context = current()
                try:
                    token.var.reset(token)
                except (AttributeError, ValueError, RuntimeError):
                    release(token)
            steps.item(item)
            try:
                sent = yield item
                step = body.send
            except GeneratorExit as error:
                leaving = error
            except BaseException as error:  # noqa: BLE001 - goes on into the body
                sent, step = _without_us(error), body.throw
            if leaving is not None:  # out of the block above, so that what the consumer is handling can be seen
                token = _enter(steps)
                try:
                    body.close()
                except BaseException as error:
                    _leave(steps, token)
                    steps.fail(error)
                    raise
                _leave(steps, token)
                steps.abandon()
                try:
                    raise leaving
                finally:
                    del leaving
            item = None  # not kept alive longer than its consumer wants it
            if steps.stops:
                return _left(steps, body)

    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & _ITERABLE_COROUTINE:
        awaitable: Callable[..., Any] = types.coroutine(run)
        return awaitable
    return run


def _drive_async(  # noqa: PLR0915 - the same
    function: Callable[..., AsyncGenerator[Any, Any]], begin: Begin
) -> Callable[..., Any]:
    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:  # noqa: PLR0915 - the same
        body = function(*args, **kwargs)
        steps = begin(args, kwargs) if admission.ask is None else await _begun_async(begin, args, kwargs)
        step: Callable[[Any], Any] = _unhooked(body)
        sent: Any = None
        leaving: GeneratorExit | None = None
        while True:
            token = make_current(steps.context) if steps.context is not None else None
            try:
                item = await step(sent)
            except StopAsyncIteration:
                _leave(steps, token)
                steps.end(None)
                return
            except BaseException as error:
                sent = None
                _leave(steps, token)
                steps.fail(error)
                raise
            if token is not None:  # as _leave() does it: this is what every step passes
                steps.context = current()
                try:
                    token.var.reset(token)
                except (AttributeError, ValueError, RuntimeError):
                    release(token)
            steps.item(item)
            try:
                sent = yield item
                step = body.asend
            except GeneratorExit as error:
                leaving = error
            except BaseException as error:  # noqa: BLE001 - goes on into the body
                sent, step = _without_us(error), body.athrow
            if leaving is not None:  # out of the block above, so that what the consumer is handling can be seen
                token = _enter(steps)
                try:
                    await body.aclose()
                except BaseException as error:
                    _leave(steps, token)
                    steps.fail(error)
                    raise
                _leave(steps, token)
                steps.abandon()
                try:
                    raise leaving
                finally:
                    del leaving
            item = None
            if steps.stops:
                await _left_async(steps, body)
                return

    return run


def _unhooked(body: AsyncGenerator[Any, Any]) -> Callable[[Any], Any]:
    """The first step of ``body``, without the event loop learning of it.

    The loop closes, at its end, every asynchronous generator it has met, all at once. Ours is met and
    closes ``body`` in turn; two that close the same one get in each other's way.
    """

    def first(value: Any) -> Any:
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, None)
        try:
            return body.asend(value)
        finally:
            sys.set_asyncgen_hooks(*hooks)

    return first
