"""Spans of any number, as a program that runs agents writes them: JSON lines in files of a bounded size.

    python benchmarks/generate_spans.py 55000 /tmp/traces
    python benchmarks/generate_spans.py 10000000 /tmp/traces --per-file 100000

Eleven spans make a run: an agent, its model calls with messages, its tools, a search and a decision. Models, users,
sessions, failures, unknown costs, ratings and two releases are mixed; the same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

SPANS_PER_RUN = 11
START = 1_760_000_000 * 10**9
MODELS = (("openai", "gpt-4o", 2.5e-6, 1e-5), ("openai", "gpt-4o-mini", 1.5e-7, 6e-7),
          ("anthropic", "claude-sonnet-4", 3e-6, 1.5e-5), ("local", "llama-3", None, None))  # fmt: skip
TOOLS = ("search", "read_file", "run_query", "send_mail")
AGENTS = ("planner", "researcher", "writer")
SENTENCE = "the order has been sent to a customer who asked about terms of delivery and wants to know when"
WORDS = SENTENCE.split()
SCOPE = {"name": "agentops_sdk", "version": "0.1.0"}


def iso(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 10**9, UTC):%Y-%m-%dT%H:%M:%S}.{ns // 1000 % 10**6:06}Z"


class Run:
    """One run's spans, children first, as a recorder writes them."""

    def __init__(self, chance: random.Random, number: int) -> None:
        self.chance = chance
        self.trace_id = f"{chance.getrandbits(128):032x}"
        self.now = START + number * 300_000_000 + chance.randrange(10**8)
        self.release = "1.1" if number % 2 else "1.0"
        self.resource = {
            "telemetry.sdk.language": "python", "telemetry.sdk.name": "opentelemetry", "process.pid": 4711,
            "service.name": ("shop", "desk")[number % 3 == 0], "service.version": self.release,
        }  # fmt: skip
        self.lines: list[bytes] = []

    def text(self, words: int) -> str:
        return " ".join(self.chance.choices(WORDS, k=words))

    def span(
        self, name: str, kind: str, start: int, parent: str | None, attributes: dict[str, Any], span_id: str = "",
        *, failed: bool = False, **more: Any,
    ) -> str:  # fmt: skip
        span_id = span_id or f"{self.chance.getrandbits(64) | 1:016x}"
        outcome = "error" if failed else "ok"
        if failed:
            attributes["error.type"] = "TimeoutError"
            more["status_message"] = "took too long"
        record = {
            "v": 1, "trace_id": self.trace_id, "span_id": span_id, "parent_id": parent, "name": name, "kind": kind,
            "span_kind": "CLIENT" if kind in ("llm", "retriever") else "INTERNAL", "start_ns": start,
            "end_ns": self.now, "start": iso(start), "end": iso(self.now), "status": "error" if failed else "unset",
            "outcome": outcome, "attributes": {"agentops.kind": kind, **attributes, "agentops.outcome": outcome},
            "resource": self.resource, "scope": SCOPE, "flags": 257, **more,
        }  # fmt: skip
        self.lines.append(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        return span_id

    def wait(self, most: int) -> int:
        start = self.now
        self.now += self.chance.randrange(10**6, most * 10**6)
        return start

    def model_call(self, parent: str, agent: str, choice: str | None) -> None:
        chance = self.chance
        provider, model, price_in, price_out = chance.choices(MODELS, (4, 4, 2, 1))[0]
        start, failed = self.wait(3_000), chance.random() < 0.02
        question, answer = self.text(90), self.text(60)
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": model,
            "gen_ai.agent.name": agent,
            "gen_ai.input.messages": orjson.dumps(
                [{"role": "user", "parts": [{"type": "text", "content": question}]}]).decode(),
        }  # fmt: skip
        if not failed:
            tokens, written = chance.randrange(100, 4_000), chance.randrange(20, 800)
            attributes |= {
                "gen_ai.response.model": model, "gen_ai.response.id": f"chatcmpl-{chance.getrandbits(64):016x}",
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.output.messages": orjson.dumps(
                    [{"role": "assistant", "parts": [{"type": "text", "content": answer}], "finish_reason": "stop"}]
                ).decode(),
                "gen_ai.usage.input_tokens": tokens, "gen_ai.usage.output_tokens": written,
                "agentops.usage.source": "reported", "gen_ai.response.time_to_first_chunk": chance.random(),
            }  # fmt: skip
            if price_in is None or price_out is None:
                attributes["agentops.cost.unknown_reason"] = f"no price known for {model}"
            else:
                attributes |= {"agentops.cost.amount": round(tokens * price_in + written * price_out, 8),
                               "agentops.cost.currency": "USD", "agentops.cost.source": "table"}  # fmt: skip
            if choice is not None:
                attributes |= {
                    "agentops.decision.name": "tool choice",
                    "agentops.decision.options": orjson.dumps([{"name": tool} for tool in TOOLS]).decode(),
                    "agentops.decision.chosen": choice, "agentops.decision.by": "model",
                }  # fmt: skip
        self.span(f"chat {model}", "llm", start, parent, attributes, failed=failed)

    def tool(self, parent: str, agent: str, name: str) -> None:
        start = self.wait(400)
        self.span(f"execute_tool {name}", "tool", start, parent, {
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "gen_ai.tool.type": "function",
            "gen_ai.agent.name": agent,
            "gen_ai.tool.call.arguments": orjson.dumps({"q": self.text(12), "n": self.chance.randrange(99)}).decode(),
            "gen_ai.tool.call.result": orjson.dumps({"hits": [self.text(40)]}).decode(),
        }, failed=self.chance.random() < 0.01)  # fmt: skip

    def write(self) -> list[bytes]:
        chance, agent, root = self.chance, self.chance.choice(AGENTS), f"{self.chance.getrandbits(64) | 1:016x}"
        start = self.wait(20)
        failed = chance.random() < (0.05 if self.release == "1.0" else 0.03)
        for step in range(4):
            tool = chance.choice(TOOLS)
            self.model_call(root, agent, tool if step < 3 else None)
            if step < 3:
                self.tool(root, agent, tool)
        began = self.wait(200)
        self.span("retrieval documents", "retriever", began, root, {
            "gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "documents",
            "gen_ai.retrieval.documents": orjson.dumps([{"content": self.text(80)}]).decode(),
        })  # fmt: skip
        for name in ("route", "escalate"):
            self.span(f"decision {name}", "decision", self.wait(5), root, {
                "agentops.decision.name": name, "agentops.decision.options": '[{"name":"yes"},{"name":"no"}]',
                "agentops.decision.chosen": "yes" if chance.random() < 0.7 else "no",
                "agentops.decision.confidence": round(chance.random(), 3), "agentops.decision.by": "code",
            })  # fmt: skip
        events = []
        if chance.random() < 0.1:
            score = {"gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": chance.choice((0.0, 1.0))}
            events = [{"name": "gen_ai.evaluation.result", "time_ns": self.now, "attributes": score}]
        self.now += 10**6
        self.span(f"invoke_agent {agent}", "agent", start, None, {
            "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent,
            "session.id": f"session-{chance.randrange(2_000)}", "user.id": f"user-{chance.randrange(500)}",
            "agentops.tags": ["nightly"] if chance.random() < 0.2 else ["daily"],
            "agentops.metadata.release": self.release,
            "agentops.input": orjson.dumps({"question": self.text(60)}).decode(),
            "agentops.output": orjson.dumps(self.text(60)).decode(),
        }, root, failed=failed, **({"events": events} if events else {}))  # fmt: skip
        return self.lines


def lines(spans: int, seed: int = 1) -> Iterator[bytes]:
    """The lines of so many spans, whole runs and the beginning of a last one."""
    chance, left = random.Random(seed), spans
    number = 0
    while left > 0:
        for line in Run(chance, number).write()[:left]:
            yield line
            left -= 1
        number += 1


def write(spans: int, directory: Path, per_file: int = 55_000, seed: int = 1) -> list[Path]:
    """Write files of so many spans each; their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    per_file -= per_file % SPANS_PER_RUN
    source, paths = lines(spans, seed), []
    for number in range(-(-spans // per_file)):
        path = directory / f"20251009T085320Z-{1000 + number}-{number:08x}.jsonl"
        with path.open("wb") as file:
            file.writelines(
                line for _, line in zip(range(min(per_file, spans - number * per_file)), source, strict=False)
            )
        paths.append(path)
    return paths


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spans", type=int)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--per-file", type=int, default=55_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for path in write(options.spans, options.directory, options.per_file, options.seed):
        print(path)
