"""What becomes of a call that would pass a limit: what the limit's policy says, and how that is told.

On the call's own thread. Nothing is held while a person or a function is asked.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agentops_sdk import semconv
from agentops_sdk._capture.decision_attributes import decision_attributes, options_json
from agentops_sdk._host.guard import UserFunction, guard, logger
from agentops_sdk._limits.account import lock
from agentops_sdk._limits.terminal import ask_person
from agentops_sdk.config import log_once
from agentops_sdk.errors import LimitExceeded

if TYPE_CHECKING:
    from agentops_sdk._capture.call import Call
    from agentops_sdk._limits.account import Account
    from agentops_sdk._limits.scope import Scope
    from agentops_sdk.limit_rules import Rule

__all__ = ["NOT_KEPT", "Answer", "Breach", "answered", "exception", "is_of_limit", "told"]

_asking: ContextVar[bool] = ContextVar("agentops_limits_asking", default=False)
_CHOICES = options_json(("allow", "refuse"))[1]
_MOST_ERRORS = 50
NOT_KEPT: Final = "not to be kept"
"""How the reason begins where what a call costs is not known."""


class Breach(NamedTuple):
    """A limit that a call would pass."""

    scope: Scope
    rule: Rule
    account: Account
    reason: str


class Answer(NamedTuple):
    """What the policy of a limit says to one call: ``refused``, ``warned``, ``marked``, ``allowed`` or ``raised``."""

    error: LimitExceeded
    action: str
    by: str = "code"
    waited: float | None = None


def answered(call: Call, breach: Breach) -> Answer:
    """What the policy of a limit says where a call would pass it."""
    policy, account = breach.scope.policy, breach.account
    error = exception(call, breach)
    if policy.on_limit == "raise":
        return Answer(error, "refused")
    if policy.on_limit in ("warn", "mark"):
        if policy.on_limit == "warn" and not account.is_told:
            account.is_told = True
            logger.warning("agentops_sdk: %s", error)
        return Answer(error, "warned" if policy.on_limit == "warn" else "marked")
    by = "human" if policy.on_limit == "ask" else "code"
    asked_at = time.monotonic()
    # A call made to find an answer is not asked about: it would never end.
    answer: Any = False if _asking.get() else _asked(call, policy.on_limit, error)
    waited = round(time.monotonic() - asked_at, 6)
    if inspect.iscoroutine(answer):  # nobody can wait for it here
        answer.close()
    if not isinstance(answer, (int, float)):  # "no" is true in Python: what is no answer is no agreement
        if answer is not None:
            log_once(f"on_limit returned a {type(answer).__name__}: expected true, false or a number; it is a no.")
        answer = False
    if answer is True:
        return Answer(error, "allowed", by, waited)
    more = min(max(0, answer), sys.float_info.max)
    if more and breach.reason.startswith(NOT_KEPT):  # by no amount can it be kept, and others would spend that
        return Answer(exception(call, breach, ", which no amount changes: True makes the call"), "refused", by, waited)
    with lock.held:
        account.allow(more)
    return Answer(error, "raised" if more else "refused", by, waited)


def _asked(call: Call, on_limit: Any, error: LimitExceeded) -> Any:
    """What a function of the program's or a person answers."""
    answer: Any = False
    token = _asking.set(True)
    try:
        with guard("limits.ask"):  # who does not answer has not agreed
            if callable(on_limit):
                with UserFunction("on_limit"):
                    answer = on_limit(error)
            else:
                answer = ask_person(error)
    except BaseException as stop:
        if not isinstance(stop, Exception):  # Ctrl-C: nobody else hears of it who could end the call
            call.step_out()
            call.fail(stop)
        raise
    finally:
        _asking.reset(token)
    return answer


def exception(call: Call, breach: Breach, remark: str = "") -> LimitExceeded:
    _, rule, account, reason = breach
    most = rule.most + account.extra
    about = f" for this {rule.per}" if rule.per != "block" else ""
    return LimitExceeded(
        f"the limit of {rule} is {reason}{about}: {_figures(rule, account, most)}{remark}",
        limit=rule.name,
        most=most,
        spent=account.spent,
        reserved=account.reserved,
        unknown=account.unknown,
        unit=rule.unit,
        per=rule.per,
        tool=rule.tool,
        trace_id=call.trace_id,
    )


def _figures(rule: Rule, account: Account, most: float) -> str:
    """What has been used of the limit, as people read it."""
    if rule.measure == "depth":
        return f"{account.spent:.0f} of {most:.12g} agents run one inside of the other already"
    if rule.measure == "seconds":
        return f"{account.spent:.1f} of {most:.12g} seconds have passed"
    text = f"{account.spent:.12g} of {most:.12g} {rule.unit} used"
    if account.reserved:
        text += f", {account.reserved:.6g} reserved for {account.open} under way"
    if account.unknown:
        text += f", with {account.unknown} calls of which nobody knows what they used"
    return text


def _mark(call: Call, rule: Rule, answer: Answer) -> None:
    """Say on the span what the limit did; that a call was stopped, or not, is a decision."""
    error, action, by, waited = answer
    action = "allowed" if action == "raised" else action
    call.update(
        {
            semconv.LIMIT: str(rule),
            semconv.LIMIT_ACTION: action,
            semconv.LIMIT_SPENT: error.spent,
            semconv.LIMIT_UNKNOWN: error.unknown or None,
        }
    )
    if action in ("refused", "allowed"):
        decision = decision_attributes(
            "refuse" if action == "refused" else "allow", name="limit", options=_CHOICES, reason=str(error), by=by,
            policy=str(rule), waited=waited,
        )  # fmt: skip
        if action == "refused":
            call.update(decision)
        else:  # the model's own choice will be the span's
            call.event(semconv.DECISION_EVENT, decision)


def told(call: Call, answers: Mapping[tuple[int, Rule], Answer]) -> LimitExceeded | None:
    """Say on the span what was answered, a refusal last, which is returned."""
    refusal = None
    for (_, rule), answer in answers.items():
        if answer.action == "refused":
            refusal = rule, answer
            continue
        with guard("limits.mark"):
            _mark(call, rule, answer)
    if refusal is None:
        return None
    with guard("limits.mark"):
        _mark(call, *refusal)
    return refusal[1].error


def is_of_limit(error: BaseException | None) -> bool:
    """Whether a limit has stopped a call, also where that was raised as another error, or among others."""
    found = [error]
    for each in found:  # it grows
        if isinstance(each, LimitExceeded):
            return True
        if each is not None and len(found) < _MOST_ERRORS:
            found.append(each.__cause__ or each.__context__)
            if isinstance(each, BaseExceptionGroup):
                found.extend(each.exceptions)
    return False
