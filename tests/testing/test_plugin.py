"""The plugin in test runs of their own, each a process: fixtures in every setting, limits, options, workers."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET

import pytest
from examples.local_model import LocalModel

SETTINGS = """
import asyncio, threading, unittest
import pytest
import agentops_sdk as agentops
from agent import planner, search

def test_plain(agentops_traces):
    planner("a")
    agentops_traces.assert_tool_called("search", args={"q": "a"}, times=1)

def test_only_this_test(traces):
    assert not traces

def test_both_names_are_one(traces, agentops_traces):
    assert traces is agentops_traces

def test_the_program_calls_init(traces, tmp_path):
    agentops.init(directory=tmp_path)
    planner("b")
    agentops.shutdown()
    assert len(traces.one().spans) == 2
    assert not list(tmp_path.iterdir())

@pytest.mark.parametrize("q", ["c", "d"])
def test_parametrised(traces, q):
    planner(q)
    assert traces.tool_calls.one().arguments == {"q": q}

def test_threads(traces):
    threads = [threading.Thread(target=planner, args=(str(n),)) for n in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert len(traces) == 4

async def test_pytest_asyncio(traces):
    await asyncio.gather(*(asyncio.to_thread(planner, str(n)) for n in range(3)))
    assert len(traces) == 3

@pytest.mark.anyio
async def test_anyio(traces):
    planner("e")
    assert len(traces) == 1

@pytest.fixture(scope="class")
def once(agentops_class_traces):
    planner("set up")
    return agentops_class_traces

class TestOfOneClass:
    def test_one(self, once, traces):
        planner("one")
        assert len(once) == 2 and len(traces) == 1

    def test_two(self, once):
        planner("two")
        assert len(once) >= 2  # a worker may run this test alone

@pytest.fixture(scope="module")
def finished(agentops_module_traces):
    planner("for all")
    return agentops_module_traces

def test_module(finished, traces):
    assert len(finished.spans("planner")) >= 1
    assert not traces

class TestUnittest(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _traces(self, agentops_traces):
        self.traces = agentops_traces

    def test_with_fixture(self):
        planner("f")
        self.traces.assert_tools(["search"])

    def test_with_context(self):
        traces = self.enterContext(agentops.testing.capture())
        planner("g")
        self.assertEqual(len(traces), 1)

    @pytest.mark.agentops(max_llm_calls=0)
    def test_marked(self):
        planner("h")

tries = []

@pytest.mark.flaky(reruns=2)
def test_reruns_start_anew(traces):
    tries.append(1)
    planner("i")
    assert len(traces) == 1
    assert len(tries) == 3
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_fixtures_in_every_setting(run, pytester: pytest.Pytester, options: tuple[str, ...]) -> None:
    pytester.makepyfile(test_settings=SETTINGS)
    result = run(
        "-o", "asyncio_mode=auto", *options, plugins=("pytest_asyncio.plugin", "anyio", "pytest_rerunfailures")
    )
    result.assert_outcomes(passed=16)
    assert "2 rerun" in result.stdout.str()
    assert not (pytester.path / ".agentops").exists()


def test_a_projects_own_traces_fixture_wins(run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef traces(): return 'mine'\n")
    pytester.makepyfile("def test_it(traces): assert traces == 'mine'\n")
    run().assert_outcomes(passed=1)


LIGHT = ["agentops_sdk"] + [
    f"agentops_sdk.{name}"
    for name in (
        "_lazy", "_lazy_pattern", "_version", "addresses", "errors", "experiments", "prices", "pytest_plugin",
        "testing", "testing.anything", "testing.refusals", "traces"
    )
]  # fmt: skip
"""What every test run pays for: names, and what errors are made of."""


def test_the_plugin_is_found_and_loads_nothing(run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makepyfile(
        f"""
        import sys
        before = set(sys.modules)
        def test_it(pytestconfig):
            assert pytestconfig.pluginmanager.has_plugin("agentops")
            ours = sorted(name for name in before if name.startswith("agentops_sdk"))
            assert ours == {LIGHT}
        """
    )
    pytester.path.joinpath("agent.py").unlink()
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
    code = "import pytest, sys; had = {*sys.modules}; import agentops_sdk.pytest_plugin; print(*{*sys.modules} - had)"
    loaded = pytester.run(sys.executable, "-c", code).stdout.str().split()
    assert sorted(loaded) == LIGHT


def test_a_failing_test_shows_its_tree_once(run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_fails="""
        from agent import planner
        def test_plain(traces):
            planner("a")
            assert 1 == 2
        def test_ours(traces):
            planner("b")
            traces.assert_no_tool_called("search")
        """
    )
    output = run().stdout.str()
    plain, ours = output.split("test_ours ___")[0], output.split("test_ours ___")[1]
    assert "agentops trace" in plain
    assert "■ execute_tool search" in plain
    assert "agentops trace" not in ours
    assert "E       > └─ ■ execute_tool search" in ours
    assert "assert_calls.py" not in ours  # the failure is where the test's own line is


def test_budgets_by_marker_and_by_configuration(run, pytester: pytest.Pytester, model: LocalModel) -> None:
    pytester.makeini("[pytest]\nagentops_max_llm_calls = 1\n")
    pytester.makepyfile(
        test_budgets="""
        import pytest
        from model_agent import chat

        def test_default_holds(): chat("a")
        def test_default_fails(): chat("a"); chat("b")
        @pytest.mark.agentops(max_llm_calls=2)
        def test_marker_wins(): chat("a"); chat("b")
        @pytest.mark.agentops(max_cost=0.05, max_tokens=10_000, max_duration=30)
        def test_all_hold(): chat("a")
        @pytest.mark.agentops(max_cost=0.000001)
        def test_cost(): chat("a")
        @pytest.mark.agentops(max_tokens=10)
        def test_tokens(): chat("a" * 100)
        @pytest.mark.agentops(max_duration=0)
        def test_duration(): chat("a")
        @pytest.mark.agentops(max_money=1)
        def test_mistaken(): chat("a")
        """
    )
    result = run("-q")
    result.assert_outcomes(passed=3, failed=5)
    output = result.stdout.str()
    assert "expected at most 1 model call, there were 2" in output
    assert "expected a cost of at most $1e-06, it is $" in output
    assert "expected at most 10 tokens, there were" in output
    assert "expected to take at most 0 s, it took" in output
    assert "max_money=1: expected a limit: max_cost, max_tokens, max_llm_calls, max_duration" in output
    assert "<- 1st call" in output


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_report_junit_and_kept_traces(
    run, pytester: pytest.Pytester, model: LocalModel, options: tuple[str, ...]
) -> None:
    pytester.makepyfile(
        test_report="""
        from model_agent import chat
        def test_good(): chat("a")
        def test_bad(): assert chat("b") == "no"
        def test_nothing(): pass
        """
    )
    result = run("--agentops-report", "--agentops-traces=kept", "--junitxml=out.xml", *options)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*= agentops =*",
            "2 tests with agents: $*, * tokens, 2 model calls",
            "slowest:",
            "*1 calls  test_report.py::test_*",
            "traces of failed tests are in kept:",
            "  agentops show kept/test_report.py--test_bad.jsonl",
        ]
    )
    cases = {case.get("name"): case for case in ET.parse(pytester.path / "out.xml").iter("testcase")}
    told = {each.get("name"): each.get("value") for each in cases["test_good"].iter("property")}
    assert told["agentops_llm_calls"] == "1"
    assert float(told["agentops_cost"]) > 0
    assert int(told["agentops_tokens"]) > 0
    assert not list(cases["test_nothing"].iter("property"))
    (kept,) = (pytester.path / "kept").iterdir()
    shown = pytester.run(sys.executable, "-m", "agentops_sdk", "show", str(kept))
    assert shown.ret == 0
    shown.stdout.fnmatch_lines(["*invoke_agent chat*", "*chat gpt-4o-mini*"])


def test_no_network_models(run, pytester: pytest.Pytester, model: LocalModel) -> None:
    pytester.makepyfile(
        test_network="""
        import asyncio, openai, threading
        from model_agent import chat

        FAR = "https://api.example.com/v1"

        def ask():
            client = openai.OpenAI(base_url=FAR, api_key="k")
            return client.chat.completions.create(model="gpt-far", messages=[])

        def test_local_is_fine():
            assert chat("hello") == "You said: hello"

        def test_far():
            ask()

        def test_hidden():
            try: ask()
            except BaseException: pass

        def test_in_a_thread():
            thread = threading.Thread(target=test_hidden)
            thread.start()
            thread.join()

        def test_async_and_streamed():
            async def run():
                client = openai.AsyncOpenAI(base_url=FAR, api_key="k")
                await client.responses.create(model="gpt-far", input="x", stream=True)
            asyncio.run(run())
        """
    )
    result = run("-q", "--agentops-no-network-models", "--tb=short")
    result.assert_outcomes(passed=1, failed=4)
    output = result.stdout.str()
    said = (
        "a model outside of loopback would have been called: POST https://api.example.com/v1/chat/completions (gpt-far)"
    )
    assert output.count(said) >= 3
    assert "https://api.example.com/v1/responses (gpt-far)" in output


REPLAYED = """
import pytest
from model_agent import chat

pytestmark = pytest.mark.agentops_replay

@pytest.mark.parametrize("text", ["one", "two/three"])
def test_chat(text):
    assert chat(text) == f"You said: {text}"

class TestGroup:
    def test_stream(self, traces, agentops_replay):
        import openai
        with openai.OpenAI() as client:
            chunks = client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}], stream=True
            )
            assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "You said: hi"
        assert len(traces.llm_calls) == 1
"""


def test_record_once_then_replay(
    run, pytester: pytest.Pytester, model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(test_replayed=REPLAYED)
    result = run("-q")
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["*no recording at *test_chat-one.json: create it with pytest --agentops-record*"])
    run("-q", "--agentops-record").assert_outcomes(passed=3)
    files = sorted(path.relative_to(pytester.path).as_posix() for path in pytester.path.glob("replays/**/*.json"))
    assert files == [
        "replays/test_replayed/TestGroup.test_stream.json",
        "replays/test_replayed/test_chat-one.json",
        "replays/test_replayed/test_chat-two-three.json",
    ]
    asked = len(model.requests)
    model.stop()
    monkeypatch.delenv("OPENAI_API_KEY")
    run("-q", "-n", "2", "--agentops-no-network-models").assert_outcomes(passed=3)
    assert len(model.requests) == asked

    pytester.makepyfile(test_replayed=REPLAYED.replace('"You said: {text}"', '"No: {text}"').replace('"hi"', '"ho"'))
    result = run("-q")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(['*body.messages*0*.content: recorded "hi", now "ho"*'])
    pytester.makepyfile(test_replayed=REPLAYED.replace('"content": "hi"', '"content": "ho"'))
    run("-q", "-o", "agentops_replay_mode=lenient").assert_outcomes(passed=3)


def test_a_failing_test_leaves_the_old_recording(run, pytester: pytest.Pytester, model: LocalModel) -> None:
    pytester.makepyfile(test_it=REPLAYED)
    run("-q", "--agentops-record").assert_outcomes(passed=3)
    path = pytester.path / "replays/test_it/test_chat-one.json"
    before = path.read_text()
    pytester.makepyfile(test_it=REPLAYED + "\n    pass\ndef test_more(): chat('x'); assert 0\n")
    run("-q", "--agentops-record", "-k", "more").assert_outcomes(failed=1)
    assert not (path.parent / "test_more.json").exists()
    assert path.read_text() == before
    assert json.loads(before)["format"] == 1


def test_plain_asserts_explain_themselves(run, pytester: pytest.Pytester, model: LocalModel) -> None:
    pytester.makepyfile(
        test_plain="""
        from model_agent import chat
        def test_cost(traces):
            chat("a")
            assert traces.cost < 0.0000001
        def test_calls(traces):
            chat("a")
            assert traces.llm_calls == []
        def test_text(traces):
            chat("a")
            assert traces == "agent chat"
        """
    )
    result = run("-q")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            "E       assert $0.00000* < 1e-07",
            "E         > └─ ◆ chat gpt-4o-mini*  <- $0.00000*",
            "E       assert <1 spans: gpt-4o-mini> == *",
            "E         > └─ ◆ chat gpt-4o-mini*",
            "E       assert the traces are not as in the text (- expected, + captured)",
            'E         +   llm gpt-4o-mini -> "You said: a"',
        ],
        consecutive=False,
    )


@pytest.mark.parametrize("marked", [True, False], ids=["rewritten", "as-it-is"])
def test_our_modules_are_imported_as_python_does(run, pytester: pytest.Pytester, marked: bool) -> None:
    # A checkout's files are not those of a distribution: they are marked here as an installed wheel's are.
    again = 'def pytest_configure(): pytest.register_assert_rewrite("agentops_sdk")' if marked else ""
    pytester.makeconftest(f"import pytest\n{again}\n")
    pytester.makepyfile(
        early='import pytest; pytest.register_assert_rewrite("agentops_sdk", "agentops_integrations")',
        test_loader=f"""
        def test_it():
            import agentops_sdk.testing.assertions.tree_pattern as ours
            assert (type(ours.__loader__).__name__ == "AssertionRewritingHook") is {marked}
        """,
    )
    run(plugins=("early",)).assert_outcomes(passed=1)
