"""Looking at our modules runs nothing: whoever reads every attribute finds values, whoever uses one gets the thing."""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import agentops_sdk

WALK = """
import doctest, inspect, sys, threading

def look():
    before, threads = set(sys.modules), threading.active_count()
    seen = 0
    for module_name, module in list(sys.modules.items()):
        if not module_name.startswith(("agentops_sdk", "agentops_integrations")):
            continue
        names = {*dir(module), *vars(module), *getattr(module, "__all__", ())}
        for name in names:
            value = getattr(module, name)
            seen += 1
            repr(value), callable(value), hash(id(value)), isinstance(value, (type, int))
            for probe in ("__wrapped__", "__warningregistry__", "__test__", "_pytestfixturefunction"):
                hasattr(value, probe)
            inspect.unwrap(value) if callable(value) else None
            [check(value) for check in (inspect.isroutine, inspect.isclass, inspect.ismodule, inspect.isdatadescriptor)]
        inspect.getmembers(module)
        inspect.getmembers(module, inspect.isfunction)
        doctest.DocTestFinder(exclude_empty=False).find(module)
    assert seen > 50
    assert set(sys.modules) - before == set(), sorted(set(sys.modules) - before)
    assert threading.active_count() == threads
"""


def run(code: str, cwd: Path) -> str:
    """Run a program of its own, in which warnings are errors."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize(
    "begin",
    [
        "import agentops_sdk",
        "import agentops_sdk.pytest_plugin",
        "import agentops_sdk.traces.decisions.wording, agentops_sdk.testing.replay, agentops_sdk.prices",
        "from agentops_sdk import *",
        "import agentops_sdk; agentops_sdk.init(integrations=[]); agentops_sdk.shutdown()",
        "import agentops_sdk.cli, agentops_sdk.integration, agentops_integrations.openai",
    ],
    ids=["bare", "plugin", "parts", "star", "used", "others"],
)
def test_reading_every_attribute_imports_nothing(begin: str, tmp_path: Path) -> None:
    run(f"{begin}\n{WALK}\nlook()\nlook()\n", tmp_path)


def test_a_frozen_clock(tmp_path: Path) -> None:
    """With the plugin loaded, as in every test run, and pydantic not yet used."""
    pytest.importorskip("freezegun", reason="freezegun is not installed")
    run(
        """
        import sys, warnings
        import agentops_sdk.pytest_plugin
        from freezegun import freeze_time
        with freeze_time("2024-01-01"):
            assert "pydantic" not in sys.modules
        from datetime import datetime
        from pydantic import BaseModel
        class Model(BaseModel):
            moment: datetime
        Model(moment=datetime.now())
        """,
        tmp_path,
    )


def test_dir_shows_the_public_names(tmp_path: Path) -> None:
    for package in (agentops_sdk, agentops_sdk.traces, agentops_sdk.testing, agentops_sdk.prices):
        assert dir(package) == sorted(package.__all__)
        assert not [name for name in dir(package) if name.startswith("_")]


@pytest.mark.parametrize("package", ["", "traces", "testing", "prices"])
def test_types_and_values_name_the_same(package: str) -> None:
    """What type checkers see, what is loaded, and what is promised."""
    module = getattr(agentops_sdk, package) if package else agentops_sdk
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    imported = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert imported - {"__version__"} == set(module.__all__)


ORDERS = [
    "import agentops_sdk as agentops",
    "import agentops_sdk.track, agentops_sdk.context, agentops_sdk.decision; import agentops_sdk as agentops",
    "import agentops_sdk.status, agentops_sdk.health, agentops_sdk.feedback; import agentops_sdk as agentops",
    "from agentops_sdk.track import track; from agentops_sdk import feedback; import agentops_sdk as agentops",
    "from agentops_sdk.testing.replay import Recording; import agentops_sdk.feedback; import agentops_sdk as agentops",
    "from agentops_sdk.traces.display.render import text; import agentops_sdk.prices.pricing, agentops_sdk as agentops",
    "import agentops_sdk as agentops; agentops.init(integrations=[]); agentops.shutdown()",
]


@pytest.mark.parametrize("order", ORDERS)
def test_public_names_work_whatever_was_imported_first(order: str, tmp_path: Path) -> None:
    run(
        f"""
        {order}
        import inspect, types
        for name in ("track", "context", "decision", "feedback", "status", "health"):
            assert not isinstance(getattr(agentops, name), types.ModuleType), name
        with agentops.testing.capture() as traces:
            @agentops.track(kind="agent")
            def work():
                with agentops.context(tags=["a"]), agentops.decision("way", options=["x"]) as choice:
                    choice.choose("x")
                agentops.feedback(name="good", value=True)
                assert isinstance(agentops.current_span(), agentops.Span)
            work()
        assert len(traces.one().decisions) == 1
        assert isinstance(traces.one().spans[0], agentops.traces.SpanRecord)
        assert agentops.prices.cost("gpt-4o", input_tokens=1).amount > 0
        assert not agentops.status().enabled
        assert agentops.health().status == "ok"
        from agentops_sdk.traces import SpanRecord, load
        from agentops_sdk.testing import capture, replay
        from agentops_sdk import track, Status
        assert inspect.isclass(SpanRecord) and inspect.isclass(Status)
        assert inspect.isfunction(load) and inspect.isfunction(capture) and inspect.isfunction(track)
        """,
        tmp_path,
    )


def test_every_exception_can_be_caught_before_anything_is_loaded(tmp_path: Path) -> None:
    """A stand-in in an ``except`` clause would take the place of the exception that passes it."""
    run(
        """
        import agentops_sdk as agentops
        for package in (agentops, agentops.testing, agentops.traces, agentops.prices):
            for name in dir(package):
                if name.endswith("Error"):
                    assert issubclass(getattr(package, name), BaseException), name
                    assert isinstance(getattr(package, name), type), name
        try:
            try:
                raise LookupError
            except (agentops.testing.ReplayError, agentops.testing.NetworkModelError, agentops.TraceError):
                raise AssertionError
        except LookupError:
            pass
        """,
        tmp_path,
    )


def test_a_class_that_is_not_loaded_yet_can_be_used_as_one(tmp_path: Path) -> None:
    run(
        """
        import inspect, pickle, sys
        import agentops_sdk as agentops
        Status, Trace, init, app = agentops.Status, agentops.traces.Trace, agentops.init, agentops.status_app
        assert inspect.iscoroutinefunction(app.__call__)  # how servers tell an ASGI application
        assert "agentops_sdk.status" not in sys.modules
        assert "exporters" in inspect.signature(init).parameters
        assert "ConfigError" in inspect.getdoc(init)
        import pydantic
        class Answer(pydantic.BaseModel):
            status: Status | None = None
            trace_id: str = ""
        assert isinstance(Answer(status=agentops.status()).status, Status)
        class Mine(Status): pass
        assert issubclass(Mine, Status) and issubclass(Mine, agentops.Status)
        assert Status.model_fields["enabled"]
        assert pickle.loads(pickle.dumps(init)) is agentops.init
        assert repr(Trace) == "<agentops_sdk.traces.Trace>"
        """,
        tmp_path,
    )


def test_asgi_servers_know_the_application(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="uvicorn is not installed")
    run(
        """
        import agentops_sdk as agentops, uvicorn
        config = uvicorn.Config(agentops.status_app)
        config.load()
        assert config.interface == "asgi3", config.interface
        """,
        tmp_path,
    )
