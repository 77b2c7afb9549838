"""The pytest plugin: fixtures, markers and options.

Every test run imports this module: it must stay light, and what it needs it imports when it is used.
It is long because pytest looks for a plugin's hooks in one module.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from agentops_sdk.gates.gate_verdict import GateVerdict
    from agentops_sdk.testing.recordings.network import NoNetworkModels
    from agentops_sdk.testing.replay import Outcome, Recording
    from agentops_sdk.testing.results import CapturedTraces

_captured: pytest.StashKey[CapturedTraces] = pytest.StashKey()
_recording: pytest.StashKey[Recording] = pytest.StashKey()
_network: pytest.StashKey[NoNetworkModels] = pytest.StashKey()
_outcome: pytest.StashKey[Outcome] = pytest.StashKey()
_verdict: pytest.StashKey[GateVerdict | str] = pytest.StashKey()

# What the hooks below and a program's own calls need while a test still has its way with the interpreter.
_NEEDED = (
    "agentops_sdk.health",
    "agentops_sdk.lifecycle",
    "agentops_sdk.status",
    "agentops_sdk.testing.plugin.pytest_refusal",
    "agentops_sdk.testing.plugin.pytest_run",
)

_LIMITS = {
    "max_cost": "US dollars that one test may cost",
    "max_tokens": "tokens that one test may use",
    "max_llm_calls": "model calls that one test may make",
    "max_duration": "seconds that the runs of one test may take",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("agentops", "testing agents")
    group.addoption("--agentops-report", action="store_true", help="report the cost, tokens and durations of the tests")
    group.addoption("--agentops-traces", metavar="DIR", help="keep the traces of failed tests in DIR")
    group.addoption("--agentops-html", metavar="DIR", help="write a page (HTML) for each failed test into DIR")
    group.addoption(
        "--agentops-no-network-models", action="store_true", help="fail tests that would call a model over the network"
    )
    group.addoption(
        "--agentops-record", action="store_true", help="record the models' answers in tests marked agentops_replay"
    )
    group.addoption("--agentops-keep", metavar="DIR", help="keep the traces of all tests in DIR: a baseline for later")
    group.addoption(
        "--agentops-baseline", metavar="DIR", help="fail if the tests' runs are surely worse than the traces in DIR"
    )
    group.addoption("--agentops-rules", metavar="FILE", help="the rules by which they are judged, as of agentops gate")
    for name, meaning in _LIMITS.items():
        parser.addini(f"agentops_{name}", f"{meaning}, unless a marker overrides it", default="")
    parser.addini(
        "agentops_replay_mode", "strict or lenient: whether a request must equal the recorded one", default="strict"
    )


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Have pytest import our modules as Python does, without explaining their assertions.

    It rewrites all modules of a plugin's distribution. A thread of ours imports some of them, and where two threads
    make syntax trees at once, one can get a SystemError (seen with Python 3.11.7).
    """
    names = getattr(early_config.pluginmanager.rewrite_hook, "_must_rewrite", None)  # pytest has no public way
    if isinstance(names, set):
        names -= {"agentops_sdk", "agentops_integrations"}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"agentops({', '.join(_LIMITS)}): limits on what the test may use")
    config.addinivalue_line(
        "markers",
        'agentops_replay(mode="strict", tools=False, path=None): answer model requests from a recording',
    )
    if not config.option.agentops_baseline:
        return
    told_by_xdist = getattr(config, "workerinput", None)
    if told_by_xdist is not None:  # its workers judge nothing
        config.option.agentops_keep = told_by_xdist["agentops_keep"]
        return
    from agentops_sdk.testing.plugin.pytest_gate import begin

    begin(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist where the runs are kept."""
    node.workerinput["agentops_keep"] = node.config.option.agentops_keep


# --- fixtures ---------------------------------------------------------------------------------


@pytest.fixture
def agentops_traces(request: pytest.FixtureRequest) -> Iterator[CapturedTraces]:
    """Everything that this test records, in memory: queries and assertions on what the agents did."""
    from agentops_sdk.testing.capture_session import capture
    from agentops_sdk.testing.plugin.preload import preload

    preload(*_NEEDED)
    with capture() as traces:
        request.node.stash[_captured] = traces
        yield traces


@pytest.fixture
def traces(agentops_traces: CapturedTraces) -> CapturedTraces:
    """The same as ``agentops_traces``, unless the project has a fixture of this name."""
    return agentops_traces


@pytest.fixture(scope="class")
def agentops_class_traces() -> Iterator[CapturedTraces]:
    """What all tests of a class record, and its fixtures."""
    from agentops_sdk.testing.capture_session import capture

    with capture() as traces:
        yield traces


@pytest.fixture(scope="module")
def agentops_module_traces() -> Iterator[CapturedTraces]:
    """What all tests of a module record, and its fixtures."""
    from agentops_sdk.testing.capture_session import capture

    with capture() as traces:
        yield traces


@pytest.fixture
def agentops_replay(request: pytest.FixtureRequest) -> Iterator[Recording]:
    """Models answer from the recording beside the test; with ``--agentops-record`` it is made."""
    from agentops_sdk.testing.plugin.preload import preload
    from agentops_sdk.testing.plugin.pytest_replay import replay_for

    preload(*_NEEDED)
    # A test that was interrupted has no outcome: nobody can say that its recording is good.
    with replay_for(request.node, lambda: request.node.stash.get(_outcome, "failed")) as recording:
        request.node.stash[_recording] = recording
        yield recording


# --- hooks ------------------------------------------------------------------------------------


def pytest_itemcollected(item: pytest.Item) -> None:
    names = getattr(item, "fixturenames", None)
    if names is None:
        return
    if item.get_closest_marker("agentops_replay") is not None and "agentops_replay" not in names:
        names.insert(0, "agentops_replay")  # before the fixtures that make clients
    marked = any(item.get_closest_marker(name) is not None for name in ("agentops", "agentops_replay"))
    if "agentops_traces" not in names and (marked or _wants_all(item.config)):
        names.append("agentops_traces")


def _wants_all(config: pytest.Config) -> bool:
    return bool(
        config.option.agentops_report
        or config.option.agentops_traces
        or config.option.agentops_keep
        or any(config.getini(f"agentops_{name}") for name in _LIMITS)
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if not item.config.option.agentops_no_network_models:
        return (yield)
    from agentops_sdk.testing.recordings.http_boundary import watched
    from agentops_sdk.testing.recordings.network import NoNetworkModels

    guard = item.stash[_network] = NoNetworkModels()
    with watched(guard):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> Generator[None, object, object]:
    """Our errors that are no ``Exception`` become failures, which pytest remembers of a fixture as its result.

    Of any other error it remembers nothing, and from 9.1 on the fixture can then not be set up again.
    """
    try:
        return (yield)
    except Exception:
        raise
    except BaseException as error:
        failure = None
        if _could_refuse():
            from agentops_sdk.testing.plugin.pytest_refusal import as_failure

            failure = as_failure(error)
        if failure is None:
            raise
        fixturedef.cached_result = (None, fixturedef.cache_key(request), (failure, None))
        raise failure from error


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    if _outcome in item.stash:  # of an earlier try
        del item.stash[_outcome]
    result = yield
    _check_network(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    result = yield
    _check_network(item)
    recording = item.stash.get(_recording, None)
    if recording is not None:
        recording.check()
    traces = item.stash.get(_captured, None)
    if traces is not None:
        from agentops_sdk.testing.plugin.pytest_run import check_budget

        check_budget(item, traces)
    return result


def _check_network(item: pytest.Item) -> None:
    """A refusal that the program swallowed fails the test all the same."""
    guard = item.stash.get(_network, None)
    if guard is not None and guard.refused:
        pytest.fail("\n".join(guard.refused), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    traces, recording = item.stash.get(_captured, None), item.stash.get(_recording, None)
    if traces is not None and call.when == "call":
        from agentops_sdk._host.guard import guard
        from agentops_sdk.testing.plugin.pytest_run import keep, note_figures

        with guard("pytest.figures"):
            note_figures(item, traces)
            if item.config.option.agentops_keep and traces:
                keep(item, traces, item.config.option.agentops_keep)
    report = yield
    _note_outcome(item, call, report)
    if report.failed and (traces is not None or recording is not None or _could_refuse()):
        from agentops_sdk._host.guard import guard

        with guard("pytest.report"):  # a report of ours must not cost one of pytest's
            _explain(item, call, report, traces, recording)
    return report


def _explain(
    item: pytest.Item,
    call: pytest.CallInfo[Any],
    report: pytest.TestReport,
    traces: CapturedTraces | None,
    recording: Recording | None,
) -> None:
    """Add to the report of a test that failed: what was refused, its trace, what became of its recording."""
    if _could_refuse():
        from agentops_sdk.testing.plugin.pytest_refusal import put_first

        network = item.stash.get(_network, None)
        refused = [*(network.refused if network else ()), *(recording.problems if recording else ())]
        put_first(item, call, report, refused if call.when != "teardown" else ())
    if traces is not None and call.when == "call":
        from agentops_sdk.testing.plugin.pytest_run import explain

        explain(item, call, report, traces)
    if recording is not None:
        report.sections += [("agentops replay", text) for text in recording.remarks()]


def _could_refuse() -> bool:
    """Whether anything has been loaded that refuses requests; if not, no error is one of ours."""
    return "agentops_sdk.testing.recordings.http_boundary" in sys.modules


def _note_outcome(item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
    """A test has passed once all of its body has; a subtest that failed counts, also where pytest overlooks it."""
    if report.failed:
        item.stash[_outcome] = "failed"
    elif not _is_of_a_subtest(report) and item.stash.get(_outcome, None) != "failed":
        if call.when == "call" and (report.passed or hasattr(report, "wasxfail")):
            item.stash[_outcome] = "passed"
        elif report.skipped:
            item.stash[_outcome] = "skipped"


def _is_of_a_subtest(report: pytest.TestReport) -> bool:
    return type(report).__name__.lower() == "subtestreport"  # pytest's own since 9.0, a plugin's before


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    if not any(type(side).__module__.startswith("agentops_sdk.") for side in (left, right)):
        return None
    from agentops_sdk.testing.plugin.pytest_run import compared

    return compared(op, left, right)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Once all tests have run, here or in workers, their runs are judged: the session fails as if a test had."""
    result = yield
    config = session.config
    if config.option.agentops_baseline and not hasattr(config, "workerinput"):
        from agentops_sdk.testing.plugin.pytest_gate import judged

        verdict = config.stash[_verdict] = judged(config)
        if isinstance(verdict, str) or verdict.code == 2:
            raise pytest.UsageError("agentops gate: no data for what was to be judged")
        session.testsfailed += verdict.code
    return result


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    verdict = config.stash.get(_verdict, None)
    if verdict is not None:
        from agentops_sdk.testing.plugin.pytest_gate import lines as verdict_lines

        terminalreporter.section("agentops gate")
        for line in verdict_lines(verdict):
            terminalreporter.write_line(line)
    if not (config.option.agentops_report or config.option.agentops_traces):
        return
    from agentops_sdk.testing.plugin.pytest_run import kept, summary

    # Among the reports are items that were deselected, and warnings; subtests repeat the figures of their test.
    reports = [
        report
        for category in terminalreporter.stats.values()
        for report in category
        if isinstance(report, pytest.TestReport) and not _is_of_a_subtest(report)
    ]
    lines = list(summary(reports)) if config.option.agentops_report else []
    if commands := kept(reports):
        lines += [
            f"traces of failed tests are in {Path(config.option.agentops_traces)}:",
            *(f"  {one}" for one in commands),
        ]
    if lines:
        terminalreporter.section("agentops")
        for line in lines:
            terminalreporter.write_line(line)
