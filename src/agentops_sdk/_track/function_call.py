"""A decorated callable, and how one call of it begins and ends.

Long because every option of ``track()`` acts on the one object.
"""

from __future__ import annotations

import functools
import inspect
import math
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from opentelemetry.context import create_key

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._capture.call import NULL_CALL, Call, NullCall
from agentops_sdk._capture.decision_attributes import decision_attributes, options_json, vars_of, verdict_attributes
from agentops_sdk._capture.invalid_values import number_of
from agentops_sdk._capture.start import form, start, start_in
from agentops_sdk._host import admission
from agentops_sdk._host.guard import UserFunction, guard
from agentops_sdk._propagation import context_keys
from agentops_sdk._snapshot.snapshot import snapshot
from agentops_sdk._track.arguments import Arguments
from agentops_sdk.errors import ConfigError

_INPUT = {"tool": semconv.TOOL_CALL_ARGUMENTS, "decision": semconv.DECISION_INPUTS}
_OUTPUT = {"tool": semconv.TOOL_CALL_RESULT}
_INPUTS = (
    semconv.INPUT,
    semconv.INPUT_MESSAGES,
    semconv.TOOL_CALL_ARGUMENTS,
    semconv.RETRIEVAL_QUERY,
    semconv.DECISION_INPUTS,
    semconv.MEMORY_QUERY,
)
_OUTPUTS = (
    semconv.OUTPUT,
    semconv.OUTPUT_MESSAGES,
    semconv.TOOL_CALL_RESULT,
    semconv.RETRIEVAL_DOCUMENTS,
    semconv.MEMORY_RECORDS,
)
MARK = "__agentops_tracked__"
"""The attribute of a wrapper that holds its :class:`Tracked`."""
_MOST_WRAPPERS = 20
_BEGIN, _END = guard("track.begin"), guard("track.end")
_OWNER_KEY = create_key("agentops-agent-object")

CostOfCall = float | Decimal | Callable[[Any], float | Decimal | None]


_FORMS: Final[tuple[tuple[tuple[str, ...], Callable[[Any], bool], str], ...]] = (
    (("name", "description"), lambda value: isinstance(value, str | None), "a text"),
    (("capture_input", "capture_output", "capture_defaults"), lambda value: isinstance(value, bool), "True or False"),
    (
        ("ignore",),
        lambda value: isinstance(value, Collection) and not isinstance(value, str),
        "a collection of argument names",
    ),
    (("attributes",), lambda value: isinstance(value, Mapping | None), "a mapping from names to values"),
    (("process_input", "process_output"), lambda value: value is None or callable(value), "a function of one argument"),
)
"""Options by what they take: their names, whether a value is that, and what a mistake is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of ``track()``; see there for what each one means."""

    kind: str = "task"
    name: str | None = None
    description: str | None = None
    capture_input: bool = True
    capture_output: bool = True
    capture_defaults: bool = False
    ignore: Collection[str] = ()
    process_input: Callable[[dict[str, Any]], Any] | None = None
    process_output: Callable[[Any], Any] | None = None
    cost: CostOfCall | None = None
    attributes: Mapping[str, Any] | None = None
    options: Iterable[Any] | None = None
    operation: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in semconv.KINDS:
            raise ConfigError("kind", self.kind, "one of " + ", ".join(semconv.KINDS))
        if self.operation is not None and (self.kind != "memory" or self.operation not in semconv.MEMORY_OPERATIONS):
            raise ConfigError(
                "operation", self.operation, "of a function with kind='memory': " + ", ".join(semconv.MEMORY_OPERATIONS)
            )
        for names, fits, expected in _FORMS:
            for name in names:
                if not fits(value := getattr(self, name)):
                    raise ConfigError(name, value, expected)
        if self.options is not None and (
            self.kind != "decision" or isinstance(self.options, str) or not isinstance(self.options, Iterable)
        ):
            raise ConfigError("options", self.options, "a list of options, of a function with kind='decision'")
        if self.cost is not None and not callable(self.cost) and _amount(self.cost) is None:
            raise ConfigError("cost", self.cost, "an amount in US dollars of at least 0, or a function of the result")


def tracked_in(function: Any) -> list[Tracked]:
    """The decorated functions that a callable is or wraps, outermost first; by plain lookups, never ``__getattr__``."""
    marks: list[Tracked] = []
    for _ in range(_MOST_WRAPPERS):
        own = vars_of(function)
        if isinstance(mark := own.get(MARK), Tracked) and mark not in marks:
            marks.append(mark)
        inner = own.get("__wrapped__")
        if inner is None and isinstance(function, functools.partial):
            inner = function.func
        if inner is None and isinstance(function, types.MethodType):
            inner = function.__func__
        if inner is None:
            break
        function = inner
    return marks


class Tracked:
    """Begins and ends calls of one decorated callable.

    Args:
        function: the callable, for its signature, name and docstring.
        options: what the user wants recorded.
        owner: whether it is a method of a class that is tracked as one agent: only the outermost call
            on one object is the agent, further ones inside it are its steps.
    """

    __slots__ = (
        "_arguments",
        "_bodies",
        "_choices",
        "_count",
        "_fixed",
        "_form",
        "_input",
        "_is_plain",
        "_is_usual",
        "_names",
        "_output",
        "_shown",
        "_step",
        "kind",
        "name",
        "options",
        "owner",
    )

    def __init__(
        self, function: Callable[..., Any], options: Options, *, owner: bool = False, step: str | None = None
    ) -> None:
        self.options = options
        self.owner = owner
        self.kind = options.kind
        self.name = options.name or name_of(function, options.kind)
        self._step = step or self.name
        self._shown = None if options.kind == "memory" and options.name is None else self.name
        # No store is called as its functions are.
        self._arguments = Arguments(function, ignore=options.ignore, defaults=options.capture_defaults)
        self._names, self._count = self._arguments.names_alone, self._arguments.count
        self._input = _INPUT.get(options.kind, semconv.INPUT)
        self._output = _OUTPUT.get(options.kind, semconv.OUTPUT)
        self._fixed: dict[str, Any] = {}
        if options.kind in ("tool", "agent"):
            description = options.description or inspect.getdoc(function)
            if description:
                self._fixed[semconv.TOOL_DESCRIPTION if options.kind == "tool" else semconv.AGENT_DESCRIPTION] = (
                    description
                )
        self._choices: list[str] | None = None
        if options.options is not None:
            self._choices, text = options_json(options.options)
            self._fixed.update(decision_attributes(options=text))
        self._fixed.update(options.attributes or {})
        self._is_plain = (
            options.cost is None and options.capture_output and options.process_output is None
            and self.kind not in ("guardrail", "decision")
        )  # fmt: skip
        """Whether its result is recorded as it is, and nothing else is to be told of it."""
        self._is_usual = self._is_plain and options.capture_input and options.process_input is None
        """Whether its arguments are, too."""
        self._form = form(self.kind, self._shown, options.operation, self._fixed)
        # Decorated twice as the same kind: one call.
        self._bodies = tuple(each for each in tracked_in(function) if each.kind == self.kind)

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Call | NullCall, Any]:
        """Start a call and make it current; returns it and the token to detach it with."""
        call: Call | NullCall = NULL_CALL
        token: Any = None
        try:
            call = self.start(args, kwargs)
            if call.recording:
                token = context_keys.make_current(call.context)
        except BaseException as error:
            if not _BEGIN.takes(error):
                raise
        return call, token

    def insist(self, call: Call | NullCall, token: Any) -> None:
        """Stop what has begun where a limit does not allow it.

        Raises:
            LimitExceeded: in place of the call.
        """
        if call.recording and (answer := admission.answered("track.limits", call)) is not None:
            admission.insist("track.limits", answer, functools.partial(self.fail, call, token))

    async def insist_async(self, call: Call | NullCall, token: Any) -> None:
        """The same, awaited where something has to be waited for."""
        if call.recording and (answer := admission.answered("track.limits", call)) is not None:
            await admission.insist_async("track.limits", answer, functools.partial(self.fail, call, token))

    def start(  # noqa: C901 - what most calls take needs no further one
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Call | NullCall:
        """Start a call without making it current. Not guarded."""
        if self.owner and args:
            marker = id(args[0])
            if context_keys.current().get(_OWNER_KEY) == marker:
                call = start("task", self._step)
            else:
                call = start_in(self._form, self.kind, self._shown, self, self._bodies, None, self._fixed)
                if isinstance(call, Call):
                    call.carry(_OWNER_KEY, marker)
        else:
            call = start_in(self._form, self.kind, self._shown, self, self._bodies, None, self._fixed)
        if not call.recording:
            return call
        if self._is_usual:
            if (args or kwargs or self._arguments.defaults) and _recorder_port.active.settings.records_content:
                if kwargs or (names := self._names) is None or args[self._count :]:
                    arguments = self._arguments.of(args, kwargs)
                else:
                    arguments = dict(zip(names, args))  # noqa: B905 - said aloud, it takes longer than all the rest
                if arguments:
                    call.keep(self._input, arguments)
                    if admission.digest is not None and self.kind == "tool":
                        call.digest = admission.digest(arguments)
            return call
        options = self.options
        # A framework that reports the same call does not show what the program wants hidden or in a form of its own.
        if not options.capture_input or options.process_input is not None:
            call.withhold(_INPUTS)
        if not options.capture_output or options.process_output is not None:
            call.withhold(_OUTPUTS)
        if options.capture_input and _recorder_port.active.settings.records_content:
            arguments = self._arguments.of(args, kwargs)
            if arguments:
                self._record(call, self._input, arguments, options.process_input, "track.process_input")
        return call

    def end(self, call: Call | NullCall, token: Any, result: Any) -> None:
        """The call returned ``result``."""
        if not call.recording:
            return
        try:
            if token is not None and not context_keys.release(token):
                call.step_out()
            if not self._is_plain:
                self.returned(call, result)
            elif result is not None and _recorder_port.active.settings.records_content:
                call.keep(self._output, result)
                if call.admission is not None:
                    call.admission.gives(result)
        except BaseException as error:
            if not _END.takes(error):
                raise
        # A decision that came to no choice was given up.
        call.finish("abandoned" if result is None and self.kind == "decision" else "ok")

    def returned(self, call: Call | NullCall, result: Any) -> None:
        """Record ``result`` and what it cost. Not guarded."""
        options = self.options
        if options.cost is not None:
            self.charge(call, result)
        if self.kind == "guardrail" and options.capture_output:
            call.update(verdict_attributes(result, words=_recorder_port.active.settings.records_content))
        if self.kind == "decision":
            if options.capture_output and result is not None:
                self._choose(call, result)
        elif options.capture_output and _recorder_port.active.settings.records_content and result is not None:
            self._record(call, self._output, result, options.process_output, "track.process_output")

    def fail(self, call: Call | NullCall, token: Any, error: BaseException) -> None:
        """The call ended with ``error``."""
        if call.recording:
            with guard("track.fail"):
                call.detach(token)
            call.fail(error)

    def charge(self, call: Call | NullCall, result: Any) -> None:
        """Record the cost that the user's figure or function says; unknown stays unknown."""
        cost = self.options.cost
        amount: float | None = None
        if callable(cost):
            with guard("track.cost"):
                with UserFunction("cost"):
                    answer = cost(result)
                amount = _amount(answer)
        else:
            amount = _amount(cost)
        if amount is None:
            call.set(semconv.COST_UNKNOWN_REASON, "the cost function gave no amount")
            return
        call.update({semconv.COST_AMOUNT: amount, semconv.COST_CURRENCY: "USD", semconv.COST_SOURCE: "user"})

    def encode(self, value: Any) -> bytes:
        """A snapshot within the size that settings allow."""
        return snapshot(value)

    def record_output(self, call: Call | NullCall, encoded: bytes) -> None:
        """Record an output that is encoded already."""
        call.replace(self._output, encoded.decode())

    def _record(
        self, call: Call | NullCall, attribute: str, value: Any, process: Callable[[Any], Any] | None, site: str
    ) -> None:
        call.keep(attribute, value if process is None else _processed(value, process, site))

    def _choose(self, call: Call | NullCall, result: Any) -> None:
        """What a function that decides returns is its choice: a name, so it is recorded like the options."""
        chosen = _processed(result, self.options.process_output, "track.process_output")
        call.update(decision_attributes(chosen, among=self._choices))


def _processed(value: Any, process: Callable[[Any], Any] | None, site: str) -> Any:
    if process is None:
        return value
    # Fail closed: what the hook was meant to hide must not show because it raised.
    processed: Any = f"<{site.rpartition('.')[2]} failed>"
    with guard(site), UserFunction(site.rpartition(".")[2]):
        processed = process(value)
    return processed


def name_of(function: Any, kind: str) -> str:
    """The name that a callable's spans get: a tool's is the bare one, which the model knows it by."""
    while getattr(function, "__qualname__", None) is None and hasattr(function, "func"):
        function = function.func  # functools.partial
    name = getattr(function, "__name__", None)
    if not isinstance(name, str):
        return type(function).__name__
    qualified = getattr(function, "__qualname__", name)
    return name if kind == "tool" or not isinstance(qualified, str) else qualified.rpartition("<locals>.")[2]


def _amount(value: Any) -> float | None:
    number = None if type(value) is bool else number_of(value)
    if number is None:
        return None
    amount = round(number, 12)
    return amount if math.isfinite(amount) and amount >= 0 else None
