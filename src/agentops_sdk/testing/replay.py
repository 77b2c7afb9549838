"""Record the exchanges with a model once, replay them ever after: the real client, no network, no key."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, Literal

from agentops_sdk.errors import ConfigError
from agentops_sdk.testing.recordings.cassette import Exchange, asked, compared
from agentops_sdk.testing.recordings.http_boundary import Answer, Request, watched
from agentops_sdk.testing.recordings.json_diff import differences
from agentops_sdk.testing.recordings.replay_tools import ToolResults
from agentops_sdk.testing.refusals import ReplayError

Mode = Literal["strict", "lenient"]
Outcome = Literal["passed", "failed", "skipped"]

_FORMAT: Final = 1
_MOST_DIFFERENCES: Final = 12
# Clients refuse to be made without a key; while a recording answers, any will do.
_KEYS: Final = (
    "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY",
    "MISTRAL_API_KEY", "GROQ_API_KEY", "COHERE_API_KEY", "DEEPSEEK_API_KEY", "XAI_API_KEY", "TOGETHER_API_KEY",
)  # fmt: skip


class Recording:
    """The exchanges of one file: played back, or being recorded.

    While recording, requests that ``earlier`` holds are answered from it: what a block that failed has paid for.
    """

    def __init__(
        self, path: Path, *, record: bool, mode: Mode, tools: bool = False, earlier: Path | None = None
    ) -> None:
        if mode not in ("strict", "lenient"):
            raise ConfigError("mode", mode, '"strict" or "lenient"')
        self.path = path
        self.recording = self.keeps = record
        self.mode = mode
        self.exchanges: list[Exchange] = []
        self._earlier = _salvaged(earlier) if record and earlier is not None else []
        rows: list[dict[str, Any]] = []
        if not record:
            self.exchanges, rows = _read(path)
        self.problems: list[str] = []
        """What did not fit, also where the program swallowed the error."""
        self.deviations: list[str] = []
        """In lenient mode, how requests differed from those whose answers they got."""
        self.tools: ToolResults | None = None
        if tools:
            self.tools = ToolResults(rows, record=record, lenient=mode == "lenient", problem=self._problem)
            self.deviations = self.tools.deviations
        self._lock = threading.Lock()
        self._count = 0

    def answer(self, request: Request) -> Answer | None:
        if self.recording and not self._earlier:
            return None
        with self._lock:
            self._count += 1
            now = asked(request)
            if self.recording:
                return self._again(now)
            exchange = self._find(now)
            if exchange is None:
                raise self._problem(self._mismatch(now))
            exchange.used = True
            return exchange.answer()

    def answered(self, request: Request, answer: Answer) -> None:
        with self._lock:
            self.exchanges.append(Exchange.of(request, answer))

    def _again(self, now: dict[str, Any]) -> Answer | None:
        """The answer that an earlier try got to the same request; it becomes part of this recording."""
        exchange = _same(self._earlier, now)
        if exchange is None:
            return None
        exchange.used = True
        self.exchanges.append(Exchange(exchange.request, exchange.response))
        return exchange.answer()

    def _find(self, now: dict[str, Any]) -> Exchange | None:
        same = _same(self.exchanges, now)
        if same is not None:
            return same
        unused = [exchange for exchange in self.exchanges if not exchange.used]
        if self.mode == "lenient":
            for exchange in unused:
                recorded, asked_for = compared(exchange.request, now)
                if (recorded["method"], recorded["url"]) == (asked_for["method"], asked_for["url"]):
                    self.deviations.append(self._told(now, exchange))
                    return exchange
        return None

    def _mismatch(self, now: dict[str, Any]) -> str:
        unused = [exchange for exchange in self.exchanges if not exchange.used]
        if not unused:
            return (
                f"model request {self._count} ({now['method']} {now['url']}) is not in {self.path.name}: "
                f"all {len(self.exchanges)} recorded exchanges have been used"
            )
        nearest = min(unused, key=lambda each: len(list(differences(*compared(each.request, now)))))
        return self._told(now, nearest)

    def _told(self, now: dict[str, Any], exchange: Exchange) -> str:
        every = list(differences(*compared(exchange.request, now)))
        lines = [f"  {line}" for line in every[:_MOST_DIFFERENCES]]
        if len(every) > _MOST_DIFFERENCES:
            lines.append(f"  ... and {len(every) - _MOST_DIFFERENCES} more")
        number = self.exchanges.index(exchange) + 1
        head = f"model request {self._count} differs from exchange {number} in {self.path.name}:"
        return "\n".join([head, *lines])

    def _problem(self, sentence: str) -> ReplayError:
        sentence = sentence.replace("{file}", self.path.name)
        self.problems.append(sentence)
        return ReplayError(f"{sentence}\nIf this is intended, record it again (pytest --agentops-record).")

    def check(self) -> None:
        """In strict mode, everything recorded must have been asked for.

        Raises:
            ReplayError: something was not, or a request did not fit and the program hid it.
        """
        if self.problems:
            raise ReplayError("\n".join(self.problems))
        left = [number for number, exchange in enumerate(self.exchanges, 1) if not exchange.used]
        if left and not self.recording and self.mode == "strict":
            first = self.exchanges[left[0] - 1].request
            raise self._problem(
                f"{len(left)} of {len(self.exchanges)} recorded exchanges in {self.path.name} were not asked for, "
                f"the first is exchange {left[0]} ({first['method']} {first['url']})"
            )
        if self.tools is not None and not self.recording and self.mode == "strict":
            unasked, of = self.tools.left()
            if unasked:
                raise self._problem(f"{unasked} of {of} recorded tool results in {{file}} were not asked for")

    def remarks(self) -> list[str]:
        """What to tell of a block that failed: how requests deviated, where its recording is."""
        texts = ["\n".join(self.deviations)] if self.deviations else []
        if self.recording and self.exchanges:
            texts.append(
                f"what was recorded is in {failed_path(self.path)}: the next --agentops-record is answered from there "
                "where it asks the same; delete the file to ask the model anew"
            )
        return texts

    def write(self) -> None:
        """Write the file; it is replaced as a whole. What an earlier try left is no longer needed."""
        self._write(self.path)
        failed_path(self.path).unlink(missing_ok=True)

    def end(self, outcome: Outcome) -> None:
        """Write the file of what ``passed``; of what ``failed``, keep what was recorded beside it.

        Raises:
            ReplayError: nothing was to be recorded, the block passed, and :meth:`check` objects.
        """
        if outcome == "passed":
            if self.recording:
                self.write()
            else:
                self.check()
        elif outcome == "failed" and self.recording and self.exchanges:
            self._write(failed_path(self.path))

    def _write(self, path: Path) -> None:
        document: dict[str, Any] = {
            "format": _FORMAT,
            "exchanges": [{"request": each.request, "response": each.response} for each in self.exchanges],
        }
        if self.tools is not None:
            document["tools"] = self.tools.rows
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")  # other test runs may record the same
        fresh.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        fresh.replace(path)


def failed_path(path: Path) -> Path:
    """Where the recording of a block that failed is kept: ``NAME.failed.json`` beside ``NAME.json``."""
    return path.with_name(f"{path.stem}.failed{path.suffix}")


@contextmanager
def replay(
    path: str | os.PathLike[str], *, record: bool = False, mode: Mode = "strict", tools: bool = False
) -> Iterator[Recording]:
    """Answer model requests from a recording, or create one.

    Args:
        path: the file, readable JSON.
        record: let requests through, and write the file if the block ends without an exception. If it ends with
            one, what was recorded goes to ``NAME.failed.json``, and the next try to record is answered from there
            where it asks the same; delete that file to ask the model anew.
        mode: ``strict`` wants the same requests, all of them, in any order (threads and tasks may race);
            ``lenient`` answers a request that differs with the next exchange for the same address.
        tools: also record what tracked tools return or raise, and answer for them; they run only where the
            result is nothing that JSON holds exactly. Functions that yield are always run.

    Raises:
        ReplayError: there is no such file, or what the program asked for does not fit.
    """
    file = Path(path)
    recording = Recording(file, record=record, mode=mode, tools=tools, earlier=failed_path(file))
    try:
        with answering(recording):
            yield recording
    except BaseException:
        recording.end("failed")
        raise
    recording.end("passed")


@contextmanager
def answering(recording: Recording) -> Iterator[None]:
    """Answer requests from the recording, or note them in it, inside the block."""
    with (
        standing_keys(absent=not recording.recording),
        watched(recording),
        recording.tools.standing_in() if recording.tools is not None else nullcontext(),
    ):
        yield


@contextmanager
def standing_keys(*, absent: bool) -> Iterator[None]:
    """Keys of vendors that the environment lacks, inside the block; none where requests are let through."""
    names = [name for name in _KEYS if not os.environ.get(name)] if absent else []
    os.environ.update(dict.fromkeys(names, "replayed"))
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)


def _same(exchanges: list[Exchange], now: dict[str, Any]) -> Exchange | None:
    """The first of the exchanges that nobody has asked for yet with the same request."""
    for exchange in exchanges:
        if not exchange.used:
            recorded, asked_for = compared(exchange.request, now)
            if recorded == asked_for:
                return exchange
    return None


def _salvaged(path: Path) -> list[Exchange]:
    """What an earlier try left; nothing, if that cannot be read."""
    try:
        return _read(path)[0]
    except ReplayError:
        return []


def _read(path: Path) -> tuple[list[Exchange], list[dict[str, Any]]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        exchanges = [Exchange(each["request"], each["response"]) for each in document["exchanges"]]
        return exchanges, document.get("tools", [])
    except FileNotFoundError:
        failed = failed_path(path)
        raise ReplayError(
            f"no recording at {path}: create it with pytest --agentops-record (needs the real model)"
            + (f"; it reuses what a failed attempt left in {failed.name}" if failed.exists() else "")
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ReplayError(f"{path} is not a recording: {error}") from error
