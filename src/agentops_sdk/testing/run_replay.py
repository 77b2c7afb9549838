"""``replay_run()``: a program runs again with the answers that models and tools gave in a recorded run.

It stops where the program first asks something else than it did. From a step on it may be let go: models are then asked
in earnest, with another model or other instructions, and what comes of it is a run of its own to compare. Long because
steps, requests and tools are matched here with the record.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk._snapshot.snapshot import snapshot
from agentops_sdk.errors import ConfigError, TraceError
from agentops_sdk.pii_rules import NAMES
from agentops_sdk.testing.recordings.aws_boundary import watched_aws
from agentops_sdk.testing.recordings.cassette import scrubbed
from agentops_sdk.testing.recordings.http_boundary import Answer, Request, watched
from agentops_sdk.testing.recordings.json_diff import differences
from agentops_sdk.testing.recordings.recorded_replies import form_of
from agentops_sdk.testing.recordings.replay_tools import ToolResults
from agentops_sdk.testing.recordings.reply_form import Reply
from agentops_sdk.testing.refusals import ReplayError
from agentops_sdk.testing.replay import standing_keys
from agentops_sdk.testing.replay_difference import noted_by_one, parted, steps_inside
from agentops_sdk.traces.formats.json_values import parsed

if TYPE_CHECKING:
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

__all__ = ["RunReplay", "replay_run", "steps_of"]

_MOST_DIFFERENCES: Final = 12
_REPLACED: Final = re.compile(
    rf"\[(?:redacted:(?:{'|'.join(NAMES)})|withheld:pii|(?:{'|'.join(NAMES)}):[^\]\s]{{5,16}})\]"
)
"""What stands in a record in place of personal data. Secrets are replaced in what is asked now as well, and compare."""


def steps_of(trace: Trace) -> list[SpanRecord]:
    """The steps of a run that have answers: model calls and tools, in the order in which they began."""
    outline = trace.outline
    wanted = {number for number in outline.calls if outline.kind(number) == "llm"} | set(outline.of_kind("tool"))
    return [trace.record(number) for number in sorted(wanted)]


class RunReplay:
    """A run that is being replayed.

    Attributes:
        difference: where the program first asked something else, in words; ``None`` as long as it did not.
        replayed: how many model calls were answered from the record.
        live: how many model calls were made in earnest.
        replaced: the marks that stand in the record in place of personal data, and how many there are of each.
    """

    keeps = False

    def __init__(
        self, trace: Trace, *, from_step: int | None = None, model: str | None = None, system: str | None = None
    ) -> None:
        self.difference: str | None = None
        self.replayed = 0
        self.live = 0
        self._model, self._system = model, system
        self._lock = threading.Lock()
        self._steps = steps = steps_of(trace)
        self._trace = trace
        self.replaced = Counter(mark for span in steps for text in _texts(span) for mark in _REPLACED.findall(text))
        if from_step is not None and not 1 <= from_step <= len(steps) + 1:
            raise ConfigError("from_step", from_step, f"a step of the run, from 1 to {len(steps) + 1}")
        self._from = from_step
        self._calls = [(number, span) for number, span in enumerate(steps, 1) if span.kind == "llm"]
        self._used: set[int] = set()
        tools = [_tool_row(span) for span in steps if span.kind == "tool"]
        self._tools = _Tools(tools, branches=from_step is not None, problem=self._stop)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """The program runs inside."""
        with standing_keys(absent=self._from is None), watched(self), watched_aws(self), self._tools.standing_in():
            yield

    def left(self) -> list[int]:
        """The recorded model calls that nobody asked for, and that a tool which only answered did not hold, by step."""
        waiting = [number for number, _ in self._calls if number not in self._used and not self._is_live(number)]
        inside = self._inside() if waiting else ()
        return [number for number in waiting if number not in inside]

    @property
    def remark(self) -> str | None:
        """What is to be said of a record in which personal data was replaced; ``None`` of another one."""
        if not self.replaced:
            return None
        marks = ", ".join(mark for mark, _ in self.replaced.most_common(3))
        return (
            f"the run was recorded with personal data replaced, {self.replaced.total():,} time(s) ({marks}): whoever "
            "asks with the data itself asks something else, and answers hold the marks"
        )

    @property
    def answered_tools(self) -> int:
        """How many calls of tools were answered from the record."""
        return len(self._tools.answered)

    def parted(self, again: Iterable[Trace]) -> str | None:
        """How a run that asked models the same still went another way; see :func:`parted`."""
        return parted(self._steps, self._inside(), [span for run in again for span in steps_of(run)])

    def uncompared(self, again: Iterable[Trace]) -> list[str]:
        """Settings that nothing can be said of; see :func:`noted_by_one`."""
        return noted_by_one(self._steps, [span for run in again for span in steps_of(run)])

    def _inside(self) -> set[int]:
        return steps_inside(self._trace, self._steps, self._tools.answered)

    def _is_live(self, number: int) -> bool:
        return self._from is not None and number >= self._from

    def answer(self, request: Request) -> Answer | None:
        with self._lock:
            form = form_of(request.path)
            body = _body(request)
            recorded = [
                (number, span) for number, span in self._calls if number not in self._used and not self._is_live(number)
            ]
            if not recorded and self._from is not None:
                self.live += 1
                return None
            if form is None or body is None:
                raise self._stop(
                    f"a request to {request.path} cannot be answered from a trace: record it as a test does"
                )
            now = [_plain(each) for each in form.messages(body)]
            if not recorded:
                raise self._stop(f"the run made {len(self._calls)} model calls, and this is one more: {_last(now)}")
            for number, span in recorded:  # threads and tasks may race
                if not _differ(span, now):
                    self._used.add(number)
                    self.replayed += 1
                    return form.answer(_reply(number, span, self._stop), stream=form.streams(request.path, body))
            number, span = recorded[0]
            lines = _differ(span, now)
            told = [f"  {line}" for line in lines[:_MOST_DIFFERENCES]]
            more = [f"  ... and {len(lines) - _MOST_DIFFERENCES} more"] if len(lines) > _MOST_DIFFERENCES else []
            raise self._stop("\n".join([f"step {number} ({span.name}) is asked something else:", *told, *more]))

    def answered(self, request: Request, answer: Answer) -> None:
        """Nothing is kept: what goes out in earnest is recorded as any run is."""

    def changed(self, request: Request) -> tuple[str, bytes] | None:
        """Address and body of a request that goes out in earnest, with another model or other instructions."""
        form, body = form_of(request.path), _body(request)
        if body is None or (self._model is None and self._system is None):
            return None
        url = request.url
        if self._model is not None and form is not None:
            url = form.with_model(url, body, self._model)
        elif self._model is not None:
            body["model"] = self._model
        if self._system is not None and form is not None:
            form.with_system(body, self._system)
        return url, json.dumps(body).encode()

    def _stop(self, sentence: str) -> ReplayError:
        sentence = sentence.replace("{file}", "the run")
        self.difference = self.difference or sentence
        return ReplayError(sentence if self.remark is None else f"{sentence}\n({self.remark})")


class _Tools(ToolResults):
    """The results of a run's tools; beyond the branch, a call that the run did not make runs in earnest."""

    def __init__(self, rows: list[dict[str, Any]], *, branches: bool, problem: Any) -> None:
        super().__init__(rows, record=False, lenient=False, problem=problem)
        self._branches = branches

    def _find(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self._branches:
            with self._lock:
                for at, row in enumerate(self.rows):
                    if at not in self._used and (row["tool"], row["arguments"]) == (asked["tool"], asked["arguments"]):
                        self._used.add(at)
                        return row
            return {}
        return super()._find(asked)

    def answer_elsewhere(self, name: str, arguments: Any) -> Mapping[str, Any] | None:
        asked = {"tool": name, "arguments": scrubbed(json.loads(snapshot(arguments)))}
        elsewhere = self._find(asked).get("elsewhere")
        if elsewhere is not None and "text" in elsewhere and elsewhere["text"] is None:
            raise self._problem(f"the result of tool {name} was recorded without its content, or only its beginning")
        return elsewhere


@contextmanager
def replay_run(
    trace: Trace, *, from_step: int | None = None, model: str | None = None, system: str | None = None
) -> Iterator[RunReplay]:
    """Run a program again with what models and tools answered in a recorded run.

    Requests in the form of OpenAI's chat completions and responses, of Anthropic's messages, of Google's
    ``generateContent`` and of Bedrock are answered, streamed or not, as are tracked tools and those of MCP servers;
    models are asked over the network from ``from_step`` on only.

    Args:
        trace: the run; content must have been captured.
        from_step: of the steps that ``agentops replay TRACE`` lists, the first that is not answered from the record.
            Models are asked in earnest from there on; a tool that the run called with the same arguments still answers
            as it did, any other call runs.
        model: asked from there on instead.
        system: instructions from there on instead.

    Raises:
        ReplayError: inside, where the program first asks something else than the run did.
        ConfigError: there is no such step, or another model or instructions without one.
        TraceError: the run calls no model and no tool, or its content was not captured.
    """
    if from_step is None and (model is not None or system is not None):
        raise ConfigError("from_step", None, "the step from which on the model or the instructions are others")
    steps = steps_of(trace)
    if not steps:
        raise TraceError(f"run {trace.trace_id[:8]} has no call of a model or a tool to replay")
    calls = [span for span in steps if span.kind == "llm"]
    if calls and all(span.attributes.get(semconv.OUTPUT_MESSAGES) is None and span.outcome == "ok" for span in calls):
        raise TraceError(f"run {trace.trace_id[:8]} was recorded without content: there is nothing to answer with")
    running = RunReplay(trace, from_step=from_step, model=model, system=system)
    with running.answering():
        yield running


def _texts(span: SpanRecord) -> Iterator[str]:
    return (value for name in semconv.CONTENT if isinstance(value := span.attributes.get(name), str))


def _tool_row(span: SpanRecord) -> dict[str, Any]:
    told = span.attributes
    given = parsed(told.get(semconv.TOOL_CALL_ARGUMENTS, told.get(semconv.INPUT)))
    row: dict[str, Any] = {
        "tool": str(told.get(semconv.TOOL_NAME) or span.name),
        "arguments": given if isinstance(given, dict) else {} if given is None else {"": given},
    }
    if semconv.MCP_METHOD_NAME in told:
        return {**row, "elsewhere": _elsewhere(span)}
    if span.outcome == "error":
        kind = str(told.get(semconv.ERROR_TYPE) or "Exception").rpartition(".")[2]
        failure = next((event.attributes for event in span.events if event.name == semconv.EXCEPTION_EVENT), {})
        message = failure.get(semconv.EXCEPTION_MESSAGE) or span.status_message or ""
        return {**row, "error": {"type": kind, "args": [str(message)]}}
    result = told.get(semconv.TOOL_CALL_RESULT, told.get(semconv.OUTPUT))
    if result is None and semconv.TRUNCATED in told:
        return row
    return {**row, "result": parsed(result)}


def _elsewhere(span: SpanRecord) -> dict[str, Any]:
    """What a server answered: the text of the result, or a code and a message."""
    told = span.attributes
    code = str(told.get(semconv.RPC_RESPONSE_STATUS_CODE) or "")
    if span.outcome == "error" and code.lstrip("-").isdigit():
        failure = next((event.attributes for event in span.events if event.name == semconv.EXCEPTION_EVENT), {})
        message = failure.get(semconv.EXCEPTION_MESSAGE) or span.status_message or ""
        return {"error": (int(code), str(message))}
    return {"text": told.get(semconv.TOOL_CALL_RESULT), "is_error": span.outcome == "error"}


def _reply(number: int, span: SpanRecord, stop: Any) -> Reply:
    told = span.attributes
    messages = parsed(told.get(semconv.OUTPUT_MESSAGES))
    usage = int(told.get(semconv.USAGE_INPUT_TOKENS) or 0), int(told.get(semconv.USAGE_OUTPUT_TOKENS) or 0)
    model = str(told.get(semconv.RESPONSE_MODEL) or told.get(semconv.REQUEST_MODEL) or "")
    name = str(told.get(semconv.RESPONSE_ID) or f"replayed-{span.span_id}")
    if span.outcome != "ok" and not isinstance(messages, list):
        kind = str(told.get(semconv.ERROR_TYPE) or "")
        code = told.get(semconv.HTTP_RESPONSE_STATUS_CODE)
        status = int(code) if isinstance(code, int) else int(kind) if kind.isdigit() and 400 <= int(kind) < 600 else 500
        message = span.status_message or kind or span.outcome
        return Reply(name, model, [], usage, message, status, kind.rpartition(".")[2])
    if not isinstance(messages, list):
        raise stop(f"step {number} ({span.name}) was recorded without its answer, or only the beginning of it")
    return Reply(name, model, messages, usage)


def _body(request: Request) -> dict[str, Any] | None:
    try:
        body = json.loads(request.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _plain(value: Any) -> Any:
    """As a span holds it: JSON, without secrets."""
    return scrubbed({"": value})[""]


def _differ(span: SpanRecord, now: list[Any]) -> list[str]:
    """How what is asked differs from what was; what was cut off in the record is not compared."""
    told: Mapping[str, Any] = span.attributes
    cut = told.get(semconv.TRUNCATED) or ()
    lines: list[str] = []
    for name, value, label in zip(
        (semconv.SYSTEM_INSTRUCTIONS, semconv.INPUT_MESSAGES), now, ("instructions", "messages"), strict=True
    ):
        if name not in cut and name in told:
            lines += differences(_without_empty(parsed(told[name])), _without_empty(value), label)
        elif name not in told and value and name == semconv.SYSTEM_INSTRUCTIONS:
            lines += differences([], value, label)
    return lines


def _without_empty(value: Any) -> Any:
    """Without fields that are ``None``: whether they stand there depends on who wrote it."""
    if isinstance(value, dict):
        return {name: _without_empty(each) for name, each in value.items() if each is not None}
    return [_without_empty(each) for each in value] if isinstance(value, list | tuple) else value


def _last(now: list[Any]) -> str:
    messages = now[1] or [""]
    return json.dumps(messages[-1], ensure_ascii=False)[:200]
