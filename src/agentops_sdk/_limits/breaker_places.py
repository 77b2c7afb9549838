"""Which breakers are open, told to all processes of a folder, or of a Redis server.

A fact of an open breaker has its model and provider, the rule that opened it, why, when, and a token of its own. What
calls came to stays in each process.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from agentops_sdk._limits.redis_link import RedisLink
from agentops_sdk._limits.state_folder import StateFolder, file_name
from agentops_sdk.config import log_once

__all__ = ["BreakerFolder", "BreakerPlace", "RedisBreakers"]

Fact = Mapping[str, Any]
Take = Callable[[Mapping[str, Fact], float], None]
"""Is given all facts by name, and the seconds since the epoch by the clock that their times are of."""

_HASH = "agentops:breakers"
_DAY = 86_400
_MOST_WAITING = 1_000


class BreakerPlace(Protocol):
    """Where processes tell each other."""

    def tell(self, key: str, fact: Fact | None) -> None:
        """A breaker has opened; ``None``: is closed again. Consumer thread."""
        ...

    def look(self, *, anew: bool = False) -> None:
        """Take in what others have told, where it does not come by itself; ``anew``: all of it, and at once."""
        ...

    def of_child(self) -> BreakerPlace:
        """The same in a forked child."""
        ...


class BreakerFolder:
    """The folder ``breakers`` below the directory of a program."""

    def __init__(self, directory: Path, take: Take) -> None:
        self._directory = directory
        self._take = take
        self._state = StateFolder(directory / "breakers")

    def tell(self, key: str, fact: Fact | None) -> None:
        """Write it down, or remove it; where that cannot be, the breaker is this process's alone."""
        try:
            if fact is None:
                self._state.remove(key)
            else:
                self._state.put(key, {**fact, "at": time.time()})
        except OSError as error:
            log_once(f"breakers: {type(error).__name__}: the folder cannot be written, other processes are not told.")

    def look(self, *, anew: bool = False) -> None:
        """Look every so often, where something has changed."""
        if (facts := self._state.found() if anew else self._state.look()) is not None:
            self._take(facts, time.time())

    def of_child(self) -> BreakerFolder:
        """It has seen nothing yet."""
        return BreakerFolder(self._directory, self._take)


class RedisBreakers(RedisLink):
    """One hash for all breakers."""

    def __init__(self, address: str, take: Take) -> None:
        super().__init__(address, "which breakers other machines have opened")
        self._take = take
        self.waiting: deque[tuple[str, Fact | None]] = deque(maxlen=_MOST_WAITING)

    def tell(self, key: str, fact: Fact | None) -> None:
        """Sent by another thread."""
        self.waiting.append((key, fact))
        self.hurry()

    def look(self, *, anew: bool = False) -> None:
        """It comes by itself once the thread runs."""
        if anew:
            self.hurry()
        self.start()

    def of_child(self) -> RedisBreakers:
        """With a thread and a connection of its own."""
        return RedisBreakers(self.address, self._take)

    def converse(self, client: Any) -> None:
        """Send what changed here, fetch what is open; times are the server's."""
        now = float(client.time()[0])
        while self.waiting:
            key, fact = self.waiting[0]
            if fact is None:
                client.hdel(_HASH, file_name(key))
            else:
                client.hset(_HASH, file_name(key), json.dumps({**fact, "at": now}))
                client.expire(_HASH, _DAY)
            self.waiting.popleft()
        facts: dict[str, Fact] = {}
        for name, text in client.hgetall(_HASH).items():
            with suppress(ValueError):  # somebody else's
                fact = json.loads(text)
                if isinstance(fact, dict):
                    facts[name.decode()] = fact
        self._take(facts, now)
