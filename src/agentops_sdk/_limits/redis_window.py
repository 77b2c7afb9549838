"""What was used in windows that machines share: one stream in Redis for each limit, which every process adds to.

While the server cannot be reached the limits count what is known here; what was used meanwhile is sent once it can be.
An entry has the time, who wrote it and as which of theirs, what it is counted for (as a hash: no name of a user leaves)
and the amount. One that says what an earlier one came to has the number of that, and its amount as ``used``: versions
that know of none pass it over.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agentops_sdk._limits.redis_link import RedisConnection
from agentops_sdk._limits.window_line import Line, counted

if TYPE_CHECKING:
    from agentops_sdk._limits.limit_ledger import Ledger

__all__ = ["RedisWindows"]

_AT_ONCE = 1_000


class RedisWindows:
    """The streams of some limits.

    Args:
        address: of the server, ``redis://…`` or ``rediss://…``.
        last: id of the last entry that was read, of each limit.
    """

    def __init__(self, address: str, last: Mapping[Ledger, str]) -> None:
        self._connection = RedisConnection(address)
        self._last = dict(last)

    def of_child(self, heirs: Mapping[Ledger, Ledger]) -> RedisWindows:
        """With a connection of its own; it has read what this one has."""
        return RedisWindows(self._connection.address, {heirs[ledger]: last for ledger, last in self._last.items()})

    def exchange(self, told: Mapping[Ledger, Sequence[Line]]) -> Iterator[tuple[Ledger, Sequence[Line]]]:
        """Write and read in one round trip, where there is not very much of it."""
        with self._connection.client() as client:
            with client.pipeline(transaction=False) as pipeline:
                for ledger, lines in told.items():
                    _add(pipeline, ledger, lines, self._last[ledger])
                for ledger in self._last:
                    self._ask(pipeline, ledger)
                answers = pipeline.execute()[-len(self._last) :]
            for ledger, answer in zip(list(self._last), answers, strict=True):
                entries = answer
                while entries:
                    yield ledger, [line for _, fields in entries if (line := _read(fields)) is not None]
                    self._last[ledger] = entries[-1][0].decode()  # only now: a child that is forked goes on there
                    entries = self._ask(client, ledger) if len(entries) == _AT_ONCE else ()

    def _ask(self, client: Any, ledger: Ledger) -> Any:
        return client.xrange(_name(ledger), min=f"({self._last[ledger]}", count=_AT_ONCE)


def _name(ledger: Ledger) -> str:
    """Of the stream: what the limit counts, so that another amount goes on with what was used."""
    return f"agentops:limits:{counted(ledger.rule)}"


def _add(pipeline: Any, ledger: Ledger, lines: Sequence[Line], last: str) -> None:
    name, length = _name(ledger), ledger.rule.window or 0.0
    for line in lines:
        fields = {"at": f"{line.at:.3f}", "by": line.by, "number": line.number, "key": line.key}
        if line.of:
            fields |= {"amount": "nan", "of": line.of, "used": f"{line.amount:.12g}"}
        else:
            fields["amount"] = f"{line.amount:.12g}"
        if line.most:
            fields["claim"] = f"{line.most:.12g}"
        pipeline.xadd(name, fields)
    if lines:
        since = int(last.partition("-")[0]) - int(length * 1000)  # by the server's clock: ours may be ahead of others'
        pipeline.xtrim(name, minid=f"{max(0, since)}-0", approximate=True)
        pipeline.pexpire(name, int(length * 1000) + 60_000)


def _read(fields: Mapping[bytes, bytes]) -> Line | None:
    """An entry, if it is one of ours and not damaged."""
    texts = {name.decode("ascii", "replace"): value.decode("ascii", "replace") for name, value in fields.items()}
    get = texts.get
    with suppress(ValueError):
        amount, of = (get("used", "nan"), int(texts["of"])) if "of" in texts else (get("amount", "nan"), 0)
        at, turn = float(get("at", math.nan)), int(get("number", 0))
        return Line(at, get("by", ""), turn, get("key", "-"), float(amount), of, float(get("claim", 0)))
    return None
