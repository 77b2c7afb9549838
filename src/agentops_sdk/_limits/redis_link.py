"""A thread of ours that talks to a Redis server: every second, and when there is something to send.

Never waited for on a thread of the program's. While the server cannot be reached it is tried again, and the log says so
once.
"""

from __future__ import annotations

import threading
import time
import weakref
from typing import Any

from agentops_sdk._host.guard import guard
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk.config import log_once

__all__ = ["RedisLink"]

_PERIOD = 1.0  # seconds between looks at what others have written
_AGAIN = 5.0  # seconds until the server is tried again
_TIMEOUT = 1.0


class RedisLink:
    """What is shared by a server: those who inherit say in :meth:`talk` what is sent and fetched.

    Args:
        address: of the server, ``redis://…`` or ``rediss://…``.
        lost: what is not known while it cannot be reached, for the log.
    """

    def __init__(self, address: str, lost: str) -> None:
        self.address = address
        self._lost = lost
        self._event = threading.Event()
        self._client: Any = None
        self._thread: OwnThread | None = None
        self._turn = threading.Lock()
        """Held by the thread of ours that talks: what is sent twice would count twice."""

    def talk(self, client: Any) -> None:
        """Send what waits and fetch what is new. On a thread of ours."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin; once it has begun, nothing."""
        if self._thread is None:
            self._thread = OwnThread("limits-redis", _run, (weakref.ref(self), self._event))
            self._thread.start()

    def hurry(self) -> None:
        """There is something to send."""
        self.start()
        self._event.set()

    def exchange(self) -> bool:
        """Talk to the server; whether it could be reached."""
        import redis

        try:
            with self._turn:
                if self._client is None:
                    self._client = redis.Redis.from_url(
                        self.address, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT
                    )
                self.talk(self._client)
        except redis.RedisError as error:
            log_once(
                f"limits: Redis cannot be reached ({type(error).__name__}): {self._lost} is not known until it can be."
            )
            return False
        return True


def _run(link: weakref.ref[RedisLink], event: threading.Event) -> None:
    """As long as somebody has the link."""
    while True:
        event.wait(_PERIOD)
        event.clear()
        reached, here = False, link()
        if here is None:
            return
        with guard("limits.redis"):
            reached = here.exchange()
        del here
        if not reached:
            time.sleep(_AGAIN)
