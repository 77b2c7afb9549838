"""Assertions on tools: which were called, how often, with what, in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from agentops_sdk.errors import ConfigError
from agentops_sdk.testing.assertions.assertion_message import failure, here, listed, numbered, ordinal, similar, times
from agentops_sdk.testing.queries import Queries
from agentops_sdk.testing.records import Spans, ToolCall, is_named, label

if TYPE_CHECKING:
    from agentops_sdk.traces.record import SpanRecord

_UNSET: Any = object()


class ToolAssertions(Queries):
    """Which tools were called, how often, with what, in which order."""

    def assert_tool_called(
        self,
        name: str,
        *,
        times: int | None = None,
        args: Mapping[str, Any] | None = None,
        result: Any = _UNSET,
        before: str | None = None,
        after: str | None = None,
    ) -> ToolCall:
        """The tool ran.

        Args:
            name: of the tool; ``*`` and ``?`` stand for anything.
            times: how often, among the calls that match ``args`` and ``result``; at least once when not given.
            args: what it was called with, as far as given; ``ANY`` equals anything.
            result: what it returned.
            before: something that began after the first such call: a tool, an agent, any span.
            after: something that began before it.

        Returns:
            the first such call.
        """
        __tracebackhide__ = True
        if times is not None and times < 1:
            raise ConfigError("times", times, "at least 1; for never, use assert_no_tool_called()")
        named = self.tool_calls(name)
        if not named:
            raise self._never_ran(name)
        calls = Spans(
            call
            for call in named
            if not _differences(args or {}, call.arguments) and (result is _UNSET or result == call.result)
        )
        if not calls:
            raise self._ran_otherwise(name, named, args or {}, result)
        if times is not None and len(calls) != times:
            raise self._ran_too_often(name, calls, times, args)
        if before is not None:
            self._check_order(name, calls, before, calls[0].start_ns, expected="before")
        if after is not None:
            self._check_order(name, calls, after, calls[-1].start_ns, expected="after")
        return calls[0]

    def assert_tools(self, names: Sequence[str], *, ordered: bool = False, exact: bool = True) -> None:
        """These tools ran, each as often as it is named.

        Args:
            names: of the tools.
            ordered: in this order (the order in which they began).
            exact: no other tool ran, and none more often.
        """
        __tracebackhide__ = True
        calls, wanted = self.tool_calls, list(names)
        called = calls.names
        if not ordered:
            missing, more = Counter(wanted) - Counter(called), Counter(called) - Counter(wanted)
            if not missing and not (exact and more):
                return
            complaints = [f"not called: {listed(missing.elements())}"] if missing else []
            if exact and more:
                complaints.append(f"not expected: {listed(more.elements())}")
            surplus = _last_of_each(calls, more) if exact else []
            raise failure(
                f"expected the tools {listed(wanted) or 'none'}; {'; '.join(complaints)}",
                self.judged,
                {call.span_id: "not expected" for call in surplus},
                _also(missing, called),
            )
        if called == wanted or (not exact and _is_subsequence(wanted, called)):
            return
        index = _first_difference(wanted, called, exact=exact)
        expected = f"`{wanted[index]}`" if index < len(wanted) else "no further call"
        sentence = f"expected the tools {' > '.join(wanted) or 'none'}, called were {' > '.join(called) or 'none'}"
        if not exact:
            where = f"after `{wanted[index - 1]}`" if index else "at all"
            early = Spans(call for call in calls if label(call) == wanted[index])
            marks = {call.span_id: f"{expected}, but not {where}" for call in early}
            raise failure(
                sentence, self.judged, marks, [f"There is no {expected} {where}.", *_also(wanted[index:], called)]
            )
        at = calls[index] if index < len(calls) else None
        actual = f"the {ordinal(index + 1)} call was `{label(at)}`" if at is not None else "there was none"
        raise failure(
            sentence,
            self.judged,
            {at.span_id: f"expected {expected}"} if at is not None else {},
            [f"As the {ordinal(index + 1)} call {expected} was expected; {actual}."],
        )

    def assert_no_tool_called(self, *names: str) -> None:
        """None of these tools ran; without names, no tool at all."""
        __tracebackhide__ = True
        calls = [call for call in self.tool_calls if not names or any(is_named(call, name) for name in names)]
        if calls:
            what = f"`{'`, `'.join(names)}`" if names else "any tool"
            raise failure(
                f"expected no call of {what}; there {were(len(calls))}: {here(len(calls))}",
                self.judged,
                numbered(calls),
            )

    # --- what to say --------------------------------------------------------------------------

    def _never_ran(self, name: str) -> AssertionError:
        called = self.tool_calls.names
        asked = [call for call in self.llm_calls if any(fnmatchcase(tool, name) for tool in call.requested_tools)]
        near = [f"Tools that were called: {listed(called)}."] if called else ["No tool was called at all."]
        if meant := similar(name, called):
            near.append(f"Did you mean `{meant}`?")
        if asked:
            near.append("A model asked for it, but no tool of that name ran: is the function tracked as a tool?")
        other = [span for span in self.every(name) if span.kind not in ("tool", "decision")]
        if other:
            near.append(f"There is a span of that name, but of kind {other[0].kind}, not tool.")
        marks = dict.fromkeys((span.span_id for span in asked), "asked for it") | dict.fromkeys(
            (span.span_id for span in other), "not a tool"
        )
        return failure(f"expected tool `{name}` to be called, it never was", self.judged, marks, near)

    def _ran_otherwise(self, name: str, named: Spans[ToolCall], args: Mapping[str, Any], result: Any) -> AssertionError:
        nearest = min(named, key=lambda call: len(_differences(args, call.arguments)))
        complaints = _differences(args, nearest.arguments)
        if result is not _UNSET and result != nearest.result:
            complaints.append(f"result: expected {result!r}, was {nearest.result!r}")
        wanted = [
            *([f"args {dict(args)!r}"] if args else []),
            *([f"result {result!r}"] if result is not _UNSET else []),
        ]
        return failure(
            f"expected tool `{name}` to be called with {' and '.join(wanted)}; "
            f"it was called {times(len(named))}, never like that",
            self.judged,
            numbered(named) | {nearest.span_id: "nearest call"},
            [f"The nearest call differs in: {'; '.join(complaints)}."],
        )

    def _ran_too_often(
        self, name: str, calls: Spans[ToolCall], wanted: int, args: Mapping[str, Any] | None
    ) -> AssertionError:
        like = f" with args {dict(args)!r}" if args else ""
        where = f": {here(len(calls))}" if calls else ""
        every = self.tool_calls(name)
        marks = numbered(every, "call (other args)") | numbered(calls)
        return failure(
            f"expected tool `{name}` to be called {times(wanted)}{like}; it was called {times(len(calls))}{where}",
            self.judged,
            marks,
        )

    def _check_order(self, name: str, calls: Spans[ToolCall], other: str, at: int, *, expected: str) -> None:
        __tracebackhide__ = True
        own = {call.span_id for call in calls}
        others = [span for span in self.every(other) if span.span_id not in own]
        if not others:
            known = [label(span) for span in self.every()]
            meant = similar(other, known)
            near = [f"Did you mean `{meant}`?"] if meant else [f"What ran: {listed(known)}."]
            raise failure(f"expected tool `{name}` {expected} `{other}`, but no `{other}` ran", self.judged, near=near)
        first = others[0]
        if at < first.start_ns if expected == "before" else at > first.start_ns:
            return
        raise failure(
            f"expected tool `{name}` to be called {expected} `{other}`; it was the other way round",
            self.judged,
            numbered(calls) | {first.span_id: f"`{other}`"},
        )


def _differences(wanted: Mapping[str, Any], actual: Mapping[str, Any]) -> list[str]:
    return [
        f"{key}: expected {value!r}, was {actual[key]!r}"
        if key in actual
        else f"{key}: expected {value!r}, was not given"
        for key, value in wanted.items()
        if key not in actual or value != actual[key]
    ]


def _first_difference(wanted: Sequence[str], called: Sequence[str], *, exact: bool) -> int:
    if exact:
        pairs = zip(wanted, called, strict=False)
        return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(wanted), len(called)))
    rest = iter(called)
    return next(index for index, name in enumerate(wanted) if name not in rest)


def _is_subsequence(wanted: Iterable[str], called: Iterable[str]) -> bool:
    rest = iter(called)
    return all(name in rest for name in wanted)


def _last_of_each(calls: Sequence[SpanRecord], surplus: Counter[str]) -> list[SpanRecord]:
    last = []
    for name, count in surplus.items():
        last += [call for call in calls if label(call) == name][-count:]
    return last


def _also(missing: Iterable[str], called: Sequence[str]) -> list[str]:
    meant = {name: other for name in missing if name not in called and (other := similar(name, called)) is not None}
    return [f"Did you mean `{other}` for `{name}`?" for name, other in meant.items()]


def were(count: int) -> str:
    return "was 1" if count == 1 else f"were {count}" if count else "were none"
