"""``decision()`` and ``decide()``: what could have been done, what was, and why, as a span of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from agentops_sdk import _recorder_port
from agentops_sdk._capture.call import NULL_CALL, Call, NullCall
from agentops_sdk._capture.decision_attributes import decision_attributes, options_json
from agentops_sdk._capture.invalid_values import Check, list_of
from agentops_sdk._capture.start import start
from agentops_sdk._host.guard import guard
from agentops_sdk._snapshot.snapshot import snapshot

_MOST_OPTIONS = 1_000


class decision:  # noqa: N801 - a context manager that reads as a statement
    """``with decision("route", options=["refund", "escalate"]) as d: d.choose("refund", reason="…")``.

    Also ``async with``. Left without a choice, its outcome is ``abandoned``. A choice that is not
    among the options is recorded and marked. So is every argument that is not as documented: it is kept,
    named in ``agentops.invalid`` and told once in the log.

    Args:
        name: what is being decided.
        options: texts, mappings or objects with a ``name`` and maybe a ``description``, enum members.
        inputs: what the decision is made from; recorded as content.
        by: who decides: ``"model"``, ``"code"`` or ``"human"``.
        by_name: the name of the model, rule or person.
        policy: the policy or rule that decides.
        model: the model whose answer led to it, where one did.
        prompt_fingerprint: of that model call's prompt (``agentops.prompt.fingerprint`` of its span).
    """

    def __init__(
        self,
        name: str,
        *,
        options: Iterable[Any] | None = None,
        inputs: Any = None,
        by: str | None = None,
        by_name: str | None = None,
        policy: str | None = None,
        model: str | None = None,
        prompt_fingerprint: str | None = None,
    ) -> None:
        self.name = name
        self._inputs = inputs
        self._options: list[Any] | None = None
        self._attributes: dict[str, Any] = {}
        with guard("decision.init"):
            check = Check("decision()")
            self.name = check.name("name", name)
            self._attributes = decision_attributes(
                by=by, by_name=by_name, policy=policy, model=model, prompt_fingerprint=prompt_fingerprint, check=check
            )
            if options is not None:
                self._options = list_of(options, _MOST_OPTIONS)
                if self._options is None:
                    check.note("options", options, "a list of options")
                    self._options = [options]
            self._attributes.update(check.attributes)
        self._names: list[str] | None = None
        self._call: Call | NullCall = NULL_CALL
        self._token: Any = None
        self._made = False

    def choose(
        self,
        chosen: Any,
        *,
        reason: str | None = None,
        confidence: float | None = None,
        evidence: Any = None,
        scores: Mapping[Any, float] | None = None,
        rejected: Mapping[Any, str] | None = None,
        by: str | None = None,
        by_name: str | None = None,
        policy: str | None = None,
    ) -> None:
        """Record the choice; the last one made counts.

        Args:
            chosen: an option, or a list of options where several were chosen.
            reason: why, in a sentence.
            confidence: from 0 to 1.
            evidence: what supports it; recorded as content.
            scores: a score for each option.
            rejected: for each option that was not taken, why.
            by: who decided, where it differs from what was announced.
            by_name: the name of the model, rule or person.
            policy: the policy or rule that decided.
        """
        self._made = True
        if not self._call.recording:
            return
        with guard("decision.choose"):
            check = Check("decision.choose()")
            self._call.update(
                decision_attributes(
                    chosen, among=self._names, reason=reason, confidence=confidence, evidence=evidence, scores=scores,
                    rejected=rejected, by=by, by_name=by_name, policy=policy, check=check,
                )
            )  # fmt: skip
            check.mark(self._call)

    def __enter__(self) -> Self:
        with guard("decision.enter"):
            self._call = start("decision", self.name, attributes=self._attributes)
            self._token = self._call.attach()
            if self._call.recording:
                if self._options is not None:
                    self._names, text = options_json(self._options)
                    self._call.update(decision_attributes(options=text))
                if self._inputs is not None and _recorder_port.active.settings.records_content:
                    self._call.update(decision_attributes(inputs=snapshot(self._inputs).decode()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        call = self._call
        with guard("decision.exit"):
            call.detach(self._token)
            if error is not None:
                call.fail(error)
            else:
                call.finish("ok" if self._made else "abandoned")

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)


def decide(
    name: str,
    chosen: Any,
    *,
    options: Iterable[Any] | None = None,
    inputs: Any = None,
    reason: str | None = None,
    confidence: float | None = None,
    evidence: Any = None,
    scores: Mapping[Any, float] | None = None,
    rejected: Mapping[Any, str] | None = None,
    by: str | None = None,
    by_name: str | None = None,
    policy: str | None = None,
) -> Any:
    """Record a decision that has been made, in one line; returns ``chosen``.

    The arguments are those of :class:`decision` and its ``choose``.
    """
    with decision(name, options=options, inputs=inputs, by=by, by_name=by_name, policy=policy) as handle:
        handle.choose(
            chosen, reason=reason, confidence=confidence, evidence=evidence, scores=scores, rejected=rejected
        )  # fmt: skip
    return chosen
