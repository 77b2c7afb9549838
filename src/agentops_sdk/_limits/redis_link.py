"""A thread of ours that talks to a Redis server: every second, and when there is something to send.

Never waited for on a thread of the program's. While the server cannot be reached it is tried again, and the log says so
once.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from typing import Any

from agentops_sdk._host.guard import guard
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk.config import log_once

__all__ = ["RedisLink", "settle"]

_PERIOD = 1.0  # seconds between looks at what others have written
_AGAIN = 5.0  # seconds until the server is tried again
_TIMEOUT = 1.0
_links: weakref.WeakSet[RedisLink] = weakref.WeakSet()


class RedisLink:
    """What is shared by a server: those who inherit say in :meth:`talk` what is sent and fetched.

    Args:
        address: of the server, ``redis://…`` or ``rediss://…``.
        lost: what is not known while it cannot be reached, for the log.

    Attributes:
        waiting: what is to be sent.
        is_lost: whether the server could not be reached when it was last tried.
    """

    def __init__(self, address: str, lost: str) -> None:
        self.address = address
        self._lost = lost
        self._event = threading.Event()
        self._client: Any = None
        self.waiting: deque[Any] = deque()
        self.is_lost = False
        self._thread: OwnThread | None = None
        self._turn = threading.Lock()
        """Held by the thread of ours that talks: what is sent twice would count twice."""
        _links.add(self)

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

    @property
    def is_talking(self) -> bool:
        """Whether something is to be sent, and is about to be; in a forked child, its parent's is not."""
        return bool(self.waiting) and not self.is_lost and self._thread is not None and self._thread.is_alive()

    def exchange(self) -> bool:
        """Talk to the server; whether it could be reached."""
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        try:
            with self._turn:
                if self._client is None:
                    self._client = redis.Redis.from_url(
                        self.address, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT,
                        retry=Retry(NoBackoff(), 0),  # it is tried again here, later
                    )  # fmt: skip
                self.talk(self._client)
        except redis.RedisError as error:
            self.is_lost = True
            log_once(
                f"limits: Redis cannot be reached ({type(error).__name__}): {self._lost} is not known until it can be."
            )
            return False
        self.is_lost = False
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


def settle(timeout: float) -> None:
    """Wait until what was used has been sent, as far as a server can be reached: the process may be about to end."""
    deadline = time.monotonic() + timeout
    for link in list(_links):
        while link.is_talking and time.monotonic() < deadline:
            link.hurry()
            time.sleep(0.005)
