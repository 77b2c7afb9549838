"""Test runs in which something fails: fixtures set up again, reports, and what is kept of a recording."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply

MIXED = """
import pytest
from model_agent import chat

@pytest.mark.agentops_replay
def test_a_without():
    chat("a")

@pytest.mark.agentops_replay
def test_b_with():
    assert chat("b") == "You said: b"

@pytest.mark.agentops_replay
def test_c_without():
    chat("c")

class TestGroup:
    @pytest.mark.agentops_replay
    def test_d_with(self, traces):
        assert chat("d") == "You said: d"
"""


@pytest.mark.parametrize(
    "options", [(), ("-n", "2"), ("-p", "no:randomly", "--reruns=1")], ids=["one", "xdist", "rerun"]
)
def test_a_missing_recording_costs_no_other_test(
    run: Any, pytester: pytest.Pytester, model: LocalModel, options: tuple[str, ...]
) -> None:
    pytester.makepyfile(test_mixed=MIXED)
    run("-q", "--agentops-record", "-k", "with and not without").assert_outcomes(passed=2, deselected=2)
    result = run("-q", *options, plugins=("pytest_rerunfailures",))
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["errors"]) == (2, 2)
    output = result.stdout.str()
    assert "AssertionError" not in output
    assert "no recording at" in output


def test_a_refusal_in_any_fixture_costs_no_other_test(run: Any, pytester: pytest.Pytester) -> None:
    """Fixtures of the program's own, of every scope and sort, that ask a model which may not be asked."""
    pytester.makepyfile(
        test_refused="""
        import asyncio, openai, pytest

        def ask():
            client = openai.OpenAI(base_url="https://api.example.com/v1", api_key="k")
            return client.chat.completions.create(model="gpt-far", messages=[])

        asks = True

        @pytest.fixture
        def of_function():
            if asks: ask()
            return 1

        @pytest.fixture
        def yielding(of_function):
            yield of_function

        @pytest.fixture
        async def grouped():
            async def inner():
                if asks: ask()
            async with asyncio.TaskGroup() as group:
                group.create_task(inner())

        @pytest.fixture(scope="module")
        def of_module():
            if asks: ask()

        def test_one(of_function): pass
        def test_two(yielding): pass
        async def test_three(grouped): pass
        def test_four(of_module): pass
        def test_five(of_module): pass

        def test_no_more():
            global asks
            asks = False

        def test_six(of_function): assert of_function == 1
        def test_seven(yielding): assert yielding == 1
        async def test_eight(grouped): pass
        """
    )
    result = run("-q", "--agentops-no-network-models", "-o", "asyncio_mode=auto", plugins=("pytest_asyncio.plugin",))
    output = result.stdout.str()
    result.assert_outcomes(errors=5, passed=4)
    assert "AssertionError" not in output
    assert output.count("a model outside of loopback would have been called") >= 5


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one", "xdist"])
def test_the_report_of_a_run_with_deselected_tests(
    run: Any, pytester: pytest.Pytester, model: LocalModel, options: tuple[str, ...]
) -> None:
    pytester.makepyfile(
        """
        import warnings
        from model_agent import chat
        def test_one():
            warnings.warn("something")
            chat("a")
        def test_other(): chat("b")
        """
    )
    result = run("--agentops-report", "--agentops-traces=kept", "-k", "one", *options)
    result.assert_outcomes(passed=1, deselected=0 if options else 1, warnings=1)
    result.stdout.fnmatch_lines(["1 tests with agents: $*, 1 model calls"])


def test_subtests_count_once_and_a_failed_one_keeps_no_recording(
    run: Any, pytester: pytest.Pytester, model: LocalModel
) -> None:
    if not hasattr(pytest, "Subtests"):
        pytest.skip("this pytest has no subtests of its own")
    pytester.makepyfile(
        test_it="""
        import pytest
        from model_agent import chat

        @pytest.mark.agentops_replay
        def test_parts(subtests):
            with subtests.test("good"):
                chat("a")
            with subtests.test("bad"):
                assert chat("b") == "no"
        """
    )
    result = run("--agentops-report", "--agentops-record")
    result.stdout.fnmatch_lines(["1 tests with agents: $*, 2 model calls"])
    assert not (pytester.path / "replays/test_it/test_parts.json").exists()
    assert (pytester.path / "replays/test_it/test_parts.failed.json").exists()


MISMATCH = """
import asyncio, openai, pytest
from model_agent import chat

pytestmark = pytest.mark.agentops_replay
TEXT = "hi"

def deep(text):
    return chat(text)

def test_plain():
    deep(TEXT)

def test_wrapped():
    try: chat(TEXT)
    except BaseException as error: raise RuntimeError("the agent failed") from error

def test_swallowed():
    said = None
    try: said = chat(TEXT)
    except BaseException: pass
    assert said == "You said: hi"

def test_grouped():
    async def ask():
        async with openai.AsyncOpenAI() as client:
            await client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": TEXT}]
            )
    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(ask())
    asyncio.run(run())

@pytest.fixture
def prepared(agentops_replay):
    return chat(TEXT)

def test_in_a_fixture(prepared): pass
"""
NAMES = ("test_plain", "test_wrapped", "test_swallowed", "test_grouped", "test_in_a_fixture")


@pytest.mark.parametrize("options", [(), ("-n", "2"), ("--tb=short",)], ids=["one", "xdist", "short"])
def test_a_mismatch_says_so_first(
    run: Any, pytester: pytest.Pytester, model: LocalModel, options: tuple[str, ...]
) -> None:
    pytester.makepyfile(test_it=MISMATCH)
    run("-q", "--agentops-record").assert_outcomes(passed=5)
    pytester.makepyfile(test_it=MISMATCH.replace('TEXT = "hi"', 'TEXT = "ho"'))
    result = run("-q", *options)
    result.assert_outcomes(failed=4, errors=1)
    reports = _reports(result.stdout.lines)
    assert sorted(reports) == sorted(NAMES)
    for name, lines in reports.items():
        text = "\n".join(lines)
        assert lines[0].startswith(f"model request 1 differs from exchange 1 in {name}.json:"), text
        assert lines[1] == '  body.messages[0].content: recorded "hi", now "ho"'
        if name != "test_swallowed":
            assert "model_agent.py:" in text or "in ask" in text
        assert "site-packages" not in text
        assert "agentops_integrations" not in text
        assert len(lines) < 45, text
    assert "test_it.py:11: in test_plain" in "\n".join(reports["test_plain"])
    assert "test_it.py:8: in deep" in "\n".join(reports["test_plain"])
    assert 'assert said == "You said: hi"' in "\n".join(reports["test_swallowed"])  # what failed then is told as well


def test_a_full_traceback_comes_after_the_message(run: Any, pytester: pytest.Pytester, model: LocalModel) -> None:
    pytester.makepyfile(test_it=MISMATCH)
    run("-q", "--agentops-record", "-k", "plain").assert_outcomes(passed=1, deselected=4)
    pytester.makepyfile(test_it=MISMATCH.replace('TEXT = "hi"', 'TEXT = "ho"'))
    (lines,) = _reports(run("-q", "-k", "plain", "--full-trace").stdout.lines).values()
    assert lines[0].startswith("model request 1 differs")
    assert any("site-packages" in line for line in lines)


def _reports(lines: list[str]) -> dict[str, list[str]]:
    """The lines of each failed test's report, without its heading and what was captured."""
    reports: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        words = line.strip("_ ").removeprefix("ERROR at setup of ")
        if line.startswith("___") and words in NAMES:
            name = words
        elif line.startswith("==="):
            name = ""
        elif name and not line.startswith("[gw"):  # the worker's name
            reports.setdefault(name, []).append(line)
    return reports


TWO_REQUESTS = """
import pytest
from model_agent import chat

@pytest.mark.agentops_replay
def test_it():
    assert chat("one") == "You said: one"
    assert chat("two") == EXPECTED
"""
SECOND = '    assert chat("two")'
GOOD = TWO_REQUESTS.replace("EXPECTED", '"You said: two"')
BAD = TWO_REQUESTS.replace("EXPECTED", '"a typing error"')


def test_what_a_failed_recording_has_paid_for_is_not_paid_twice(
    run: Any, pytester: pytest.Pytester, model: LocalModel
) -> None:
    good, failed = (pytester.path / "replays/test_it" / name for name in ("test_it.json", "test_it.failed.json"))
    pytester.makepyfile(test_it=BAD)
    result = run("-q", "--agentops-record")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*test_it.failed.json: the next --agentops-record is answered from there*"])
    assert len(model.requests) == 2
    assert failed.exists()
    assert not good.exists()

    result = run("-q")  # nobody takes it for a good one
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no recording at *test_it.json*it reuses what a failed attempt left*"])

    pytester.makepyfile(test_it=GOOD + '    assert chat("three") == "You said: three"\n')
    run("-q", "--agentops-record").assert_outcomes(passed=1)
    assert len(model.requests) == 3
    assert not failed.exists()
    assert len(json.loads(good.read_text())["exchanges"]) == 3
    run("-q").assert_outcomes(passed=1)
    assert len(model.requests) == 3


def test_a_rerun_asks_the_model_anew(run: Any, pytester: pytest.Pytester, model: LocalModel) -> None:
    answers = iter(["bad", "bad", "You said: two"])
    model.script = lambda request: Reply(
        text="You said: one" if request["messages"][0]["content"] == "one" else next(answers)
    )
    pytester.makepyfile(test_it=GOOD)
    result = run("-q", "--agentops-record", "--reruns=2", plugins=("pytest_rerunfailures",))
    assert result.parseoutcomes()["passed"] == 1
    assert len(model.requests) == 6
    run("-q").assert_outcomes(passed=1)


def test_a_recording_of_a_test_that_was_interrupted_is_no_good_one(
    run: Any, pytester: pytest.Pytester, model: LocalModel
) -> None:
    pytester.makepyfile(
        test_it=TWO_REQUESTS.replace("EXPECTED", '"You said: two"').replace(
            '    assert chat("two")',
            '    import time; open("asked", "w").close(); time.sleep(60)\n    assert chat("two")',
        )
    )
    names = ("agentops_sdk.pytest_plugin",)
    command = [sys.executable, "-m", "pytest", "-q", "--agentops-record", *(part for n in names for part in ("-p", n))]
    process = subprocess.Popen(command, cwd=pytester.path, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not (pytester.path / "asked").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait(30)
    assert sorted(path.name for path in Path(pytester.path / "replays/test_it").iterdir()) == ["test_it.failed.json"]


def test_a_test_that_skips_itself_neither_writes_nor_complains(
    run: Any, pytester: pytest.Pytester, model: LocalModel
) -> None:
    pytester.makepyfile(test_it=GOOD)
    run("-q", "--agentops-record").assert_outcomes(passed=1)
    path = pytester.path / "replays/test_it/test_it.json"
    before = path.read_text()
    pytester.makepyfile(
        test_it=GOOD.replace('    assert chat("two")', '    pytest.skip("enough")\n    assert chat("two")')
    )
    for options in ((), ("--agentops-record",)):
        run("-q", *options).assert_outcomes(skipped=1)
        assert path.read_text() == before
        assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_an_expected_failure_is_recorded_and_replayed(run: Any, pytester: pytest.Pytester, model: LocalModel) -> None:
    pytester.makepyfile(test_it=BAD.replace("def test_it", "@pytest.mark.xfail\ndef test_it"))
    run("-q", "--agentops-record").assert_outcomes(xfailed=1)
    assert len(model.requests) == 2
    run("-q").assert_outcomes(xfailed=1)
    assert len(model.requests) == 2
