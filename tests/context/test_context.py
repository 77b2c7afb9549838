"""Session, user, conversation, tags and metadata land on every span below, wherever it runs."""

from __future__ import annotations

import asyncio
import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import agentops_sdk as agentops


def about(span: Any) -> dict[str, Any]:
    names = ("session.id", "user.id", "gen_ai.conversation.id", "agentops.tags", "agentops.metadata.plan", "shop")
    found = {name: span.attributes[name] for name in names if name in span.attributes}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


def test_values_land_below_and_nowhere_else(seen: Any) -> None:
    with agentops.span("before"):
        pass
    with agentops.context(session_id="s1", user_id="u1", conversation_id="c1", tags=["a"], metadata={"plan": "pro"},
                          shop=7):  # fmt: skip
        with agentops.span("in"), agentops.context(user_id="u2", tags=["b", "a"]), agentops.span("inner"):
            pass
        with agentops.span("again"):
            pass
    with agentops.span("after"):
        pass
    whole = {"session.id": "s1", "user.id": "u1", "gen_ai.conversation.id": "c1", "agentops.tags": ("a",),
             "agentops.metadata.plan": "pro", "shop": 7}  # fmt: skip
    assert about(seen.one("in")) == about(seen.one("again")) == whole
    assert about(seen.one("inner")) == {**whole, "user.id": "u2", "agentops.tags": ("a", "b")}
    assert about(seen.one("before")) == about(seen.one("after")) == {}


def test_as_a_decorator_of_every_shape(seen: Any) -> None:
    inside = agentops.context(session_id="s")

    @inside
    def plain() -> None:
        with agentops.span("plain"):
            pass

    @inside
    async def coroutine() -> None:
        await asyncio.sleep(0)
        with agentops.span("coroutine"):
            pass

    @inside
    def generator() -> Any:
        with agentops.span("generator"):
            yield 1

    @inside
    async def stream() -> Any:
        with agentops.span("stream"):
            yield 1

    class Thing:
        @inside
        @staticmethod
        def static() -> None:
            with agentops.span("static"):
                pass

    async def main() -> None:
        await asyncio.gather(*[coroutine() for _ in range(5)])
        async for _ in stream():
            with agentops.span("consumer"):
                pass

    plain()
    Thing.static()
    for _ in generator():
        with agentops.span("consumer"):
            pass
    asyncio.run(main())
    sessions = {span.name: span.attributes.get("session.id") for span in seen.all()}
    assert sessions == dict.fromkeys(("plain", "coroutine", "generator", "stream", "static"), "s") | {"consumer": None}


def test_one_block_object_in_many_threads_and_tasks(seen: Any) -> None:
    inside = agentops.context(session_id="s")
    gate = threading.Barrier(8)

    def work() -> None:
        with inside:
            gate.wait(10)
            with inside, agentops.span("in"):
                gate.wait(10)
        with agentops.span("out"):
            pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [(span.name, span.attributes.get("session.id")) for span in seen.all()]
    assert sorted(found, key=str) == [("in", "s")] * 8 + [("out", None)] * 8


@pytest.mark.parametrize(
    ("odd", "kept"),
    [({"tags": "one"}, {"agentops.tags": ["one"]}), ({"tags": [1]}, {"agentops.tags": ["1"]}),
     ({"metadata": [1]}, {"agentops.invalid.metadata": "[1]"})],
)  # fmt: skip
def test_what_cannot_be_is_kept_and_marked(odd: dict[str, Any], kept: dict[str, Any], seen: Any) -> None:
    with agentops.context(**odd), agentops.span("step"):
        pass
    found = seen.one("step").attributes
    assert {name: found[name] for name in kept} == kept
    assert found["agentops.invalid"] == list(odd)


# --- threads ----------------------------------------------------------------------------------------


def leaf(name: str) -> str | None:
    with agentops.span(name):
        return agentops.current_trace_id()


def test_threads_carry_the_trace_without_being_asked(seen: Any) -> None:
    class Own(threading.Thread):
        def run(self) -> None:
            leaf("own run")

    async def main() -> None:
        await asyncio.get_running_loop().run_in_executor(None, leaf, "run_in_executor")
        await asyncio.to_thread(leaf, "to_thread")

    with agentops.span("root"), agentops.context(session_id="s"):
        threads = [threading.Thread(target=leaf, args=("target",)), Own(), threading.Timer(0, leaf, ("timer",))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with ThreadPoolExecutor(2) as pool:
            pool.submit(leaf, "submit").result()
            assert len(set(pool.map(leaf, ["map 1", "map 2"]))) == 1
        asyncio.run(main())
    tree = seen.tree()
    assert tree.pop("root") is None
    assert tree == dict.fromkeys(
        ("target", "own run", "timer", "submit", "map 1", "map 2", "run_in_executor", "to_thread"), "root"
    )
    assert {span.attributes.get("session.id") for span in seen.all() if span.name != "root"} == {"s"}


def test_a_pool_started_inside_does_not_keep_its_first_span(seen: Any) -> None:
    with ThreadPoolExecutor(1) as pool:
        with agentops.span("first"):
            pool.submit(leaf, "one").result()
        pool.submit(leaf, "two").result()
        with agentops.span("second"):
            pool.submit(leaf, "three").result()
    tree = seen.tree()
    assert (tree["one"], tree["two"], tree["three"]) == ("first", None, "second")


def test_everything_is_put_back() -> None:
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit
    agentops.init(exporters=["memory"], integrations=[])
    assert threading.Thread.start is not start
    agentops.shutdown()
    assert threading.Thread.start is start
    assert ThreadPoolExecutor.submit is submit


def test_switched_off() -> None:
    exporter_before = threading.Thread.start
    agentops.init(exporters=["memory"], integrations=[], propagate_threads=False)
    assert threading.Thread.start is exporter_before


def test_a_thread_that_fails_or_is_started_twice_behaves_as_ever(seen: Any) -> None:
    with agentops.span("root"):
        thread = threading.Thread(target=functools.partial(leaf, "leaf"))
        thread.start()
        thread.join()
        with pytest.raises(RuntimeError, match="threads can only be started once"):
            thread.start()
        with ThreadPoolExecutor(1) as pool:
            failed = pool.submit(int, "x")
            assert isinstance(failed.exception(), ValueError)
            with pytest.raises(TypeError):
                pool.submit()  # type: ignore[call-arg]  # wrong on purpose
    assert "run" not in vars(thread)


# --- agents -----------------------------------------------------------------------------------------


def test_the_nearest_agent_is_named_on_every_span_below(seen: Any) -> None:
    @agentops.tool
    def look_up() -> None:
        with agentops.span("step"):
            pass

    @agentops.agent(name="Billing", attributes={"gen_ai.agent.id": "b-1"})
    def billing() -> None:
        thread = threading.Thread(target=look_up)
        thread.start()
        thread.join()

    @agentops.agent(name="Triage")
    def triage() -> None:
        with agentops.span("think"):
            pass
        agentops.handoff("Billing", reason="an invoice")

    @agentops.workflow
    def run() -> None:
        triage()
        billing()

    run()
    agents = {span.name: span.attributes.get("gen_ai.agent.name") for span in seen.all()}
    assert agents == {"invoke_workflow run": None, "invoke_agent Triage": "Triage", "think": "Triage",
                      "invoke_agent Billing": "Billing", "execute_tool look_up": "Billing",
                      "step": "Billing"}  # fmt: skip
    assert seen.one("step").attributes["gen_ai.agent.id"] == "b-1"
    triage_span, billing_span = seen.one("invoke_agent Triage"), seen.one("invoke_agent Billing")
    (link,) = billing_span.links
    assert link.context.span_id == triage_span.context.span_id
    assert dict(link.attributes) == {"agentops.link.type": "handoff", "agentops.handoff.from": "Triage",
                                     "agentops.handoff.to": "Billing"}  # fmt: skip
    (event,) = triage_span.events
    assert event.attributes["agentops.handoff.reason"] == "an invoice"


def test_a_handoff_to_an_agent_that_runs_inside_is_linked_from_both_ends(seen: Any) -> None:
    with agentops.span("A", kind="agent"):
        agentops.handoff("B")
        with agentops.span("B", kind="agent"):
            pass
        with agentops.span("B", kind="agent"):
            pass  # the handoff is taken once
    first, second = sorted((s for s in seen.all() if s.name == "invoke_agent B"), key=lambda s: s.start_time)
    origin = seen.one("invoke_agent A")
    assert [link.context.span_id for link in first.links] == [origin.context.span_id]
    assert [link.context.span_id for link in origin.links] == [first.context.span_id]
    assert not second.links


def test_a_conversation_whose_id_comes_late_is_that_of_what_begins_from_then_on(seen: Any) -> None:
    with agentops.span("greet", kind="workflow") as run:
        with agentops.span("before"):
            pass
        run.set("gen_ai.conversation.id", "c1")
        with agentops.span("clerk", kind="agent"), agentops.span("after"):
            pass
    with agentops.span("another"):
        pass
    told = {span.name.split()[-1]: span.attributes.get("gen_ai.conversation.id") for span in seen.all()}
    assert told == {"greet": "c1", "before": None, "clerk": "c1", "after": "c1", "another": None}
