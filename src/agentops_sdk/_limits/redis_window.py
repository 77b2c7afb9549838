"""What was used in a window that machines share: one stream in Redis for each limit, which every process adds to.

Never waited for on a thread of the program's: a thread of ours sends what was used and fetches what others have, and
tries again while the server cannot be reached. Meanwhile the limit counts what is known here, and the log says so once.
An entry has the time, who wrote it, what it is counted for (as a hash: no name of a user leaves) and the amount.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from agentops_sdk._host.guard import guard
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk._limits.window_file import Use, counted, does_count
from agentops_sdk.config import log_once

if TYPE_CHECKING:
    from agentops_sdk.limit_rules import Rule

__all__ = ["RedisWindow"]

_PERIOD = 1.0  # seconds between looks at what others have used
_AGAIN = 5.0  # seconds until the server is tried again
_TIMEOUT = 1.0
_MOST_WAITING = 10_000
_AT_ONCE = 1_000

Taken = Callable[[Sequence[Use]], None]


class RedisWindow:
    """The stream of one limit.

    Args:
        address: of the server, ``redis://…`` or ``rediss://…``.
        rule: the limit; what it counts names the stream, so that another amount goes on with what was used.
        take: is given what others have used, on a thread of ours.
        last: id of the last entry that was read.
    """

    def __init__(self, address: str, rule: Rule, take: Taken, last: str = "0-0") -> None:
        self._address = address
        self._rule = rule
        self._take = take
        self._last = last
        self._name = f"agentops:limits:{counted(rule)}"
        self._length = rule.window or 0.0
        self._writer = os.urandom(8).hex()
        self._waiting: deque[Use] = deque(maxlen=_MOST_WAITING)
        self._event = threading.Event()
        self._client: Any = None
        self._thread: OwnThread | None = None

    def of_child(self) -> RedisWindow:
        """The same in a forked child, which has read what this one has."""
        return RedisWindow(self._address, self._rule, self._take, self._last)

    def add(self, uses: Sequence[Use]) -> None:
        """This process has used that. Sent by another thread."""
        self._waiting.extend(uses)
        self._start()
        self._event.set()

    def read(self) -> Iterator[Use]:
        """What others have used so far, at first; later it comes by itself. On a thread of ours."""
        if self._thread is None:
            self.exchange()
            self._start()
        return iter(())

    def _start(self) -> None:
        if self._thread is None:
            self._thread = OwnThread("limits-redis", _run, (weakref.ref(self), self._event))
            self._thread.start()

    def exchange(self) -> bool:
        """Send what waits and fetch what is new; whether the server could be reached."""
        import redis

        try:
            if self._client is None:
                self._client = redis.Redis.from_url(
                    self._address, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT
                )
            self._send()
            self._fetch()
        except redis.RedisError as error:
            log_once(
                f"limits: Redis cannot be reached ({type(error).__name__}): what other machines use is not known "
                "until it can be."
            )
            return False
        return True

    def _send(self) -> None:
        while self._waiting:
            uses = [self._waiting[number] for number in range(min(_AT_ONCE, len(self._waiting)))]
            with self._client.pipeline(transaction=False) as pipeline:
                for use in uses:
                    fields = {"at": f"{use.at:.3f}", "by": self._writer, "key": use.key, "amount": f"{use.amount:.12g}"}
                    pipeline.xadd(self._name, fields)
                since = int((time.time() - self._length) * 1000)
                pipeline.xtrim(self._name, minid=f"{since}-0", approximate=True)
                pipeline.pexpire(self._name, int(self._length * 1000) + 60_000)
                pipeline.execute()
            for _ in uses:  # only now: what did not arrive is sent again
                self._waiting.popleft()

    def _fetch(self) -> None:
        since = time.time() - self._length
        while entries := self._client.xrange(self._name, min=f"({self._last}", count=_AT_ONCE):
            uses: list[Use] = []
            for number, fields in entries:
                self._last = number.decode()
                if fields.get(b"by", b"").decode() == self._writer:
                    continue
                with guard("limits.redis_entry"):
                    use = Use(float(fields[b"at"]), fields[b"key"].decode(), float(fields[b"amount"]))
                    if does_count(use, since):
                        uses.append(use)
            if uses:
                self._take(uses)


def _run(window: weakref.ref[RedisWindow], event: threading.Event) -> None:
    """As long as somebody has the window."""
    while True:
        event.wait(_PERIOD)
        event.clear()
        reached, here = False, window()
        if here is None:
            return
        with guard("limits.redis"):
            reached = here.exchange()
        del here
        if not reached:
            time.sleep(_AGAIN)
