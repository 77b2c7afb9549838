"""What the pipeline looks for in an exporter is written down, ours keep to it, and a plain one needs none of it."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

import agentops_sdk as agentops
from agentops_sdk._pipeline.registry import exporter_names
from agentops_sdk.config import resolve
from agentops_sdk.exporters import contract

SOURCE = Path(contract.__file__).read_text()
PACKAGE = Path(agentops.__file__).parent
EXPORTERS = PACKAGE / "exporters"
LOOK = re.compile(r"(?:getattr|hasattr)\(\s*(?:self\.|sink\.)?exporter,\s*\"(\w+)\"")


def _options() -> dict[str, ast.stmt]:
    """The members of ``SinkOptions``, as its source says."""
    tree = next(node for node in ast.walk(ast.parse(SOURCE)) if getattr(node, "name", None) == "SinkOptions")
    assert isinstance(tree, ast.ClassDef)
    (only_for_checkers,) = [node for node in tree.body if isinstance(node, ast.If)]
    members = [node for node in only_for_checkers.body if isinstance(node, ast.FunctionDef | ast.AnnAssign)]
    return {node.name if isinstance(node, ast.FunctionDef) else node.target.id: node for node in members}  # type: ignore[union-attr]  # members have plain names


def test_every_member_that_is_looked_for_is_in_the_contract() -> None:
    looked_for = {name for path in PACKAGE.rglob("*.py") for name in LOOK.findall(path.read_text())}
    by_list = {"imports", "background_imports"}
    assert looked_for | by_list == set(_options()) == set(contract.OPTIONS)


def test_at_run_time_it_offers_nothing() -> None:
    assert not {name for name in contract.OPTIONS if hasattr(contract.SinkOptions, name)}


@pytest.mark.parametrize("name", exporter_names())
def test_ours_keep_to_it(name: str, tmp_path: Path) -> None:
    module = importlib.import_module(f"agentops_sdk.exporters.{name}")
    sources = (path for path in EXPORTERS.rglob("*.py") if "_CREATE: Create = create" in path.read_text())
    checked = {path.relative_to(EXPORTERS).parts[0].removesuffix(".py") for path in sources}
    assert name in checked, "not checked by the type checker"
    argument = "http://127.0.0.1:9/" if name == "otlp" else None
    exporter = module.create(argument, resolve({"directory": str(tmp_path)}))
    try:
        assert isinstance(exporter, contract.SinkOptions)
        for method in ("export", "force_flush", "shutdown"):
            assert callable(getattr(exporter, method))
        public = {member for member in dir(type(exporter)) if not member.startswith("_")}
        assert public & contract.OPTIONS, "no option at all: it needs not inherit"
        for option, node in _options().items():
            if not hasattr(exporter, option):
                continue
            member = inspect.getattr_static(exporter, option)
            is_method = isinstance(node, ast.FunctionDef) and not node.decorator_list
            assert inspect.isfunction(member) == is_method, option
            if is_method:
                expected = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]  # type: ignore[union-attr]  # an option is a method here
                assert list(inspect.signature(member).parameters) == expected, option
        if hasattr(exporter, "stats"):
            stats = exporter.stats()
            assert stats["accepted"] == stats["exported"] + stats["pending"] + sum(stats["dropped"].values())
    finally:
        exporter.shutdown()


class Plain(SpanExporter):
    """Somebody else's: OpenTelemetry's interface and nothing more."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.ended = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.names += [span.name for span in spans]
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self.ended += 1


class ByShape:
    """The same without inheriting, and with the members that a wrapper around an exporter has: any at all."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def export(self, spans: Sequence[ReadableSpan]) -> Any:
        self.names += [span.name for span in spans]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True

    def shutdown(self) -> None:
        """Nothing."""


def test_a_plain_exporter_needs_none_of_it() -> None:
    plain, shaped = Plain(), ByShape()
    assert not contract.OPTIONS & set(dir(plain))
    agentops.init(exporters=[plain, shaped], integrations=[])
    with agentops.span("work"):
        pass
    assert agentops.flush().remaining == 0
    assert plain.names == shaped.names == ["work"]
    accounts = agentops.status().sinks
    assert [(each.accepted, each.exported, each.lost) for each in accounts.values()] == [(1, 1, 0)] * 2
    agentops.shutdown()
    assert plain.ended == 1
