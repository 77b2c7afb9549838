"""Filters as SQL, as far as SQL tells: never fewer runs than meet them, which the readers then look at one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agentops_sdk.traces.search.filter_values import moment, words

if TYPE_CHECKING:
    from agentops_sdk.traces.search.filters import Filters

__all__ = ["Preselection", "preselection"]


class Preselection(NamedTuple):
    """What the store is asked.

    Attributes:
        query: for trace ids and starts; empty where the store can leave out nothing.
        exact: whether nothing is left for the readers to look at.
    """

    query: str
    exact: bool


_CARRIED: Final = {
    "session": "{} IN (SELECT trace_id FROM spans WHERE {session_id} OR {conversation_id})",
    "user": "{} IN (SELECT trace_id FROM spans WHERE {user_id})",
    "model": "{} IN (SELECT trace_id FROM spans WHERE {request_model} OR {response_model})",
    "service": "{} IN (SELECT trace_id FROM spans WHERE {service})",
    "agent": "{} IN (SELECT trace_id FROM spans WHERE {agent} OR (kind = 'agent' AND agent IS NULL))",
    "tool": "{} IN (SELECT trace_id FROM spans WHERE {tool} OR (kind = 'tool' AND tool IS NULL))",
}
"""Which spans a filter by words asks for, by its name; a column in braces stands for: is one of these words."""
_UNSAFE: Final = frozenset("'\\\"\n")


def preselection(filters: Filters) -> Preselection:
    """What to ask a store for.

    Raises:
        ConfigError: a filter's value is wrong.
    """
    inside: list[str] = []
    having: list[str] = []
    exact = True
    for name, value in filters.items():
        if value is None:
            continue
        if name in ("since", "until"):
            start = moment(name, value, end=name == "until")
            having.append(f"min(start_ns) {'>=' if name == 'since' else '<'} {start}")
        elif name in _CARRIED and (condition := _condition(_CARRIED[name], words(name, value))):
            inside.append(condition)
            exact = False
        elif name == "errors" and value is True:
            inside.append("trace_id IN (SELECT trace_id FROM spans WHERE outcome = 'error')")
            exact = False
        else:
            exact = False
    if not inside and not having:
        return Preselection("", exact=False)
    where = f" WHERE {' AND '.join(inside)}" if inside else ""
    after = f" HAVING {' AND '.join(having)}" if having else ""
    return Preselection(f"SELECT trace_id, min(start_ns) FROM spans{where} GROUP BY trace_id{after}", exact)


def _condition(template: str, texts: list[str]) -> str | None:
    if any(_UNSAFE & set(text) for text in texts):
        return None
    columns: dict[str, Any] = {
        name: "(" + " OR ".join(f"{name} LIKE '{text.replace('*', '%')}'" for text in texts) + ")"
        for name in ("session_id", "conversation_id", "user_id", "request_model", "response_model", "service", "agent",
                     "tool")
    }  # fmt: skip
    return template.format("trace_id", **columns)
