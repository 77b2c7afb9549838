"""Whether a call may begin: asked before it does, on its own thread, of the accounts of every limit that counts it.

Nothing is waited for but what has just ended: where money or tokens are counted, what a call used is worked out on the
consumer thread, and the next one waits until it is, so that a program that makes one call after the other is counted
to the token. Calls that are under way at the same time are counted by what they are expected to use. Where a limit is
held by several processes, a call may wait for what others have told: see ``claim``.

A little long: what is asked, what is looked up and what is answered share one lock, and are read as one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._capture.call import Call
from agentops_sdk._capture.contribution import Contribution
from agentops_sdk._host import admission
from agentops_sdk._limits import scope as scopes_module
from agentops_sdk._limits.account import DRIFT, Account, lock
from agentops_sdk._limits.call_use import MODEL_KINDS, is_remote
from agentops_sdk._limits.charge import Charge
from agentops_sdk._limits.charges import Charges, teach
from agentops_sdk._limits.claim import Claim, claim_for
from agentops_sdk._limits.expectation import Expectation, expected, learned
from agentops_sdk._limits.levels import log_levels
from agentops_sdk._limits.limit_answer import NOT_KEPT, Answer, Breach, answered, exception, told
from agentops_sdk._limits.repetition import Key, key_of
from agentops_sdk._limits.result_digest import digest_of
from agentops_sdk._propagation import context_keys
from agentops_sdk._propagation.context_keys import LIMITS_KEY, OUTER_LLM_KEY
from agentops_sdk.errors import LimitExceeded
from agentops_sdk.limit_rules import METERED

if TYPE_CHECKING:
    from agentops_sdk._limits.scope import Policy, Scope
    from agentops_sdk.limit_rules import Rule

__all__ = ["open_gate"]

_MOST_ASKED = 3  # times, where a limit is raised by too little
_SETTLE_WAIT = 0.1  # seconds; a millisecond is usual
_SETTLE_WAIT_SHARED = 5.0  # where several processes hold a limit: each must know what it has used itself
_STOPPED_KINDS = MODEL_KINDS | {"tool", "retriever"}
_NOTHING: Final[Mapping[Account, tuple[float, float]]] = MappingProxyType({})
_COUNTED = {"llm": "model_calls", "embedding": "model_calls", "tool": "tool_calls"}


def open_gate(policy: Policy) -> None:
    """Have every call asked about from now on. There are limits, or have been."""
    admission.add(ask, sets_aside=True)
    if policy.is_metered:
        scopes_module.teach = teach
    if policy.looks_for_repeats:
        admission.digest = digest_of


def ask(live: Any) -> LimitExceeded | admission.Waits | None:  # noqa: C901 - in few calls
    """What to raise in place of the work of ``live``, a call or what has one as its ``call``; ``None`` if it may begin.

    Where that is not known yet, what is to be waited for, which tells it in the end. Two that report one operation ask
    once.
    """
    call = getattr(live, "call", live)
    if type(call) is Contribution:
        call = call.operation
    if type(call) is not Call or call.admission is not None:
        return None
    here = context_keys.current()
    if context_keys.call_spans:
        here = context_keys.whole(here)
    attributes = call.span.attributes
    scopes: Any = here.get(LIMITS_KEY) or call.context.get(LIMITS_KEY) or ()
    if scopes_module.of_process:
        scopes = (*scopes_module.of_process, *scopes)
    is_metered = looks_for_repeats = is_told = False
    for scope in scopes:
        if scope.process is not lock.held:
            scope.belong_to_child()
        counts = scope.policy.counts
        is_metered = is_metered or scope.policy.is_metered
        looks_for_repeats = looks_for_repeats or scope.policy.looks_for_repeats
        is_told = is_told or counts.windows is not None
        if (scope.unsettled or counts.unsettled) and not lock.is_mine():
            _recorder_port.active.settle(_SETTLE_WAIT if counts.windows is None else _SETTLE_WAIT_SHARED)
    if not scopes:
        return None
    expectation: Expectation | None = None
    is_model = call.kind in MODEL_KINDS
    if is_metered and is_model:
        model = attributes.get(semconv.REQUEST_MODEL), attributes.get(semconv.PROVIDER_NAME)
        expectation = learned.get(model) or expected(attributes, getattr(live, "asked_for", None))
    key = key_of(call, getattr(live, "asked_for", None)) if looks_for_repeats else None
    outer: Any = here.get(OUTER_LLM_KEY) if call.kind != "embedding" else call.around
    admitted: Charges | None = None
    claim: Claim | None = None
    with lock.held:
        if is_model and outer is not None and outer.kind == call.kind and outer.admission is not None:
            outer.admission.withdraw()
        charges, breaches = _looked_up(call, scopes, expectation, key)
        if breaches and getattr(live, "is_made", False):
            breaches, is_told = [], False  # it has been made, and counts
        if is_told:
            claim = claim_for(charges, breaches)
        if claim is None and charges and not breaches:
            span: Any = call.span
            if not span.events:
                span.events = []  # as event_list() does, without a call: nobody else has the span yet
            call.admission = admitted = Charges(call.kind, charges, expectation, key, span.events)
            span.account = admitted.settle
    if claim is not None:
        return _claimed(call, scopes, expectation, key, claim)
    if admitted is not None and admitted.levels:
        log_levels(admitted.levels)
    return _overruled(call, scopes, breaches, expectation, key) if breaches else None


def _claimed(
    call: Call, scopes: Sequence[Scope], expectation: Expectation | None, key: Key | None, claim: Claim | None
) -> admission.Waits:
    """A call that has to wait for what other processes have told; where nobody waits for it any more, it is closed."""
    admitted: Charges | None = None
    breaches: list[Breach] = []
    while claim is not None:
        waited, claim = claim, None
        try:
            yield from waited.arrivals()
            with lock.held:
                charges, breaches = _looked_up(call, scopes, expectation, key, waited.known())
                if waited.is_look and not breaches:  # others have used less than was expected of them
                    claim = claim_for(charges, breaches)
                if claim is None and charges and not breaches:
                    events = call.span.event_list()
                    call.admission = admitted = Charges(call.kind, charges, expectation, key, events, waited)
                    call.span.account = admitted.settle
        finally:
            waited.release()
    if admitted is not None and admitted.levels:
        log_levels(admitted.levels)
    return _overruled(call, scopes, breaches, expectation, key) if breaches else None


def _overruled(
    call: Call, scopes: Sequence[Scope], breaches: list[Breach], expectation: Expectation | None, key: Key | None
) -> LimitExceeded | None:
    """What the policies of the limits that would be passed say; where all let the call be made, it is charged.

    Who raises a limit by less than the call takes is asked again, a few times; then the call is refused.
    """
    answers: dict[tuple[int, Rule], Answer] = {}
    admitted: Charges | None = None
    for _ in range(_MOST_ASKED):
        for breach in breaches:
            answer, before = answered(call, breach), answers.get(_name(breach))
            if before is not None and before.waited is not None and answer.waited is not None:
                answer = answer._replace(waited=round(before.waited + answer.waited, 6))
            answers[_name(breach)] = answer
            if answer.action == "refused":
                return told(call, answers)
        with lock.held:
            charges, found = _looked_up(call, scopes, expectation, key)
            breaches = [each for each in found if _name(each) not in answers or answers[_name(each)].action == "raised"]
            if charges and not breaches:
                call.admission = admitted = Charges(call.kind, charges, expectation, key, call.span.event_list())
                call.span.account = admitted.settle
        if not breaches:
            break
    for breach in breaches:
        error = exception(call, breach, f", raised {_MOST_ASKED} times by too little")
        by, waited = answers[_name(breach)][2:] if _name(breach) in answers else ("code", None)
        answers[_name(breach)] = Answer(error, "refused", by, waited)
    refusal = told(call, answers)
    if admitted is not None:
        log_levels(admitted.levels)
    return refusal


def _name(breach: Breach) -> tuple[int, Rule]:
    return id(breach.scope), breach.rule


def _looked_up(  # noqa: C901 - one pass, in few calls
    call: Call,
    scopes: Sequence[Scope],
    expectation: Expectation | None,
    key: Key | None,
    known: Mapping[Account, tuple[float, float]] = _NOTHING,
) -> tuple[list[Charge], list[Breach]]:
    """What the call would take from which account, and the limits that it would pass. Under the lock.

    Of an account in ``known``, what is spent and reserved is that.
    """
    charges: list[Charge] = []
    breaches: list[Breach] = []
    kind, counted = call.kind, _COUNTED.get(call.kind)
    for scope in scopes:
        for rule, account in scope.rows:
            measure = rule.measure
            if rule.tool is not None and rule.tool != call.name:
                continue
            if measure not in METERED and measure != counted and not _ELSE.get(measure, _NONE) & {kind}:
                continue
            is_shared = account is None
            if account is None:
                account = scope.policy.counts.account(rule, call)
            if rule.window is not None:
                account.roll()
            most = rule.most + account.extra
            spent, reserved = known.get(account) or (account.spent, account.reserved)
            if measure in METERED:
                if expectation is None:  # of what is no model's: it may tell of a cost when it ends
                    is_stopped = kind in _STOPPED_KINDS or (kind == "agent" and is_remote(call.span.attributes))
                    amount, reason = 0.0, "passed" if is_stopped and spent > most else ""
                elif (
                    spent + reserved < most - DRIFT
                    and not account.unpriced
                    and (measure == "tokens" or (expectation.priced and expectation.currency == rule.currency))
                ):
                    amount, reason = expectation.tokens if measure == "tokens" else expectation.cost, ""
                else:
                    taken_up = spent, spent + reserved
                    amount, reason = _metered(call, scope, rule, account, expectation, taken_up, most)
                charges.append(Charge(scope, rule, account, amount))
            elif measure == counted:
                reason = "reached" if spent + 1 > most else ""
                charges.append(Charge(scope, rule, account, 1))
            else:
                account.spent, reason = _measured(call, measure, account, key, most)
                if measure in ("repeats", "seconds"):
                    charges.append(Charge(scope, rule, account, 0))
            if is_shared and len(charges) > 1 and any(each.account is account for each in charges[:-1]):
                charges.pop()  # the same limit is around the call twice, and counts it once
            if reason:
                breaches.append(Breach(scope, rule, account, reason))
    return charges, breaches


_NONE: frozenset[str] = frozenset()
_ELSE = {
    "seconds": _STOPPED_KINDS | {"agent"},
    "depth": _STOPPED_KINDS | {"agent"},  # some frameworks tell of an agent when it runs already: by its first call
    "repeats": frozenset(("tool", "llm", "agent")),
}


def _metered(
    call: Call,
    scope: Scope,
    rule: Rule,
    account: Account,
    expectation: Expectation,
    taken_up: tuple[float, float],
    most: float,
) -> tuple[float, str]:
    """What a model call is expected to use of money or tokens, and what speaks against it.

    ``taken_up`` is what is spent, and that with what is reserved.
    """
    reached = "reached" if taken_up[0] >= most else ""
    if not reached and taken_up[1] >= most - DRIFT:
        reached = "taken up by calls under way"
    if rule.measure == "tokens":
        return expectation.tokens, reached
    is_priced = expectation.priced and expectation.currency == rule.currency
    unknown_price = scope.policy.unknown_price
    if unknown_price == "refuse" and not reached:
        model = call.span.attributes.get(semconv.REQUEST_MODEL) or "the model"
        if expectation.priced and not is_priced:
            reached = (
                f"{NOT_KEPT}: what {model} costs is counted in {expectation.currency}: write the limit in "
                f'{expectation.currency}, or set prices with agentops.prices.set(…, currency="{rule.currency}")'
            )
        elif not is_priced:
            reached = (
                f"{NOT_KEPT}: the price of {model} is not known: set it with agentops.prices.set(), or have it "
                f'counted by unknown_price="estimate"'
            )
        elif account.unpriced:
            reached = (
                f"{NOT_KEPT}: the cost of an earlier call is not known: "
                'unknown_price="estimate" would go on with an estimate'
            )
    return expectation.cost if is_priced or unknown_price != "allow" else 0.0, reached


def _measured(call: Call, measure: str, account: Account, key: Key | None, most: float) -> tuple[float, str]:
    """What is not added up but found out with each call: how far it is, and what speaks against the call."""
    if measure == "repeats":
        return _repeated(account, key, most)
    if measure == "seconds":
        seconds = time.monotonic() - account.started
        return seconds, "reached" if seconds >= most else ""
    agents = _agents(call)
    is_let = call.kind != "agent" and bool(agents) and semconv.LIMIT_ACTION in agents[0].span.attributes
    is_reached = len(agents) > most and not is_let  # who has let an agent run lets it call
    return max(0, len(agents) - 1), f"reached by agent {agents[0].name}" if is_reached else ""


def _repeated(account: Account, key: Key | None, most: float) -> tuple[float, str]:
    """How many times the same was done before, and what speaks against doing it again."""
    if key is None:
        return 0, ""
    times, wasted = account.repeats.count(key, time.monotonic())
    if times + 1 <= most:
        return times, ""
    kind, name, _ = key
    what = {"tool": f"the same call of {name}", "llm": f"the same question to {name}"}.get(kind, f"agent {name} again")
    return times, f"reached by {what}, with nothing new ({times - 1} calls and {wasted:.3g} s wasted)"


def _agents(call: Call) -> list[Call]:
    """The agents that run one inside of the other here, the innermost first."""
    agents: list[Call] = []
    around: Call | None = call
    while around is not None:
        if around.kind == "agent":
            agents.append(around)
        around = around.around
    return agents
