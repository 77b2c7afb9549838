"""How many functions of ours one streamed chat passes: on the caller's thread, on the consumer's, and in the reader.

    python benchmarks/call_walk.py [--most 15] [--json] [--limits]

A chat in five pieces is asked of OpenAI's client over a transport inside the process, recorded to JSONL, and its tree
is printed as ``agentops show`` does. Counted are calls, and steps of generators, of functions in our files; the bodies
of comprehensions belong to their functions. What runs for the first time is warmed up before.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import openai  # noqa: E402 - after the line that arranges for it

import agentops_integrations  # noqa: E402 - after the line that arranges for it
import agentops_sdk as agentops  # noqa: E402 - after the line that arranges for it

http: Any = __import__("httpx2" if int(openai.__version__.partition(".")[0]) >= 3 else "httpx")

_FOLDERS = tuple(str(Path(package.__file__ or "").parent) for package in (agentops, agentops_integrations))
_PARTS = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")
_BASE = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-2024-08-06"}
_USAGE = {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27}


def _piece(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {**_BASE, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": None}


_PIECES = [
    _piece({"role": "assistant", "content": ""}),
    _piece({"content": "Hel"}),
    _piece({"content": "lo"}),
    _piece({}, "stop"),
    {**_BASE, "choices": [], "usage": _USAGE},
]
_STREAM = [*(f"data: {json.dumps(piece)}\n\n".encode() for piece in _PIECES), b"data: [DONE]\n\n"]


class _Body(http.SyncByteStream):  # type: ignore[misc]  # httpx or httpx2, known at run time
    def __iter__(self) -> Iterator[bytes]:
        return iter(_STREAM)


def _answer(request: Any) -> Any:
    return http.Response(200, headers={"content-type": "text/event-stream"}, stream=_Body())


class Walk:
    """Counts calls by thread while it is on, but for what the clock asks for: whether a run has been open for long."""

    def __init__(self) -> None:
        self.on = False
        self.calls: dict[int, Counter[tuple[str, str]]] = {}
        self._looking: dict[int, FrameType] = {}

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        code, thread = frame.f_code, threading.get_ident()
        if event == "return" and self._looking.get(thread) is frame:
            del self._looking[thread]
        if event != "call" or not self.on or thread in self._looking:
            return
        if code.co_name in _BY_THE_CLOCK:
            self._looking[thread] = frame
            return
        folder = next((folder for folder in _FOLDERS if code.co_filename.startswith(folder)), None)
        if folder is not None and code.co_name not in _PARTS:
            here = self.calls.setdefault(thread, Counter())
            if frame.f_back is not None and frame.f_back.f_code.co_filename.endswith(_QUEUE):
                code = frame.f_back.f_code  # the guards of its rounds are the queue's
            here[code.co_filename[len(folder) + 1 :], code.co_qualname if _QUALIFIED else code.co_name] += 1

    def reset(self) -> None:
        self.calls = {}


_ROUNDS = 5
_QUEUE = "_pipeline/queue.py"
"""How often the consumer's thread wakes is the machine's to say."""
_BY_THE_CLOCK = ("_look", "_pause_to_look")
_QUALIFIED = sys.version_info >= (3, 11)


def measure(*, limited: bool = False) -> dict[str, Counter[tuple[str, str]]]:
    """The calls of each leg, by file and function; with limits on cost, tokens and calls where it is ``limited``."""
    walk = Walk()
    threading.setprofile(walk)
    with tempfile.TemporaryDirectory() as folder:
        agentops.init(exporters=["jsonl"], directory=folder, integrations=["openai"])
        client = openai.OpenAI(api_key="none", http_client=http.Client(transport=http.MockTransport(_answer)))

        def chat(turn: int) -> None:
            question = f"What will the weather in Rome be like on day {turn}, and do I need an umbrella?"
            messages: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]
            for _ in client.chat.completions.create(model="gpt-4o", messages=messages, stream=True):
                pass

        limits = agentops.limits(cost=100, tokens=10**9, model_calls=10**6) if limited else contextlib.nullcontext()
        limits.__enter__()
        for turn in range(3):
            chat(turn)
            agentops.flush(10)
        here = threading.get_ident()
        callers, consumers = [], []
        for turn in range(3, 3 + _ROUNDS):
            walk.reset()
            walk.on = True
            sys.setprofile(walk)
            chat(turn)
            sys.setprofile(None)
            agentops.flush(10)
            callers.append(walk.calls.pop(here))
            consumers.append(sum(walk.calls.values(), Counter[tuple[str, str]]()))
        walk.on = False
        limits.__exit__(None, None, None)
        threading.setprofile(None)  # type: ignore[arg-type]  # None switches it off
        agentops.shutdown()
        file = next(Path(folder).rglob("*.jsonl"))
        file.write_text(file.read_text().splitlines(keepends=True)[-1])
        _show(file)
        walk.reset()
        walk.on = True
        sys.setprofile(walk)
        _show(file)
        sys.setprofile(None)
        reader = walk.calls.pop(here)
    return {"caller": _least(callers), "consumer": _least(consumers), "reader": reader}


def _least(rounds: list[Counter[tuple[str, str]]]) -> Counter[tuple[str, str]]:
    """The round with the fewest calls: on a busy machine the consumer looks for work, and for open runs, more often."""
    return min(rounds, key=Counter.total)


def _show(file: Path) -> None:
    from agentops_sdk.cli import main

    with contextlib.redirect_stdout(io.StringIO()) as shown:
        main(["show", "--dir", str(file)])
    assert "gpt-4o" in shown.getvalue()


def _files(calls: Counter[tuple[str, str]]) -> int:
    return len({file for file, _ in calls})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=15, help="how many functions of each leg to list")
    parser.add_argument("--limits", action="store_true", help="with limits in force")
    parser.add_argument("--json", action="store_true", help="the counts only, as JSON")
    options = parser.parse_args()
    legs = measure(limited=options.limits)
    if options.json:
        counts = {
            leg: {
                "calls": calls.total(),
                "files": len({file for file, _ in calls}),
                "queue": sum(count for (file, _), count in calls.items() if file == _QUEUE),
            }
            for leg, calls in legs.items()
        }
        print(json.dumps(counts))
        return
    for leg, calls in legs.items():
        print(f"{leg}: {calls.total()} calls in {len({file for file, _ in calls})} files")
        for (file, function), count in calls.most_common(options.most):
            print(f"    {count:4}  {file}: {function}")


if __name__ == "__main__":
    main()
