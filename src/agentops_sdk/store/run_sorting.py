"""The runs of files sorted for an engine that adds up: which it may, and which the readers have to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agentops_sdk.store.run_rules import BEHIND, FIGURES, RUN_COLUMNS, figures_of, inferred_of, unusual_of

if TYPE_CHECKING:
    from agentops_sdk.store.duckdb_store import DuckDBStore

__all__ = ["SortedRuns", "sort_runs"]


class SortedRuns(NamedTuple):
    """What was found.

    Attributes:
        plain: how many runs may be added up: those that the table ``unusual`` does not hold.
        figures: a query for :data:`agentops_sdk.store.run_rules.FIGURES` of each of these, where that was asked for.
    """

    plain: int
    figures: str


def sort_runs(store: DuckDBStore, *, infers: bool = False) -> SortedRuns:
    """Make the temporary table ``unusual``: the runs that are not plain.

    Of a run that lies in one packed file the file says it; the spans of all others are looked at.

    Args:
        store: where the runs are.
        infers: whether those in which something has to be inferred are among them, and figures are asked for.
    """
    columns = [name for key, name in RUN_COLUMNS.items() if infers or key not in FIGURES]
    store.own(f"CREATE OR REPLACE TEMP TABLE summed AS SELECT trace_id, {', '.join(columns)} FROM summed_runs")
    store.own(
        "CREATE OR REPLACE TEMP TABLE loose AS SELECT trace_id FROM unsummed WHERE trace_id IS NOT NULL"
        " UNION SELECT trace_id FROM summed GROUP BY trace_id HAVING count(*) > 1"
    )
    ((summed, loose),) = store.own("SELECT (SELECT count(*) FROM summed), (SELECT count(*) FROM loose)")
    spans = "(SELECT * FROM stored SEMI JOIN loose USING (trace_id))" if summed else "stored"
    told = RUN_COLUMNS["unusual"] + (f" OR {RUN_COLUMNS['inferred']}" if infers else "")
    store.own(
        "CREATE OR REPLACE TEMP TABLE unusual AS"
        f" SELECT trace_id FROM summed ANTI JOIN loose USING (trace_id) WHERE {told}"
    )
    figures = []
    if infers:
        listed = ", ".join(f"{RUN_COLUMNS[name]} AS {name}" for name in FIGURES)
        ours = "summed ANTI JOIN loose USING (trace_id) ANTI JOIN unusual USING (trace_id)"
        figures.append(f"SELECT trace_id, {listed} FROM {ours}")
    ((behind,),) = store.own(f"SELECT coalesce(bool_or({RUN_COLUMNS['behind']}), false) FROM summed")
    if loose:
        store.own(f"INSERT INTO unusual {unusual_of(spans)}")
        if infers:
            store.own(f"INSERT INTO unusual {inferred_of(spans)}")
            figures.append(figures_of(f"(SELECT * FROM {spans} AS s ANTI JOIN unusual USING (trace_id))"))
        behind = behind or store.own(f"SELECT coalesce(bool_or({BEHIND}), false) FROM {spans} AS s")[0][0]
    if behind:  # what it fetched was begun in another run
        store.own(
            "INSERT INTO unusual SELECT trace_id FROM stored WHERE trace_id IS NOT NULL AND response_id IN"
            f" (SELECT response_id FROM stored WHERE {BEHIND} AND response_id IS NOT NULL)"
        )
    ((plain,),) = store.own(
        "SELECT count(*) FROM (SELECT trace_id FROM summed UNION SELECT trace_id FROM loose) ANTI JOIN unusual"
        " USING (trace_id)"
    )
    return SortedRuns(plain, " UNION ALL ".join(figures))
