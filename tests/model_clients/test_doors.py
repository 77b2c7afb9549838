"""The doors of each client, and which test asks through each, in doors.txt: a door whose test is gone fails here."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from agentops_sdk._pipeline.registry import find_integrations

TESTS = Path(__file__).parents[1]

ROWS = [
    line.split() for line in Path(__file__).with_name("doors.txt").read_text().splitlines() if not line.startswith("#")
]


@cache
def _module(path: str) -> tuple[str, frozenset[str]]:
    source = (TESTS / path).read_text()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return source, frozenset(node.name for node in ast.parse(source).body if isinstance(node, kinds))


def test_each_door_has_its_test() -> None:
    wrong = []
    for client, door, test in ROWS:
        path, _, name = test.partition("::")
        source, names = _module(path)
        if name not in names or door not in source:
            wrong.append((client, door, test, name in names))
    assert not wrong


def test_each_client_is_an_integration_with_a_driver_of_its_own() -> None:
    clients = {client for client, _, _ in ROWS}
    assert clients <= find_integrations().keys()
    assert not [client for client in clients if not (TESTS / client / "contract.py").exists()]
