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

    is_sorted_by_time: bool
    """Whether spans are found faster where it is known when they began."""

    def lines(self, ids: Sequence[str], began: tuple[int, int | None] | None = None) -> Iterator[bytes]:
        """All spans of the runs with these ids, as lines that the readers understand.

        Args:
            ids: the runs'.
            began: the first and the last nanosecond in which one of their spans began, as far as that is known.
        """
        ...

    def values(self, names: tuple[str, ...], most: int) -> list[tuple[Any, str]] | None:
        """What the spans that the readers take as they are say of an attribute: each value with the run's id.

        ``None`` where the readers have to look, and where there are more.

        Args:
            names: the attributes; of those that a span or its resource has the first counts.
            most: pairs.
        """
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
