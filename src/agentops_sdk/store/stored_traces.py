"""The runs of a store as the readers' own traces: what is looked at is fetched, some hundreds of runs at a time.

Long because what is chosen and what is fetched go by the same answers of the store.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, Unpack

from agentops_sdk import semconv
from agentops_sdk.store.preselection import preselection
from agentops_sdk.traces.classify import OWN_SCOPE
from agentops_sdk.traces.files import TraceEntry, Traces
from agentops_sdk.traces.search.attribute_condition import order_in, value_test
from agentops_sdk.traces.search.filters import attributes_of, conditions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from agentops_sdk.store.result import Store
    from agentops_sdk.traces.figures.table_rows import Stats
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.search.filters import Filters
    from agentops_sdk.traces.trace import Trace

__all__ = ["StoredTraces"]

_RUNS: Final = 500
"""Runs that are fetched together."""
_BATCHES: Final = 4
"""Batches that are kept, so that what is asked twice is fetched once."""
_VALUES: Final = 4
"""Values of an attribute that a run has on average, up to which runs are chosen by them."""
_QUIET: Final = 3600 * 10**9
"""After as many nanoseconds without a new span no more of them are expected of a run."""


class StoredTraces(Traces):
    """Runs of a store, latest first. What they hold is worked out by the same code as that of files.

    Memory does not grow with the number of spans: some hundred bytes for each run, and a few hundred runs in full.
    """

    def __init__(
        self,
        store: Store,
        attributes: Iterable[str] = (),
        ids: Sequence[tuple[str, int]] | None = None,
        whole: StoredTraces | None = None,
    ) -> None:
        """See which runs there are, or take some of them from the ``whole``, which has been asked already.

        Raises:
            AgentOpsError: the store cannot be asked.
        """
        super().__init__()
        self._store = store
        self._attributes = tuple(attributes)
        self._batches: OrderedDict[int, Traces] = OrderedDict()
        self._positions: dict[str, int] = {}
        self._cut: list[str] | None = None
        """Runs and what was thought of them, in the order in which batches are cut, where that is more than these."""
        self._together: Traces | None = None
        self._is_part = ids is not None
        self._last: dict[str, int] = {}
        """When the last span of a run began, where that makes its spans found faster."""
        self._valued: tuple[tuple[str, ...], list[tuple[Any, str]] | None] | None = None
        """The attributes by whose values runs were chosen last, and what the store says of them."""
        self._every: Mapping[str, TraceEntry] = self._entries
        """Those of the whole that this is a part of."""
        self._quiet = 0
        """What began later may not be all yet."""
        if whole is not None:
            self._every, self._last = whole._every, whole._last  # noqa: SLF001 - of this class
            self._quiet, self._together = whole._quiet, whole._together  # noqa: SLF001 - of this class
        if ids is None:
            ids = self._listed()
            self.unreadable += store.not_read
            self.notes += store.remarks
        for trace_id, start in ids:
            self._entries[trace_id] = TraceEntry(start, array("I"))

    def _runs(self, query: str) -> list[tuple[str, int]]:
        return [(str(trace_id), int(start)) for trace_id, start in self._store.query(query).rows]

    def _listed(self) -> list[tuple[str, int]]:
        if not self._store.is_sorted_by_time:
            return self._runs("SELECT trace_id, min(start_ns) FROM spans GROUP BY trace_id")
        ids = []
        for name, first, last in self._store.query(
            "SELECT trace_id, min(start_ns), max(start_ns) FROM spans GROUP BY trace_id"
        ).rows:
            trace_id = str(name)
            ids.append((trace_id, int(first)))
            self._last[trace_id] = int(last)
        self._quiet = max(self._last.values(), default=0) - _QUIET
        return ids

    # --- some of them --------------------------------------------------------------------------

    def where(self, *texts: str, **filters: Unpack[Filters]) -> StoredTraces:
        """The runs that meet every filter: chosen roughly by the store, exactly by the readers.

        Raises:
            ConfigError: a filter's value is wrong.
        """
        if texts:
            where = filters.get("where") or ()
            filters["where"] = [*texts, *([where] if isinstance(where, str) else where)]
        wanted = conditions(filters)
        if not wanted:
            return self
        filters, orders = self._without_orders(filters)
        filters, by_value = self._without_values(filters)
        rough = preselection(filters)
        queries = [*orders, *([rough.query] if rough.query else [])]
        sets = [*by_value, *({each for each, _ in self._runs(query)} for query in queries)]
        chosen = set.intersection(*sets) if sets else None
        attributes = (*self._attributes, *attributes_of(filters))
        some = self
        if chosen is not None or not {*attributes} <= {*self._attributes}:
            kept = [(each, self._entries[each].start_ns) for each in self.ids if chosen is None or each in chosen]
            some = StoredTraces(self._store, attributes, kept, self)
        remarks: list[str] = []
        if not rough.exact and filters:
            kept = []
            for batch in some._whole_batches():
                matching = batch.where(**filters)
                remarks += [remark for remark in matching.notes if remark not in batch.notes]
                kept += [(each, self._entries[each].start_ns) for each in matching.ids if each in some._entries]
            unfiltered = some
            some = StoredTraces(self._store, attributes, kept, self)
            cut = unfiltered._cut or unfiltered.ids  # noqa: SLF001 - of this class
            if len(cut) <= _RUNS * _BATCHES:  # all of it is here already
                some._positions = unfiltered._all_positions  # noqa: SLF001 - of this class
                some._batches, some._together = unfiltered._batches, unfiltered._together  # noqa: SLF001 - of this class
        elif some is self:
            some = StoredTraces(
                self._store, attributes, [(each, self._entries[each].start_ns) for each in self.ids], self
            )
        some.unreadable += self.unreadable
        some.notes += [*self.notes, *dict.fromkeys(remarks)]
        return some

    @property
    def runs(self) -> StoredTraces:
        """Those that are more than what somebody thought of another one, or of a session."""
        only = "min(CASE WHEN feedback_target IS NULL THEN 0 ELSE 1 END) = 1"
        verdicts = dict(self._runs(f"SELECT trace_id, min(start_ns) FROM spans GROUP BY trace_id HAVING {only}"))
        kept = [(each, entry.start_ns) for each, entry in self._entries.items() if each not in verdicts]
        if len(kept) == len(self._entries):
            return self
        some = StoredTraces(self._store, self._attributes, kept, self)
        some._cut, some._positions = self._cut or self.ids, self._all_positions
        some._batches, some._together = self._batches, self._together
        some.unreadable += self.unreadable
        return some

    def _without_orders(self, filters: Filters) -> tuple[Filters, list[str]]:
        """The filters less those on numbers that rows hold as texts, and the questions that these become."""
        where = filters.get("where") or ()
        kept: list[str] = []
        queries: list[str] = []
        for text in [where] if isinstance(where, str) else where:
            order = order_in(text)
            number = self._store.number(order[0]) if order is not None else None
            if order is None or number is None:
                kept.append(text)
                continue
            condition = f"{number} {order[1]} {order[2]!r}"
            queries.append(f"SELECT trace_id, min(start_ns) FROM spans WHERE {condition} GROUP BY trace_id")
        if not queries:
            return filters, queries
        rest: Filters = {**filters, "where": kept}
        if not kept:
            del rest["where"]
        return rest, queries

    def _without_values(self, filters: Filters) -> tuple[Filters, list[set[str]]]:
        """The filters less those on values that the store knows, and for each of these the runs that meet it."""
        where = filters.get("where") or ()
        kept: list[str] = []
        sets: list[set[str]] = []
        for text in [where] if isinstance(where, str) else where:
            chosen = self._meeting(text)
            if chosen is None:
                kept.append(text)
            else:
                sets.append(chosen)
        if not sets:
            return filters, sets
        rest: Filters = {**filters, "where": kept}
        if not kept:
            del rest["where"]
        return rest, sets

    def _meeting(self, text: str) -> set[str] | None:
        """The runs that meet a condition on an attribute's value; ``None`` where only the readers can tell."""
        test = value_test(text)
        if test is None or not self._store.is_sorted_by_time:
            return None
        names, holds = test
        if self._valued is None or self._valued[0] != names:
            self._valued = names, self._store.values(names, _VALUES * len(self._entries) + _RUNS)
        values = self._valued[1]
        if values is None:
            return None
        met = {value: holds(value) for value in {value for value, _ in values}}
        chosen = {trace_id for value, trace_id in values if met[value]}
        # Of what another recorder made of a step the readers make something else.
        foreign = f"SELECT DISTINCT trace_id FROM spans WHERE kind = 'span' AND scope NOT IN ('', '{OWN_SCOPE}')"
        others = {str(trace_id) for (trace_id,) in self._store.query(foreign).rows} & self._entries.keys()
        if not others:
            return chosen
        kept = [(each, self._entries[each].start_ns) for each in self.ids if each in others]
        part = StoredTraces(self._store, (*self._attributes, *names), kept, self)
        found = {each for batch in part._whole_batches() for each in batch.where(text).ids}
        return (chosen - others) | found

    def _whole_batches(self) -> Iterator[Traces]:
        for position in range(0, len(self._cut or self.ids), _RUNS):
            yield self._batch(position)

    # --- one of them ---------------------------------------------------------------------------

    def _trace(self, trace_id: str) -> Trace:
        return self._holding(trace_id)._trace(trace_id)  # noqa: SLF001 - of this class's base

    def records(self, trace_id: str) -> Iterator[SpanRecord]:
        """The records of one run."""
        return self._holding(trace_id).records(trace_id)

    def _holding(self, trace_id: str) -> Traces:
        return self._batch(self._all_positions[trace_id])

    @property
    def _all_positions(self) -> dict[str, int]:
        """Where the batch of each run begins in the order."""
        if not self._positions:
            self._positions = {each: number - number % _RUNS for number, each in enumerate(self.ids)}
        return self._positions

    def _batch(self, position: int) -> Traces:
        """The runs from a place in the order on, in full."""
        batch = self._batches.get(position)
        if batch is None:
            batch = self._batches[position] = Traces(self._attributes)
            ids = (self._cut or self.ids)[position : position + _RUNS]
            for line in self._store.lines(ids, self._began(ids)):
                batch.add_line(line)
            self._share_background(batch)
            self.foreign += batch.foreign
            if len(self._batches) > _BATCHES:
                self._batches.popitem(last=False)
        else:
            self._batches.move_to_end(position)
        return batch

    def _began(self, ids: Sequence[str]) -> tuple[int, int | None] | None:
        """From when to when the spans of these runs began; wider where one may have gone on since it was asked for.

        A run's outermost step begins first and comes last.
        """
        if not self._last or not ids:
            return None
        first, last = min(self._every[each].start_ns for each in ids), max(self._last[each] for each in ids)
        return (first, last) if last < self._quiet else (first - _QUIET, None)

    def _share_background(self, batch: Traces) -> None:
        """Work that one run begins and another one reads counts once, whichever batch they are in."""
        if self._together is None:
            self._together = Traces()
            query = "SELECT trace_id, min(start_ns) FROM spans WHERE {} GROUP BY trace_id"
            work = "(usage_of IS NOT NULL OR operation = 'fetch_response')"
            begun = f"response_id IN (SELECT response_id FROM spans WHERE {work} AND response_id IS NOT NULL)"
            ids = [trace_id for trace_id, _ in self._runs(query.format(work))]
            if ids:
                ids = [trace_id for trace_id, _ in self._runs(query.format(f"{work} OR {begun}"))]
            for line in self._store.lines(ids):
                self._together.add_line(line)
        batch._background = self._together._background  # noqa: SLF001 - of this class's base

    def sums(self, by: str) -> Stats | None:
        """The table of ``stats`` from the engine's own sums; ``None`` where only the readers can tell."""
        from agentops_sdk.store.clickhouse_store import ClickHouseStore
        from agentops_sdk.store.duckdb_store import DuckDBStore

        if self._is_part:
            return None
        if isinstance(self._store, DuckDBStore):
            from agentops_sdk.store.duckdb_sums import sums

            return sums(self._store, by)
        if isinstance(self._store, ClickHouseStore):
            from agentops_sdk.store.clickhouse_sums import sums as sums_of_fleet

            return sums_of_fleet(self._store, by)
        return None

    # --- across them ---------------------------------------------------------------------------

    def stopped_at(self, checkpoint: str) -> list[str]:
        """Ids of the runs in which a graph ended at this checkpoint."""
        return self._with(semconv.GRAPH_CHECKPOINT_ID, checkpoint)

    def resumed_from(self, checkpoint: str) -> list[str]:
        """Ids of the runs in which a graph went on from this checkpoint."""
        return self._with(semconv.GRAPH_RESUMED_FROM, checkpoint)

    def _with(self, attribute: str, value: str) -> list[str]:
        """Ids of the runs with this attribute, the latest last."""
        if "'" in value or "\\" in value:
            return []
        column = self._store.attribute(attribute)
        query = f"SELECT trace_id, min(start_ns) FROM spans WHERE {column} = '{value}' GROUP BY trace_id ORDER BY 2"
        return [trace_id for trace_id, _ in self._runs(query)]
