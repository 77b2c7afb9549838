"""What a question to a store brings back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Result", "Store"]


class Result(NamedTuple):
    """Columns' names, and rows that come one by one."""

    names: list[str]
    rows: Iterator[tuple[Any, ...]]


class Store(Protocol):
    """Named views over many spans, in whatever engine: see :data:`agentops_sdk.store.views.VIEWS`."""

    engine: str
    remarks: list[str]
    """What is to be said of how it is read."""
    not_read: list[str]
    """What lies there and was not read: a sentence for each."""

    def query(self, sql: str) -> Result:
        """The rows of one statement that only reads.

        Raises:
            AgentOpsError: it is none, or the engine refuses it.
        """
        ...

    def lines(self, ids: Sequence[str]) -> Iterator[bytes]:
        """All spans of the runs with these ids, as lines that the readers understand."""
        ...

    def attribute(self, name: str) -> str:
        """What stands in a query over ``spans`` for the text of an attribute."""
        ...

    def number(self, name: str) -> str | None:
        """What stands for an attribute's number, where rows have lost that it was one; ``None`` where they have not."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...
