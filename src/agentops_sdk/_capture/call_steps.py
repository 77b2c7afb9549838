"""A call whose work is a generator: current during each step, over when the generator is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from opentelemetry.context import Context

from agentops_sdk import semconv
from agentops_sdk._capture.call import Call, NullCall
from agentops_sdk._host.guard import guard
from agentops_sdk._propagation.generators import NO_STEPS, Steps, driven

__all__ = ["around_generator", "around_generator_async"]

Begin = Callable[[], Call | NullCall | None]
End = Callable[[Call, Any], None]
Each = Callable[[Call, Any], None]


class CallSteps:
    """The :class:`Steps <agentops_sdk._propagation.generators.Steps>` of one call.

    Args:
        site: what errors of ours are counted under.
        call: the call that the generator is.
        end: adds to the call what the generator has returned, or its last item where it returned nothing.
        each: looks at each item, where one alone does not tell what the generator gives.
    """

    __slots__ = ("_call", "_count", "_each", "_end", "_last", "_site", "context", "live")

    def __init__(self, site: str, call: Call, end: End, each: Each | None = None) -> None:
        self._site = site
        self._call = call
        self._end = end
        self._each = each
        self._count = 0
        self._last: Any = None
        self.context: Context | None = call.context
        self.live = call

    stops = False

    def cut_off(self) -> Exception | None: ...

    def item(self, value: Any) -> None:
        self._count += 1
        self._last = value
        if self._each is not None:
            with guard(self._site):
                self._each(self._call, value)

    def end(self, result: Any) -> None:
        with guard(self._site):
            self._told(self._last if result is None else result)
        self._call.finish()

    def abandon(self) -> None:
        with guard(self._site):
            self._told(None)
        self._call.finish("abandoned")

    def fail(self, error: BaseException) -> None:
        with guard(self._site):
            self._told(None)
        self._call.fail(error)

    def _told(self, result: Any) -> None:
        self._last = None
        if self._call.kind == "llm":
            self._call.update({semconv.REQUEST_STREAM: True, semconv.STREAM_CHUNKS: self._count})
        self._end(self._call, result)


def around_generator(
    site: str, wrapped: Callable[..., Generator[Any, Any, Any]], args: Any, kwargs: Any, begin: Begin, end: End
) -> Generator[Any, Any, Any]:
    """A generator that forwards everything to that of ``wrapped``, inside of the call that ``begin`` starts.

    Raises:
        LimitExceeded: at the first step, in place of the work.
    """
    generator: Generator[Any, Any, Any] = driven(
        wrapped, lambda *_: _begun(site, begin, end), args, kwargs, is_async=False
    )
    return generator


def around_generator_async(
    site: str,
    wrapped: Callable[..., AsyncGenerator[Any, Any]],
    args: Any,
    kwargs: Any,
    begin: Begin,
    end: End,
    each: Each | None = None,
) -> AsyncGenerator[Any, Any]:
    """The same for an asynchronous generator."""
    generator: AsyncGenerator[Any, Any] = driven(
        wrapped,
        lambda *_: _begun(site, begin, end, each),
        args,
        kwargs,
        is_async=True,  # told: a wrapper hides it
    )
    return generator


def _begun(site: str, begin: Begin, end: End, each: Each | None = None) -> Steps:
    steps: CallSteps | None = None
    with guard(site):
        call = begin()
        if isinstance(call, Call):
            steps = CallSteps(site, call, end, each)
    return NO_STEPS if steps is None else steps
