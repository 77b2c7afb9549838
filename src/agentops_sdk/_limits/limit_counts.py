"""What has been used of the limits that outlive a block, by whatever is counted together, and where others read it."""

from __future__ import annotations

import importlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentops_sdk import semconv
from agentops_sdk._host.bounded_map import BoundedMap
from agentops_sdk._host.guard import guard, logger
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk._limits.account import Account, lock
from agentops_sdk._limits.window_file import WindowFile, counted, hashed
from agentops_sdk.addresses import sink_parts
from agentops_sdk.config import log_once

if TYPE_CHECKING:
    from agentops_sdk._capture.call import Call
    from agentops_sdk._limits.redis_window import RedisWindow
    from agentops_sdk._limits.window_file import Use
    from agentops_sdk.config import Settings
    from agentops_sdk.limit_rules import Rule

__all__ = ["Counts", "counts_of", "keeps_files"]

_MOST_ACCOUNTS = 10_000
_ATTRIBUTES = {"session": semconv.SESSION_ID, "user": semconv.USER_ID, "agent": semconv.AGENT_NAME}
_SHORTEST_KEPT = 60  # seconds; a shorter window is over before a process has been started again
_LOADING = 1.0  # seconds that a first call waits for what was used before, at the most
_IMPORTING = 5.0  # and for what is needed for it to be imported: a second, but many on a machine that is busy


class Counts:
    """The accounts of some limits, but for those of a block, which has its own.

    Args:
        rules: the limits.

    Attributes:
        accounts: of each limit, by what is counted together.
        files: of each limit that outlives a process, where that is written; ``None`` before it is opened.
        is_loading: whether it is still being read what was used before.
        is_shared: whether blocks count together, so that each waits for what calls of the others have used.
        unsettled: how many calls have ended, in any of them, of which it is being worked out what they used.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self.accounts: dict[Rule, OrderedDict[str | None, Account]] = {rule: OrderedDict() for rule in rules}
        self.files: dict[Rule, WindowFile | RedisWindow] | None = None
        self.unsettled = 0
        self.is_shared = any(rule.per != "block" for rule in self.rules)
        self.is_loading = self._prices = False
        self._needs: tuple[str, ...] = ()
        self._ready, self._loaded = threading.Event(), threading.Event()
        self._process = lock.held

    def take_over(self, before: Counts) -> None:
        """Go on with what was counted under ``before``, where the same is counted, whatever is allowed of it."""
        kept = {counted(rule): rule for rule in self.rules}
        with lock.held:
            for rule, accounts in before.accounts.items():
                mine = kept.get(counted(rule))
                if mine is None or (before.files and _is_kept(rule)):  # files tell of it
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

        Another thread reads; :meth:`wait` waits for it.
        """
        self.belong_to_child()
        if self.files is not None:
            return
        self.files = {}
        kept = [rule for rule in self.rules if _is_kept(rule)]
        if settings.limits_store:
            if kept:
                from agentops_sdk._limits.redis_window import RedisWindow

                self.files = {
                    rule: RedisWindow(settings.limits_store, rule, partial(self._take, rule)) for rule in kept
                }
        elif keeps_files(settings):
            folder = Path(settings.directory).absolute() / "limits"
            self.files = {rule: WindowFile(folder, rule) for rule in kept}
        self._needs = ("redis",) if self.files and settings.limits_store else ()
        if self.files and settings.pricing:
            with guard("limits.prices"):
                import httpx2  # noqa: F401 - here, as in the runtime's load_prices(): not on the thread that loads
            self._prices = True
        self._begin_loading()

    def _begin_loading(self) -> None:
        self.is_loading = False
        if self.files:
            with guard("limits.load"):
                self._ready, self._loaded = threading.Event(), threading.Event()
                OwnThread("limits", self._load).start()
                self.is_loading = True

    def wait(self) -> None:
        """Wait until what was used before is known."""
        if self._loaded.wait(_LOADING + _IMPORTING if self._needs else _LOADING):
            self._ready.wait(_IMPORTING)
        else:
            log_once("limits: what was used before takes long to read; calls are made by what is known here.")
        self.is_loading = False

    def _load(self) -> None:
        with guard("limits.load"):
            for name in self._needs:
                importlib.import_module(name)
            self.share({})
        self._loaded.set()
        with guard("limits.load"):
            if self._prices:  # what a call used is told once it is priced: of the first ones, seconds later
                from agentops_sdk._usage.price_table import load_table

                load_table()
        self._ready.set()

    def share(self, uses: Mapping[Rule, Sequence[Use]]) -> None:
        """Write down what was used, and take in what others have. On a thread of ours."""
        for rule, file in (self.files or {}).items():
            if rule in uses:
                with guard("limits.write"), _told():  # what cannot be written may be read all the same
                    file.add(uses[rule])
            with guard("limits.read"), _told():
                self._take(rule, list(file.read()))

    def _take(self, rule: Rule, others: Sequence[Use]) -> None:
        """Count what others have used; that all have passed a limit together is told once."""
        passed: dict[str, float] = {}
        with lock.held:
            for use in others:
                account = self._account(rule, use.key)
                account.add(use.amount, use.at)
                if account.spent > rule.most + account.extra and not account.is_over:
                    passed[use.key] = 0.0
                if use.key in passed:
                    account.is_over, passed[use.key] = True, account.spent
        for spent in passed.values():
            logger.warning(
                "agentops_sdk: calls of several processes have passed the limit of %s together: %.12g are spent",
                rule,
                spent,
            )

    def belong_to_child(self) -> None:
        """In a forked child, once: calls that are under way, and the thread that reads, are its parent's."""
        if self._process is not lock.held:
            self._process = lock.held
            self.unsettled = 0
            for accounts in self.accounts.values():
                for account in accounts.values():
                    account.forget_open()
            if self.files:
                self.files = {rule: file.of_child() for rule, file in self.files.items()}
            self._begin_loading()  # its parent's other children may have used something since


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


@contextmanager
def _told() -> Iterator[None]:
    """A folder that cannot be used is no error of ours."""
    try:
        yield
    except OSError as error:
        log_once(f"limits: {type(error).__name__}: the folder cannot be used, what other processes use is not known.")


def _is_kept(rule: Rule) -> bool:
    return rule.window is not None and rule.window >= _SHORTEST_KEPT


def keeps_files(settings: Settings) -> bool:
    """Whether the program has files written at all."""
    sinks = {sink_parts(str(sink))[0] for sink in settings.exporters}
    return bool(sinks & {"jsonl", "otlp"}) or settings.origins.get("directory", "default") != "default"
