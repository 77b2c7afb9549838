"""What a compiled graph says of itself: its name, what it is, and where each node may go."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

_AGENTS = frozenset(("agent", "model"))
_PREBUILT = frozenset(("langchain_create_agent", "langchain_create_react_agent"))


@dataclass(slots=True)
class GraphStructure:
    """A graph at the moment its run starts.

    Attributes:
        graph: which one it is, by identity.
        edges: fixed edges, by the node they leave.
        ends: where a node's commands may go, by node, as far as the graph declares it.
        routes: names of the conditional edges, by the node they leave.
    """

    run_name: str
    is_agent: bool
    graph: int
    edges: dict[str, list[str]] = field(default_factory=dict)
    ends: dict[str, list[str]] = field(default_factory=dict)
    routes: dict[str, Collection[str]] = field(default_factory=dict)


def structure_of(graph: Any, config: Mapping[str, Any]) -> GraphStructure:
    """Read a graph's builder; a graph without one (the functional API) has no edges to tell."""
    structure = GraphStructure(str(config.get("run_name") or graph.name), _is_agent(graph), id(graph))
    builder = getattr(graph, "builder", None)
    for begin, end in getattr(builder, "edges", None) or ():
        structure.edges.setdefault(begin, []).append(end)
    for begins, end in getattr(builder, "waiting_edges", None) or ():
        for begin in begins:
            structure.edges.setdefault(begin, []).append(end)
    for node, about in (getattr(builder, "nodes", None) or {}).items():
        ends = getattr(about, "ends", None)
        if ends:
            structure.ends[node] = [str(end) for end in ends]
    for node, branches in (getattr(builder, "branches", None) or {}).items():
        structure.routes[node] = tuple(branches)
    return structure


def _is_agent(graph: Any) -> bool:
    """Whether the graph is a prebuilt agent: a model in a loop with tools."""
    own = (getattr(graph, "config", None) or {}).get("metadata") or {}
    if own.get("ls_integration") in _PREBUILT or own.get("lc_agent_name"):
        return True
    nodes = set(getattr(graph, "nodes", None) or ())
    return "tools" in nodes and bool(nodes & _AGENTS)
