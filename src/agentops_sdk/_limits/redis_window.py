"""What was used in a window that machines share: one stream in Redis for each limit, which every process adds to.

While the server cannot be reached the limit counts what is known here; what was used meanwhile is sent once it can be.
An entry has the time, who wrote it and as which of theirs, what it is counted for (as a hash: no name of a user leaves)
and the amount.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from agentops_sdk._host.guard import guard
from agentops_sdk._limits.redis_link import RedisLink
from agentops_sdk._limits.window_file import Use, counted, does_count
from agentops_sdk.config import log_once

if TYPE_CHECKING:
    from agentops_sdk.limit_rules import Rule

__all__ = ["RedisWindow"]

_MOST_WAITING = 10_000
_MOST_WRITERS = 10_000
_AT_ONCE = 1_000

Taken = Callable[[Sequence[Use]], None]


class RedisWindow(RedisLink):
    """The stream of one limit.

    Args:
        address: of the server, ``redis://…`` or ``rediss://…``.
        rule: the limit; what it counts names the stream, so that another amount goes on with what was used.
        take: is given what others have used, on a thread of ours.
        last: id of the last entry that was read.
    """

    def __init__(self, address: str, rule: Rule, take: Taken, last: str = "0-0") -> None:
        super().__init__(address, "what other machines use")
        self._rule = rule
        self._take = take
        self._last = last
        self._name = f"agentops:limits:{counted(rule)}"
        self._length = rule.window or 0.0
        self._writer = os.urandom(8).hex()
        self.waiting: deque[tuple[int, Use]] = deque()
        self._sent = 0
        self._heard: OrderedDict[bytes, int] = OrderedDict()

    def of_child(self) -> RedisWindow:
        """The same in a forked child, which has read what this one has."""
        return RedisWindow(self.address, self._rule, self._take, self._last)

    def add(self, uses: Sequence[Use]) -> None:
        """This process has used that. Sent by another thread."""
        if len(self.waiting) + len(uses) > _MOST_WAITING:
            log_once("limits: Redis has not been reached for long: not all of what was used will be known elsewhere.")
            return
        for use in uses:
            self._sent += 1
            self.waiting.append((self._sent, use))
        self.hurry()

    def read(self) -> Iterator[Use]:
        """What others have used so far, at first; later it comes by itself. On a thread of ours."""
        if self._thread is None:
            self.exchange()
            self.start()
        return iter(())

    def talk(self, client: Any) -> None:
        """Send what was used here, and fetch what others have."""
        self._send(client)
        self._fetch(client)

    def _send(self, client: Any) -> None:
        while self.waiting:
            uses = [self.waiting[index] for index in range(min(_AT_ONCE, len(self.waiting)))]
            with client.pipeline(transaction=False) as pipeline:
                for number, use in uses:
                    fields = {"at": f"{use.at:.3f}", "by": self._writer, "key": use.key, "amount": f"{use.amount:.12g}"}
                    pipeline.xadd(self._name, {**fields, "number": number})
                since = int((time.time() - self._length) * 1000)
                pipeline.xtrim(self._name, minid=f"{since}-0", approximate=True)
                pipeline.pexpire(self._name, int(self._length * 1000) + 60_000)
                pipeline.execute()
            for _ in uses:  # only now: what did not arrive is sent again
                self.waiting.popleft()

    def _fetch(self, client: Any) -> None:
        since = time.time() - self._length
        while entries := client.xrange(self._name, min=f"({self._last}", count=_AT_ONCE):
            uses: list[Use] = []
            for number, fields in entries:
                self._last = number.decode()
                writer = fields.get(b"by", b"")
                if writer.decode() == self._writer:
                    continue
                with guard("limits.redis_entry"):
                    turn = int(fields.get(b"number", 0))
                    if turn and turn <= self._heard.get(writer, 0):
                        continue  # it was sent again, as nobody had said that it had arrived
                    self._heard[writer] = turn
                    if len(self._heard) > _MOST_WRITERS:
                        self._heard.popitem(last=False)
                    use = Use(float(fields[b"at"]), fields[b"key"].decode(), float(fields[b"amount"]))
                    if does_count(use, since):
                        uses.append(use)
            if uses:
                self._take(uses)
