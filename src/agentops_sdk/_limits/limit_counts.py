"""What has been used of the limits that outlive a block, by whatever is counted together, and where others read it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentops_sdk import semconv
from agentops_sdk._host.bounded_map import BoundedMap
from agentops_sdk._host.guard import guard, logger
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk._limits.account import Account, lock
from agentops_sdk._limits.window_line import counted, hashed
from agentops_sdk.config import log_once

if TYPE_CHECKING:
    from agentops_sdk._capture.call import Call
    from agentops_sdk._limits.shared_windows import SharedWindows, WindowPlace
    from agentops_sdk.config import Settings
    from agentops_sdk.limit_rules import Rule

__all__ = ["Counts", "counts_of"]

_MOST_ACCOUNTS = 10_000
_ATTRIBUTES = {"session": semconv.SESSION_ID, "user": semconv.USER_ID, "agent": semconv.AGENT_NAME}
_SHORTEST_KEPT = 60  # seconds; a shorter window is over before a process has been started again


class Counts:
    """The accounts of some limits, but for those of a block, which has its own.

    Args:
        rules: the limits.

    Attributes:
        accounts: of each limit, by what is counted together.
        windows: where the limits that outlive a process are told; ``None`` where none are, or they are not opened.
        is_shared: whether blocks count together, so that each waits for what calls of the others have used.
        unsettled: how many calls have ended, in any of them, of which it is being worked out what they used.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self.accounts: dict[Rule, OrderedDict[str | None, Account]] = {rule: OrderedDict() for rule in rules}
        self.windows: SharedWindows | None = None
        self.unsettled = 0
        self.is_shared = any(rule.per != "block" for rule in self.rules)
        self._is_open = False
        self._process = lock.held

    def take_over(self, before: Counts) -> None:
        """Go on with what was counted under ``before``, where the same is counted, whatever is allowed of it."""
        kept = {counted(rule): rule for rule in self.rules}
        with lock.held:
            for rule, accounts in before.accounts.items():
                mine = kept.get(counted(rule))
                if mine is None or (before.windows is not None and _is_kept(rule)):  # others are told of it
                    continue
                self.accounts[mine] = accounts
                for account in accounts.values():
                    account.tell_at, account.is_over, account.is_told = 0.0, False, False
                    if mine.most != rule.most:
                        account.extra = 0.0

    def account(self, rule: Rule, call: Call) -> Account:
        """The account of what ``call`` is counted with: its run, session, user or agent, or all of the process.

        Calls that name no session, user or agent are counted together.
        """
        if rule.per == "run":
            key: str | None = call.trace_id
        else:
            key = call.span.attributes.get(_ATTRIBUTES.get(rule.per, ""))
        if _is_kept(rule):
            key = hashed(key)
        return self._account(rule, key)

    def _account(self, rule: Rule, key: str | None) -> Account:
        accounts = self.accounts[rule]  # of each limit by itself: many runs must not displace what a user has used
        account = accounts.get(key)
        if account is None:
            account = accounts[key] = Account(rule.window, key if _is_kept(rule) else None)
            if len(accounts) > _MOST_ACCOUNTS:
                accounts.popitem(last=False)
                if rule.per != "run":  # one that has ended is over
                    log_once(f"limits: {rule}: more than {_MOST_ACCOUNTS} are counted; the idlest begin anew.")
        else:
            accounts.move_to_end(key)  # those that go are the ones that nobody has used for longest
        return account

    def open(self, settings: Settings) -> None:
        """Have what was used before, in windows that outlive a process, read from the folder of the traces.

        Another thread reads; the first call waits for it.
        """
        self.belong_to_child()
        if self._is_open:
            return
        self._is_open = True
        kept = [rule for rule in self.rules if _is_kept(rule)]
        if not kept or not (settings.limits_store or settings.keeps_files):
            return
        from agentops_sdk._limits.limit_ledger import Ledger
        from agentops_sdk._limits.shared_windows import SharedWindows

        folder = Path(settings.directory).absolute() / "limits"
        store = settings.limits_store or str(folder)
        ledgers = {rule: Ledger(rule, partial(self._account, rule), store) for rule in kept}
        place: WindowPlace
        period: float | None = None
        if settings.limits_store:
            from agentops_sdk._limits.redis_link import PERIOD
            from agentops_sdk._limits.redis_window import RedisWindows

            period = PERIOD
            place = RedisWindows(settings.limits_store, dict.fromkeys(ledgers.values(), "0-0"))
        else:
            from agentops_sdk._limits.window_file import WindowFile, WindowFolder

            place = WindowFolder({ledger: WindowFile(folder, rule) for rule, ledger in ledgers.items()})
        self.windows = SharedWindows(place, ledgers, _tell_passed, period)
        with guard("limits.load"):
            self.windows.hurry()
        if settings.pricing:
            with guard("limits.prices"):
                import httpx2  # noqa: F401 - here, as in the runtime's load_prices(): not on the thread that loads

                OwnThread("limits-prices", _load_prices).start()

    def belong_to_child(self) -> None:
        """In a forked child, once: calls that are under way, and the thread that reads, are its parent's."""
        if self._process is not lock.held:
            self._process = lock.held
            self.unsettled = 0
            with lock.held:
                if self.windows is not None:  # first: it knows which of those under way others have been told of
                    self.windows = self.windows.of_child()
                for accounts in self.accounts.values():
                    for account in accounts.values():
                        account.forget_open()
            if self.windows is not None:
                self.windows.hurry()  # its parent's other children may have used something since


def _load_prices() -> None:
    """What a call used is told once it is priced: of the first ones, seconds later."""
    with guard("limits.prices"):
        from agentops_sdk._usage.price_table import load_table

        load_table()


def _tell_passed(rule: Rule, passed: Mapping[Account, float]) -> None:
    for spent in passed.values():
        logger.warning(
            "agentops_sdk: calls of several processes have passed the limit of %s together: %.12g are spent",
            rule,
            spent,
        )


_known: Final[BoundedMap[tuple[Rule, ...], Counts]] = BoundedMap(1_000)


def counts_of(rules: Sequence[Rule]) -> Counts:
    """What is counted under these limits, wherever a program writes them down.

    A function that makes its ``limits("20 model calls / user")`` anew with each request goes on counting.
    """
    key = tuple(rules)
    if all(rule.per == "block" for rule in key):
        return Counts(key)
    with lock.held:
        counts = _known.get(key)
        if counts is None:
            counts = _known[key] = Counts(key)
        else:
            _known.move_to_end(key)
        return counts


def _is_kept(rule: Rule) -> bool:
    return rule.window is not None and rule.window >= _SHORTEST_KEPT
