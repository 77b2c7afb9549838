"""The table of frameworks has a word for each cell, and names tests that there are."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def _scripts() -> None:
    sys.path.append(str(ROOT / "scripts"))


def test_every_cell_names_a_test_that_there_is_or_says_why_there_is_none() -> None:
    import framework_matrix as matrix

    functions: dict[Path, set[str]] = {}
    for framework, row in matrix.rows().items():
        assert row.keys() == {"title", "page", "distribution", "row", *matrix.COLUMNS}, framework
        assert matrix.version(row)
        for column in matrix.COLUMNS:
            cell = row[column]
            assert re.match(r"(none: .{8}|not tried|[\w/]+(\.py)?::test_)", cell), (framework, column)
            if (found := matrix.place(cell)) is None:
                continue
            file, name, parameter = found
            if file not in functions:
                functions[file] = {
                    node.name
                    for source in file.parent.glob("*.py")
                    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
                    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                }
            assert name in functions[file], (framework, column, cell)
            assert parameter is None or parameter in functions[file], (framework, column, cell)
