"""A link to a Redis server: looked at every second, and when there is something to tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from agentops_sdk._limits.store_link import StoreLink, StoreLostError

__all__ = ["PERIOD", "RedisConnection", "RedisLink", "load"]

PERIOD = 1.0  # seconds between looks at what others have told
_TIMEOUT = 3.0  # seconds; a server that takes longer is lost


def load() -> None:
    """Import what a connection needs. For a thread that a fork waits for: a child would have half of it, for good."""
    with suppress(ImportError):  # told where it is used
        import redis
        import redis.backoff
        import redis.retry  # noqa: F401 - they are used below

        "localhost".encode("idna")  # as each address is that is looked up


class RedisConnection:
    """A connection that is made with its first use.

    Args:
        address: of the server, ``redis://…`` or ``rediss://…``.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._client: Any = None

    @contextmanager
    def client(self) -> Iterator[Any]:
        """A client of the ``redis`` library. On a thread of ours.

        Raises:
            StoreLostError: the server cannot be reached, or answers with an error.
        """
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        try:
            if self._client is None:
                self._client = redis.Redis.from_url(
                    self.address, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT,
                    retry=Retry(NoBackoff(), 0),  # it is tried again by the link, later
                )  # fmt: skip
            yield self._client
        except redis.RedisError as error:
            is_away = isinstance(error, redis.ConnectionError)
            raise StoreLostError(f"Redis cannot be reached ({type(error).__name__})", is_away=is_away) from error


class RedisLink(StoreLink):
    """What is shared by a server: those who inherit say in :meth:`converse` what is sent and fetched.

    Args:
        address: of the server, ``redis://…`` or ``rediss://…``.
        lost: what is not known while it cannot be reached, for the log.
    """

    def __init__(self, address: str, lost: str) -> None:
        super().__init__(lost, PERIOD)
        self.address = address
        self._connection = RedisConnection(address)

    def converse(self, client: Any) -> None:
        """Send what waits and fetch what is new. On a thread of ours."""
        raise NotImplementedError

    def talk(self) -> None:
        """By a client of the server."""
        with self._connection.client() as client:
            self.converse(client)
