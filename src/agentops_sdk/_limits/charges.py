"""What one call that may begin is expected to use, and, once it has ended, what it did use: on each account.

Long because what a call is charged by every kind of limit is worked out in one pass, under one lock.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentops_sdk import semconv
from agentops_sdk._host.guard import logger
from agentops_sdk._limits import queued_work
from agentops_sdk._limits.account import Account, lock
from agentops_sdk._limits.call_use import MODEL_KINDS, use_of
from agentops_sdk._limits.charge import Charge
from agentops_sdk._limits.expectation import Expectation, learn, stream_rates
from agentops_sdk._limits.levels import Level, log_levels, reached
from agentops_sdk._limits.repetition import Key, result_of
from agentops_sdk._limits.result_digest import digest_of
from agentops_sdk._limits.stream_meter import StreamMeter
from agentops_sdk.limit_rules import METERED

if TYPE_CHECKING:
    from agentops_sdk._capture.call import Call
    from agentops_sdk._limits.claim import Claim
    from agentops_sdk._limits.limit_ledger import Entry, Ledger

__all__ = ["Charges", "teach"]

UNTOLD = ("cost", "tokens", "depth", "repeats")
"""Measures of which the beginning of a call tells no level."""


class Charges:
    """All charges of one call. Made as the call begins, under the lock.

    Args:
        kind: the call's.
        charges: one for each limit that counts it.
        expectation: what it is expected to use, where it is a model's and that was asked.
        key: what would make another call the same, where repeated ones are looked for.
        events: of the call's span.
        claim: what it has claimed where it had to wait for what others have used.

    Attributes:
        is_cut: whether a stream that answers the call ends where it passes a limit.
        levels: what was reached as the call began, and is to be told.
    """

    __slots__ = (
        "_charges",
        "_digest",
        "_ended",
        "_entries",
        "_events",
        "_expectation",
        "_is_over",
        "_is_settled",
        "_key",
        "_kind",
        "_meter",
        "_metered",
        "_scopes",
        "_started",
        "is_cut",
        "levels",
    )

    def __init__(
        self,
        kind: str,
        charges: list[Charge],
        expectation: Expectation | None,
        key: Key | None,
        events: list[tuple[str, int, Any]],
        claim: Claim | None = None,
    ) -> None:
        self._kind = kind
        self._charges = charges
        self._expectation = expectation
        self._key = key
        self._started = time.monotonic()
        self._ended: float | None = None
        self._digest = 0
        self._metered = False
        self._events = events
        self.levels: list[Level] = []
        self.is_cut = False
        self._meter: StreamMeter | None = None
        self._scopes = [charge.scope for charge in charges]
        self._is_over = self._is_settled = False
        self._entries: dict[Account, tuple[Ledger, Entry]] = {}
        for charge in charges:
            scope, rule, account, amount = charge
            if scope.policy.on_stream != "finish":
                self.is_cut = True
            is_charged = account.key is not None and self._told(charge, claim)
            if rule.measure in METERED:
                self._metered = True
                if not is_charged:
                    account.reserved += amount
                    account.open += 1
            elif rule.measure == "repeats":
                self._metered = True
                if key is not None:
                    account.repeats.begins(key)
            elif rule.window is None:
                account.spent += amount
            elif not is_charged:
                account.add(amount)
            if rule.measure in UNTOLD or account.spent < account.tell_at:
                continue
            if (level := reached(rule, account, events)) is not None:
                self.levels.append(level)

    def _told(self, charge: Charge, claim: Claim | None) -> bool:
        """Have others told that the call begins; whether it has been charged already, as it has waited for its turn."""
        windows = charge.scope.policy.counts.windows
        if windows is None or not charge.amount:
            return False
        ledger = windows.ledgers[charge.rule]
        entry = None if claim is None else claim.admit(charge)
        self._entries[charge.account] = (
            ledger,
            entry or ledger.reserve(charge.account, charge.amount, told=self._entries),
        )
        return entry is not None

    def _came_to(self, charge: Charge, used: float) -> None:
        """Have others told what the call used, where they do not know it."""
        windows = charge.scope.policy.counts.windows
        if windows is None:
            return
        ledger, entry = self._entries.get(charge.account) or (windows.ledgers[charge.rule], None)
        if entry is None and used:
            entry = ledger.reserve(charge.account, used, told=self._entries)
            self._entries[charge.account] = ledger, entry
        if entry is not None:
            ledger.close(entry, used)

    def meter(self, call: Call, request: Any) -> StreamMeter | None:
        """What tells while the stream that answers ``call`` is read whether it passes a limit that ends it."""
        charges = [
            charge
            for charge in self._charges
            if charge.scope.policy.on_stream != "finish" and charge.rule.measure in (*METERED, "seconds")
        ]
        if charges:
            rates = stream_rates(call.span.attributes, request)
            if not rates.priced:  # what is allowed at no known price is not ended by an estimate of it
                charges = [
                    charge
                    for charge in charges
                    if charge.rule.measure != "cost" or charge.scope.policy.unknown_price != "allow"
                ]
            self._meter = StreamMeter(call, charges, rates) if charges else None
        return self._meter

    def gives(self, result: Any) -> None:
        """The call gives this, which may be told apart from others where its text does not do that."""
        if self._key is not None and type(result) not in (str, int, float):
            self._digest = digest_of(result)

    def end(self) -> None:
        """The call is over."""
        if self._metered:
            self._ended = time.monotonic()
            with lock.held:
                if not self._is_settled:
                    self._is_over = True
                    for scope in self._scopes:
                        place = scope.shared or scope
                        place.unsettled += 1

    def withdraw(self) -> None:
        """It was no call of a model after all, but made such calls, or its answer came from a cache. Under the lock."""
        for charge in self._charges:
            if charge.rule.measure not in METERED and charge.amount:
                charge.account.add(-charge.amount)
                if charge.account.key is not None:
                    self._came_to(charge, 0.0)
        self._charges = [each for each in self._charges if each.rule.measure in METERED]

    def move(self, call: Call) -> None:
        """What was planned is that call now, which settles this."""
        with lock.held:
            events = call.span.event_list()
            events.extend(self._events)
            self._events = events
            call.admission = self
            call.span.account = self.settle

    def forgo(self) -> None:
        """It is not made after all."""
        with lock.held:
            if self._is_settled:
                return
            self._is_settled = True
            self.withdraw()
            for charge in self._charges:
                charge.account.give_back(charge.amount)
                if charge.account.key is not None:
                    self._came_to(charge, 0.0)

    def settle(self, attributes: Mapping[str, Any]) -> None:  # noqa: C901, PLR0915 - one pass, in few calls
        """It is known now what the call used, or that nobody knows. On the consumer thread, or where the call ended."""
        used = use_of(self._kind, attributes, self._expectation)
        passed: list[Charge] = []
        levels: list[Level] = []
        result, failed = (0, False) if self._key is None else result_of(self._kind, attributes)
        ended = self._ended or time.monotonic()
        expectation = self._expectation
        # A call that was cut off counts as what it was expected to cost: its price is known, only not how far it came.
        # So does one that goes on in the background, until its end tells.
        is_queued = semconv.USAGE_OF in attributes and queued_work.is_begun(attributes)
        is_cut_off = is_queued or attributes.get(semconv.OUTCOME) != "ok"
        is_bounded = is_cut_off and expectation is not None and expectation.priced
        with lock.held:
            if self._is_settled:
                return
            self._is_settled = True
            if self._meter is not None:
                self._meter.release()
            if self._is_over:
                for scope in self._scopes:
                    place = scope.shared or scope
                    place.unsettled -= 1
            taken = queued_work.ended(attributes) if semconv.USAGE_OF in attributes else {}
            if attributes.get(semconv.CACHED) or attributes.get(semconv.MODEL_CALLS):
                self.withdraw()
            for charge in self._charges:
                scope, rule, account, amount = charge
                is_estimate = False
                if rule.measure == "repeats":
                    seconds = ended - self._started
                    if self._key is None:
                        account.repeats.busy += seconds
                    else:
                        account.repeats.ends(
                            self._key, result or self._digest, failed=failed, seconds=seconds, at=ended
                        )
                elif rule.measure in METERED:
                    account.reserved = account.reserved - amount if account.open > 1 else 0.0
                    account.open = max(0, account.open - 1)  # in a forked child, none of its parent's are
                    figure = used.tokens
                    if rule.measure == "cost":
                        is_comparable = not used.cost or used.currency == rule.currency
                        figure = used.cost if is_comparable else None
                    is_known = figure is not None
                    if figure is None:
                        account.miss(unpriced=not is_bounded)
                        is_allowed = rule.measure == "cost" and scope.policy.unknown_price == "allow"
                        # Of a stream that was cut, what had come is known better than what was expected.
                        is_cut = self._meter is not None and attributes.get(semconv.LIMIT_ACTION) == "cut"
                        figure = 0.0 if is_allowed or is_cut else amount
                        if rule.measure == "cost" and not is_allowed and used.estimate is not None:
                            figure = used.estimate
                        is_estimate = is_queued
                    else:
                        is_allowed = False
                    if self._meter is not None and not is_allowed and attributes.get(semconv.OUTCOME) != "ok":
                        # Of a stream that was left early, what had come by then is used, whatever its end tells.
                        figure = max(figure, self._meter.used(rule))
                    is_told = is_known and account in taken and queued_work.correct(account, figure, taken[account])
                    if rule.window is None:
                        account.spent = round(account.spent + figure, 12)
                    else:
                        account.add(figure)
                    if account.spent > rule.most + account.extra and not account.is_over:
                        account.is_over = True
                        passed.append(charge)
                    if account.spent >= account.tell_at and (level := reached(rule, account, self._events)):
                        levels.append(level)
                    amount = 0.0 if is_told else figure
                if account.key is not None:
                    self._came_to(charge, amount)
                if is_estimate:
                    told = self._entries.get(account)
                    queued_work.begun(attributes, account, amount, told, unpriced=not is_bounded)
        if expectation is None:
            teach(attributes)
        elif attributes.get(semconv.OUTCOME) == "ok" and not expectation.is_met_by(used.tokens, used.cost):
            learn(attributes, used.tokens, used.cost)
        if passed or levels:
            _tell(passed, levels)


def teach(attributes: Mapping[str, Any]) -> None:
    """A span has ended: what a model's call used is expected of the next one, also where no limit counted it.

    Consumer thread.
    """
    get = attributes.get
    if get(semconv.KIND) not in MODEL_KINDS or get(semconv.OUTCOME) != "ok" or get(semconv.CACHED):
        return
    if get(semconv.MODEL_CALLS) or get(semconv.COST_UNKNOWN_REASON) == semconv.KEPT_BY_PROVIDER:
        return
    asked, answered = get(semconv.USAGE_INPUT_TOKENS), get(semconv.USAGE_OUTPUT_TOKENS)
    if asked is not None or answered is not None:
        learn(attributes, float((asked or 0) + (answered or 0)), get(semconv.COST_AMOUNT))


def _tell(passed: Sequence[Charge], levels: Sequence[Level]) -> None:
    """Tell the log which limits were passed."""
    log_levels(levels)
    for charge in passed:
        logger.warning(
            "agentops_sdk: calls that were under way have passed the limit of %s: %.12g are spent",
            charge.rule,
            charge.account.spent,
        )
