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
from agentops_sdk.testing.difference import differences
from agentops_sdk.testing.exchange import Exchange, asked, compared
from agentops_sdk.testing.http_boundary import Answer, Request, watched
from agentops_sdk.testing.replay_tools import ToolResults

Mode = Literal["strict", "lenient"]

_FORMAT: Final = 1
_MOST_DIFFERENCES: Final = 12
# Clients refuse to be made without a key; while a recording answers, any will do.
_KEYS: Final = (
    "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY",
    "MISTRAL_API_KEY", "GROQ_API_KEY", "COHERE_API_KEY", "DEEPSEEK_API_KEY", "XAI_API_KEY", "TOGETHER_API_KEY",
)  # fmt: skip


class ReplayError(BaseException):
    """The program asked a model for something that the recording does not hold, or left something unasked.

    Not an ``Exception`` on purpose: clients retry those and turn them into connection errors, and
    agents fall back on them.
    """


class Recording:
    """The exchanges of one file: played back, or being recorded."""

    def __init__(self, path: Path, *, record: bool, mode: Mode, tools: bool = False) -> None:
        if mode not in ("strict", "lenient"):
            raise ConfigError("mode", mode, '"strict" or "lenient"')
        self.path = path
        self.recording = self.keeps = record
        self.mode = mode
        self.exchanges: list[Exchange] = []
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
        if self.recording:
            return None
        with self._lock:
            self._count += 1
            now = asked(request)
            found = self._find(now)
            if found is None:
                raise self._problem(self._mismatch(now))
            found.used = True
            return found.answer()

    def answered(self, request: Request, answer: Answer) -> None:
        with self._lock:
            self.exchanges.append(Exchange.of(request, answer))

    def _find(self, now: dict[str, Any]) -> Exchange | None:
        unused = [exchange for exchange in self.exchanges if not exchange.used]
        for exchange in unused:
            recorded, asked_for = compared(exchange.request, now)
            if recorded == asked_for:
                return exchange
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
        found = list(differences(*compared(exchange.request, now)))
        lines = [f"  {line}" for line in found[:_MOST_DIFFERENCES]]
        if len(found) > _MOST_DIFFERENCES:
            lines.append(f"  ... and {len(found) - _MOST_DIFFERENCES} more")
        place = self.exchanges.index(exchange) + 1
        head = f"model request {self._count} differs from exchange {place} in {self.path.name}:"
        return "\n".join([head, *lines])

    def _problem(self, said: str) -> ReplayError:
        said = said.replace("{file}", self.path.name)
        self.problems.append(said)
        return ReplayError(f"{said}\nIf that is meant, record it anew (pytest --agentops-record).")

    def check(self) -> None:
        """In strict mode, everything recorded must have been asked for.

        Raises:
            ReplayError: something was not, or a request did not fit and the program hid it.
        """
        if self.problems:
            raise ReplayError("\n".join(self.problems))
        left = [place for place, exchange in enumerate(self.exchanges, 1) if not exchange.used]
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

    def write(self) -> None:
        """Write the file; it is replaced as a whole."""
        document: dict[str, Any] = {
            "format": _FORMAT,
            "exchanges": [{"request": each.request, "response": each.response} for each in self.exchanges],
        }
        if self.tools is not None:
            document["tools"] = self.tools.rows
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        fresh.replace(self.path)


@contextmanager
def replay(
    path: str | os.PathLike[str], *, record: bool = False, mode: Mode = "strict", tools: bool = False
) -> Iterator[Recording]:
    """Answer requests to models from a recording, or make one.

    Args:
        path: the file, readable JSON.
        record: let requests through, and write the file if the block ends without an exception.
        mode: ``strict`` wants the same requests, all of them, in any order (threads and tasks may race);
            ``lenient`` answers a request that differs with the next exchange for the same address.
        tools: also record what tracked tools return or raise, and answer for them; they run only where the
            result is nothing that JSON holds exactly. Functions that yield are always run.

    Raises:
        ReplayError: there is no such file, or what the program asked for does not fit.
    """
    recording = Recording(Path(path), record=record, mode=mode, tools=tools)
    given = [] if record else [name for name in _KEYS if not os.environ.get(name)]
    os.environ.update(dict.fromkeys(given, "replayed"))
    try:
        with watched(recording), recording.tools.standing_in() if recording.tools is not None else nullcontext():
            yield recording
    finally:
        for name in given:
            os.environ.pop(name, None)
    if record:
        recording.write()
    else:
        recording.check()


def _read(path: Path) -> tuple[list[Exchange], list[dict[str, Any]]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        exchanges = [Exchange(each["request"], each["response"]) for each in document["exchanges"]]
        return exchanges, document.get("tools", [])
    except FileNotFoundError:
        raise ReplayError(
            f"no recording at {path}: make it with pytest --agentops-record (needs the real model)"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ReplayError(f"{path} is no recording: {error}") from error
