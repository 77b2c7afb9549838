"""A model that fails is not called for a while, another one is; what was done about it is a decision in the trace."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.limits import bodies
from tests.seen import Seen
from tests.wire.http import HANG, Reply, Request, Wire

import agentops_sdk as agentops
from agentops_sdk._limits import breakers
from agentops_sdk.cli import main
from agentops_sdk.exporters.memory import MemoryExporter

openai = pytest.importorskip("openai", reason="the calls are those of OpenAI's client")

MESSAGES: Any = [{"role": "user", "content": "hi"}]


class Service:
    """A server whose models fail with a status, and a clock that is set by hand."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.status: dict[str, int] = {}
        self.asked: list[str] = []
        self.now = 1000.0
        self.client: Any = None

    def __call__(self, request: Request) -> Reply:
        model = request.body["model"]
        self.asked.append(model)
        status = self.status.get(model, 200)
        if status == 200 and request.body.get("stream"):
            return bodies.stream()
        return Reply(bodies.body({"content": "hi"}) if status == 200 else {"error": {"message": "no"}}, status=status)

    def chat(self, model: str = "gpt-4o") -> Any:
        return self.client.chat.completions.create(model=model, messages=MESSAGES)

    def fail(self, times: int, model: str = "gpt-4o") -> None:
        for _ in range(times):
            with pytest.raises(openai.APIStatusError):
                self.chat(model)
        agentops.flush()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=["openai"])
    running = Service(Seen(exporter))
    monkeypatch.setattr(breakers, "clock", lambda: running.now)
    breakers._of_models.clear()
    with Wire(running) as wire, openai.OpenAI(api_key="none", base_url=wire.url, max_retries=0) as client:
        running.client = client
        yield running
    for rule in list(breakers.rules):
        breakers.remove(rule)


def test_it_opens_half_opens_and_closes(service: Service) -> None:
    agentops.breaker("error rate > 50 %", cooldown=30, least=4)
    service.status["gpt-4o"] = 503
    service.fail(4)
    with pytest.raises(agentops.BreakerOpen) as caught:
        service.chat()
    assert (caught.value.provider, caught.value.model, caught.value.retry_after) == ("openai", "gpt-4o", 30)
    assert len(service.asked) == 4
    service.chat("gpt-4o-mini")  # its own breaker
    refused = next(span for span in service.seen.all() if span.attributes.get("agentops.breaker.state") == "open")
    assert refused.attributes["agentops.decision.chosen"] == "refuse"
    assert f"{refused.context.trace_id:032x}" == caught.value.trace_id

    service.now += 31
    service.fail(1)  # the probe, which opens it again
    with pytest.raises(agentops.BreakerOpen):
        service.chat()
    service.now += 31
    service.status.clear()
    service.chat()
    agentops.flush()
    assert agentops.Breaker.states()["openai", "gpt-4o"] == "closed"
    service.chat()
    probe = next(span for span in service.seen.all() if span.attributes.get("agentops.breaker.state") == "half_open")
    assert any(event.attributes.get("agentops.decision.chosen") == "probe" for event in probe.events)


def test_a_stream_that_is_left_has_shown_that_the_model_answers(service: Service) -> None:
    agentops.breaker("error rate > 50 %", cooldown=30, least=2)
    service.status["gpt-4o"] = 503
    service.fail(2)
    service.now += 31
    service.status.clear()
    with service.client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True) as stream:
        next(stream)
    agentops.flush()
    assert service.seen.all()[-1].attributes["agentops.outcome"] == "abandoned"
    assert agentops.Breaker.states()["openai", "gpt-4o"] == "closed"


def test_a_call_that_a_breaker_or_a_pause_refuses_takes_nothing_of_a_limit(service: Service) -> None:
    with agentops.limits(model_calls=1):  # there were limits before there were breakers
        pass
    agentops.breaker(least=1)
    service.status["gpt-4o"] = 503
    service.fail(1)
    with agentops.limits(model_calls=2):
        for _ in range(3):
            with pytest.raises(agentops.BreakerOpen):
                service.chat()
        agentops.pause()
        for _ in range(3):
            with pytest.raises(agentops.Paused):
                service.chat("gpt-4o-mini")
        agentops.resume()
        service.chat("gpt-4o-mini")
        service.chat("gpt-4o-mini")
        with pytest.raises(agentops.LimitExceeded):
            service.chat("gpt-4o-mini")


def test_a_probe_that_a_limit_stops_makes_room_for_the_next(service: Service) -> None:
    agentops.breaker("error rate > 50 %", cooldown=30, least=1)
    service.status["gpt-4o"] = 503
    service.fail(1)
    service.now += 31
    service.status.clear()
    with agentops.limits(model_calls=0), pytest.raises(agentops.LimitExceeded):
        service.chat()
    agentops.flush()
    assert agentops.Breaker.states()["openai", "gpt-4o"] == "half_open"
    with agentops.limits(tokens=1, on_stream="end"):  # begins to answer, and is ended by us
        list(service.client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
    agentops.flush()
    assert agentops.Breaker.states()["openai", "gpt-4o"] == "closed"


def test_what_is_the_requests_own_fault_opens_nothing(service: Service) -> None:
    agentops.breaker(least=2)
    service.status["gpt-4o"] = 400
    service.fail(5)
    service.fail(1)


def test_what_is_paused_opens_nothing(service: Service) -> None:
    agentops.breaker(least=2)
    agentops.pause()
    for _ in range(5):
        with pytest.raises(agentops.Paused):
            service.chat()
        agentops.flush()
    agentops.resume()
    service.chat()


def test_only_so_many_see_how_it_is(service: Service) -> None:
    agentops.breaker("p50 latency > 1 ms", least=1, cooldown=1)
    service.chat()
    agentops.flush()
    service.now += 2
    service.chat()  # slow again
    with pytest.raises(agentops.BreakerOpen):
        service.chat()
    agentops.configure(sample_ratio=0.0)  # what is not exported counts all the same
    agentops.flush()
    assert agentops.Breaker.states()["openai", "gpt-4o"] == "open"


def test_what_nobody_waited_for_any_longer_was_slow() -> None:
    rules = [agentops.breaker("p50 latency > 10 ms", least=3), agentops.breaker("error rate > 0 %", least=1)]
    breakers._of_models.clear()
    agentops.init(exporters=["memory"], integrations=["openai"])

    async def asks(url: str) -> list[str]:
        errors = []
        async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0) as client:
            for _ in range(4):
                try:
                    async with asyncio.timeout(0.1):
                        await client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
                except (TimeoutError, agentops.BreakerOpen) as error:
                    errors.append(type(error).__name__)
                agentops.flush()
        return errors

    with Wire(lambda request: Reply(HANG)) as wire:
        assert asyncio.run(asks(wire.url)) == ["TimeoutError"] * 3 + ["BreakerOpen"]
    for rule in rules:
        rule.remove()


def test_removed_it_lets_every_call_be_made(service: Service) -> None:
    handle = agentops.breaker(least=1)
    service.status["gpt-4o"] = 500
    service.fail(1)
    handle.remove()
    service.fail(2)
    assert len(service.asked) == 3


def test_the_next_model_answers(service: Service) -> None:
    @agentops.fallback(["gpt-4o", "gpt-4o-mini"])
    def ask(question: str, *, model: str) -> str:
        return f"{model}: {service.chat(model).choices[0].message.content}"

    @agentops.fallback(["gpt-4o", "gpt-4o-mini"], on=openai.APIStatusError)
    async def ask_later(*, model: str) -> str:
        return str(service.chat(model).choices[0].message.content)

    service.status["gpt-4o"] = 503
    with agentops.testing.capture() as traces:
        assert ask("?") == "gpt-4o-mini: hi"
        assert asyncio.run(ask_later()) == "hi"
    decisions = [each for each in traces.decisions if each.name == "fallback"]
    assert [(each.chosen, each.by) for each in decisions] == [("gpt-4o-mini", "code")] * 2
    assert decisions[0].reason == "gpt-4o: InternalServerError"

    service.status["gpt-4o-mini"] = 500
    with pytest.raises(openai.InternalServerError):
        ask("?")
    before = len(service.asked)
    with agentops.limits(model_calls=0), pytest.raises(agentops.LimitExceeded):
        ask("?")
    assert len(service.asked) == before


def under_another_name(error: Exception) -> None:
    raise RuntimeError("a framework's own error") from error


def among_others(error: Exception) -> None:
    raise ExceptionGroup("of tasks", [ValueError(), ExceptionGroup("inner", [error])])


@pytest.mark.parametrize("told", [under_another_name, among_others])
def test_a_limit_ends_it_also(told: Callable[[Exception], None]) -> None:
    tried: list[str] = []

    @agentops.fallback(["a", "b"])
    def ask(*, model: str) -> None:
        tried.append(model)
        told(agentops.LimitExceeded("no", limit="cost", most=1.0, spent=1.0))

    with pytest.raises((RuntimeError, ExceptionGroup)):
        ask()
    assert tried == ["a"]


def test_a_generator_gets_what_is_sent_and_thrown_from_its_first_item_on() -> None:
    ended: list[str] = []

    def fails() -> Iterator[str]:
        raise ValueError
        yield

    def echoes() -> Generator[str, str, str]:
        sent = "first"
        try:
            while sent != "end":
                try:
                    sent = yield sent
                except KeyError:
                    sent = "thrown"
        finally:
            ended.append("plain")
        return "returned"

    async def echoes_async() -> AsyncGenerator[str, str]:
        sent = "first"
        try:
            while sent != "end":
                try:
                    sent = yield sent
                except KeyError:
                    sent = "thrown"
        finally:
            ended.append("async")

    def inside() -> Generator[str, str, None]:
        assert (yield from agentops.fallback([fails, echoes])()) == "returned"
        yield "over"

    stream = inside()
    assert [next(stream), stream.send("a"), stream.send("b"), stream.throw(KeyError())] == ["first", "a", "b", "thrown"]
    assert stream.send("end") == "over"
    thrown = agentops.fallback([fails, echoes])()
    assert (next(thrown), thrown.throw(KeyError()), thrown.close(), ended) == ("first", "thrown", None, ["plain"] * 2)

    async def read() -> list[str]:
        stream = agentops.fallback([echoes_async])()
        said = [await anext(stream), await stream.asend("a"), await stream.athrow(KeyError())]
        assert "async" not in ended
        await stream.aclose()
        return said

    assert asyncio.run(read()) == ["first", "a", "thrown"]
    assert ended == ["plain", "plain", "async"]


def test_functions_one_after_the_other_and_what_cannot_work() -> None:
    def fails(number: int) -> int:
        raise ValueError(number)

    def works(number: int) -> int:
        return number + 1

    assert agentops.fallback([fails, works])(1) == 2

    @agentops.fallback(["a", "b"])
    def stream(*, model: str) -> Iterator[str]:
        if model == "a":
            raise ValueError
        yield model
        yield "end"

    @agentops.fallback(["a", "b"])
    async def stream_async(*, model: str) -> AsyncIterator[str]:
        for item in stream.__wrapped__(model=model):  # type: ignore[attr-defined] # what it decorates
            yield item

    async def read() -> list[str]:
        return [item async for item in stream_async()]

    assert list(stream()) == asyncio.run(read()) == ["b", "end"]

    async def fails_later(number: int) -> int:
        raise ValueError(number)

    async def works_later(number: int) -> int:
        return number + 1

    # Plain functions that give coroutines, as the methods of some asynchronous clients do.
    with agentops.testing.capture() as traces:
        assert asyncio.run(agentops.fallback([lambda n: fails_later(n), lambda n: works_later(n)])(1)) == 2
        with pytest.raises(ValueError):
            asyncio.run(agentops.fallback([lambda n: fails_later(n)])(1))
    assert next(each.reason for each in traces.decisions).endswith(": ValueError")
    with pytest.raises(ValueError):
        agentops.fallback([fails, works], on=KeyError)(1)
    for arguments in (
        {"choices": []},
        {"choices": "gpt"},
        {"choices": ["a", works]},
        {"choices": ["a", None]},
        {"choices": ["a"], "on": 3},
    ):
        with pytest.raises(agentops.ConfigError):
            agentops.fallback(**arguments)  # type: ignore[arg-type] # wrong on purpose
    for decorated in (works, 3):  # neither takes a model
        with pytest.raises(agentops.ConfigError, match="argument"):
            agentops.fallback(["a", "b"])(decorated)
    for when in ("loop", "error rate of agents > 3 %", "cost > 3 usd", "error rate > 150 %"):
        with pytest.raises(agentops.ConfigError):
            agentops.breaker(when)
    with pytest.raises(agentops.ConfigError):
        agentops.breaker(over=0)


@pytest.mark.guard_swallows
def test_a_bug_lets_the_call_be_made(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    agentops.breaker(least=1)
    service.status["gpt-4o"] = 500
    service.fail(1)
    monkeypatch.setattr(breakers, "_probed", broken)
    service.status.clear()
    service.chat()
    monkeypatch.setattr(breakers, "_key", broken)
    service.chat()
    assert len(service.seen.all()) == 3


def test_what_was_refused_is_no_call_and_no_error_in_the_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    agentops.init(exporters=["jsonl"], integrations=[], directory=tmp_path)

    def ask(fails: type[Exception] | None = None) -> None:
        facts = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
        with agentops.span("run", kind="workflow"), agentops.span("chat", kind="llm", **facts):
            if fails is not None:
                raise fails

    rule = agentops.breaker("error rate > 50 %", least=2)
    ask()
    for _ in range(2):
        with pytest.raises(ConnectionError):
            ask(ConnectionError)
    agentops.flush()
    for _ in range(3):
        with pytest.raises(agentops.BreakerOpen):
            ask()
    rule.remove()
    with agentops.limits(model_calls=0), pytest.raises(agentops.LimitExceeded):
        ask()
    agentops.pause()
    with pytest.raises(agentops.Paused):
        ask()
    agentops.resume()
    agentops.shutdown()
    capsys.readouterr()
    assert main(["stats", "--json", "--dir", str(tmp_path)]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["calls"], row["errors"], row["refused"], row["traces"]) == (3, 2, 5, 8)
    assert main(["stats", "--dir", str(tmp_path)]) == 0
    assert "refused" in capsys.readouterr().out
