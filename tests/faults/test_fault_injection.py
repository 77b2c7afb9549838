"""Never break the host: any function of ours may fail, and the program's calls go on as if we were not there.

Every function and method of the capture and pipeline rooms and of the OpenAI integration is replaced,
one at a time, by one that raises; then the same program runs as without us and must see the same.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import inspect
import json
import logging
import pkgutil
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.openai.bodies import CHAT, CHAT_CHUNKS, MESSAGES, TOOLS, USAGE_CHUNK
from tests.wire.http import Reply, Request, Wire, sse

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

openai = pytest.importorskip("openai", reason="needs the openai client")

PACKAGES = (
    "agentops_sdk._host", "agentops_sdk._snapshot", "agentops_sdk._scrub", "agentops_sdk._propagation",
    "agentops_sdk._capture", "agentops_sdk._genai", "agentops_sdk._http", "agentops_sdk._track",
    "agentops_sdk._recorder", "agentops_sdk._pipeline", "agentops_integrations.openai",
)  # fmt: skip
MODULES = ("agentops_sdk.track", "agentops_sdk.spans", "agentops_sdk.decision", "agentops_sdk.context")
# Made by the language for named tuples and dataclasses, or never part of a call.
GENERATED = {"_asdict", "_make", "_replace", "__getnewargs__", "__repr__", "__eq__", "__hash__", "__new__",
             "__getstate__", "__setstate__", "__setattr__", "__delattr__"}  # fmt: skip

# What the program itself calls or iterates: the thin shells around its own code. Each holds guarded
# calls only; it cannot be replaced by something that raises, as it *is* what the program calls.
SHELLS = {
    "guard.guard.__enter__", "guard.guard.__exit__", "guard.guard.__init__",  # the net itself
    # What the program names: its arguments are checked, and a wrong one is told by an exception.
    "spans.trace.__init__", "decision.decision.__init__", "decision._check", "context.context.__init__",
    "context._Attached.__init__", "span_handle.Span.__init__", "span_handle.Span.set",
    # Stand next to the program's own code, guarded calls of ours on either side of it.
    "intercept.around", "intercept.around_async", "intercept._accepted",
    "call.Call.attach", "call.Call.detach", "call.Call.finish", "call.Call.fail",
    "exchange.Exchange.attach", "exchange.Exchange.detach", "exchange.Exchange.fail",
    "generated._GeneratedExchange.attach", "generated._GeneratedExchange.detach",
    "function_call.Tracked.begin", "function_call.Tracked.end", "function_call.Tracked.fail",
    "spans.trace.__enter__", "spans.trace.__exit__", "spans.trace._left",
    "decision.decision.__enter__", "decision.decision.__exit__", "decision.decision.choose",
    "context.context.__enter__", "context._Attached.__exit__", "context._Attached._enter",
    "generated.GeneratedClient._request", "generated.GeneratedClient._request_async", "generated._build_request",
    "generated._should_retry", "generated._retry_timeout", "generated._process_response", "generated._stream",
    # Pass the program's own items on, one at a time.
    "generators._enter", "generators._leave", "generators._unhooked", "context_keys.release",
    "generator_call.Yielded.__init__", "generator_call.Yielded.item", "generator_call.Yielded.end",
    "generator_call.Yielded.abandon", "generator_call.Yielded.fail",
    "stream._PassingOn.__init__", "stream._PassingOn.__iter__", "stream._PassingOn.__aiter__",
    "stream.ReplyItems.__init__", "stream.ReplyItems.__next__", "stream.ReplyItems.__anext__",
    "stream.ReplyItems.__del__", "stream.ReplyItems._ended", "stream.ReplyBytes.__next__",
    "stream.ReplyBytes.__anext__", "stream.ReplyBytes._stepping", "stream.ReplyBytes._passed",
    "stream.ReplyBytes._end", "stream.ReplyBytes._failed",
    "stream._Bytes.__call__", "stream._RawBytes.__call__", "stream._Close.__call__", "stream._AsyncClose.__call__",
    "stream.LiveReply.__del__",
    # The program's function, to be run with its context in another thread; and our thread's own first function.
    "context_carriers._submit", "context_carriers._start_thread", "context_carriers._Carried.__init__",
    "context_carriers._Carried.__call__",
    "queue.SpanQueue._run",
}  # fmt: skip


ADDRESS = "http://api.openai.com/v1"
"""Of a provider that is known to take the question for usage; the server of this test is the proxy on the way to it."""


def answer(request: Request) -> Reply:
    body = request.body
    if body["model"] == "missing":
        return Reply({"error": {"message": "no such model", "code": "model_not_found"}}, status=404)
    if not body.get("stream"):
        return Reply(CHAT)
    asked = (body.get("stream_options") or {}).get("include_usage")
    return sse(*CHAT_CHUNKS, *([USAGE_CHUNK] if asked else []))


@agentops.tool(cost=0.01)
def double(number: int) -> int:
    return number * 2


@agentops.track
def fails() -> None:
    raise ValueError("mine")


@agentops.track
def counted() -> Iterator[int]:
    yield from range(3)


@agentops.track
async def later(text: str) -> str:
    await asyncio.sleep(0)
    return text.upper()


@agentops.track
async def stream() -> Any:
    for number in range(3):
        yield number


@agentops.agent
def run(client: Any, seen: list[Any]) -> None:
    seen.append(double(21))
    try:
        fails()
    except ValueError as error:
        seen.append(str(error))
    seen.append(list(counted()))
    first = counted()
    seen.append(next(first))
    first.close()
    with agentops.span("step", kind="plan") as step:
        step.set("a", 1)
    with agentops.decision("d", options=["x"]) as made:
        made.choose("x")
    with agentops.context(session_id="s"), ThreadPoolExecutor(1) as pool:
        seen.append(pool.submit(double, 4).result())
    chat = client.chat.completions
    seen.append(chat.create(model="gpt-4o", messages=MESSAGES, tools=TOOLS).model_dump())
    seen.append([part.model_dump() for part in chat.create(model="gpt-4o", messages=MESSAGES, stream=True)])
    with chat.create(model="gpt-4o", messages=MESSAGES, stream=True) as opened:
        seen.append(next(opened).model_dump())
    try:
        chat.create(model="missing", messages=MESSAGES)
    except openai.NotFoundError as error:
        seen.append((error.status_code, error.code))


async def side(url: str, seen: list[Any]) -> None:
    seen.append(await later("abc"))
    seen.append([number async for number in stream()])
    transport = openai.DefaultAsyncHttpxClient(proxy=url.removesuffix("/v1"), verify=False)
    async with openai.AsyncOpenAI(api_key="k", base_url=ADDRESS, max_retries=0, http_client=transport) as waiting:
        seen.append((await waiting.chat.completions.create(model="gpt-4o", messages=MESSAGES)).model_dump())
        parts = await waiting.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        seen.append([part.model_dump() async for part in parts])


def program(url: str) -> list[Any]:
    """What a person's program does with us, and everything it can see of it."""
    seen: list[Any] = []
    transport = openai.DefaultHttpxClient(proxy=url.removesuffix("/v1"), verify=False)
    with openai.OpenAI(api_key="k", base_url=ADDRESS, max_retries=0, http_client=transport) as client:
        run(client, seen)
    asyncio.run(side(url, seen))
    return seen


def modules() -> Iterator[types.ModuleType]:
    for package in PACKAGES:
        root = importlib.import_module(package)
        yield root
        for found in pkgutil.iter_modules(root.__path__):
            yield importlib.import_module(f"{package}.{found.name}")
    for name in MODULES:
        yield importlib.import_module(name)


def targets() -> Iterator[tuple[str, Any, str]]:
    """Label, holder and attribute of every function and method of ours."""
    for module in modules():
        short = module.__name__.rpartition(".")[2]
        for name, value in vars(module).items():
            if getattr(value, "__module__", None) != module.__name__ or getattr(value, "__name__", name) != name:
                continue
            if isinstance(value, types.FunctionType):
                yield f"{short}.{name}", module, name
            elif isinstance(value, type) and not getattr(value, "_is_protocol", False):
                for method, found in vars(value).items():
                    if method not in GENERATED and isinstance(
                        found, types.FunctionType | property | staticmethod | classmethod
                    ):
                        yield f"{short}.{name}.{method}", value, method


def replaced(holder: Any, name: str, patch: pytest.MonkeyPatch) -> None:
    """Put something that raises in place of the function, wherever it has been imported to."""
    original = inspect.getattr_static(holder, name)

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("injected")

    if isinstance(holder, type):
        patch.setattr(holder, name, property(broken) if isinstance(original, property) else broken)
        return
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith(("agentops_sdk", "agentops_integrations")):
            for other, value in list(vars(module).items()):
                if value is original:
                    patch.setitem(vars(module), other, broken)


def code_of(holder: Any, name: str) -> types.CodeType | None:
    found = inspect.getattr_static(holder, name)
    if isinstance(found, property):
        found = found.fget
    found = getattr(found, "__func__", found)
    return getattr(inspect.unwrap(found), "__code__", None)


def reached(url: str) -> set[types.CodeType]:
    """The code that runs, on any thread, while the program does."""
    codes: set[types.CodeType] = set()

    def note(frame: types.FrameType, event: str, _: Any) -> None:
        if event == "call":
            codes.add(frame.f_code)

    threading.setprofile(note)  # before init(): our threads are watched as well
    agentops.init(exporters=[MemoryExporter()], integrations=["openai"], stream_usage=False)
    sys.setprofile(note)
    try:
        contextvars.Context().run(program, url)
        agentops.flush()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
    return codes


def inject() -> dict[str, Any]:
    """Every function that the program reaches, replaced by one that raises; what the program noticed of it."""
    with Wire(answer) as wire:
        unwatched = program(wire.url)
        codes = reached(wire.url)
        noticed: dict[str, str] = {}
        tried = 0
        for label, holder, name in targets():
            if label in SHELLS or code_of(holder, name) not in codes:
                continue
            tried += 1
            # Our own answer to our own question of usage would show if hiding it failed: not asked here.
            agentops.init(exporters=[MemoryExporter()], integrations=["openai"], stream_usage=False)
            with pytest.MonkeyPatch.context() as patch:
                replaced(holder, name, patch)
                try:
                    if contextvars.Context().run(program, wire.url) != unwatched:
                        noticed[label] = "another result"
                except BaseException as error:
                    noticed[label] = repr(error)
    return {"tried": tried, "noticed": noticed}


@pytest.mark.slow
def test_any_function_of_ours_may_fail() -> None:
    """In a process of its own: hundreds of contained errors are no state that another test should find."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.test_fault_injection"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout)
    print(f"{found['tried']} functions of ours failed, one at a time")
    assert found["tried"] > 100
    assert found["noticed"] == {}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    json.dump(inject(), sys.stdout)
