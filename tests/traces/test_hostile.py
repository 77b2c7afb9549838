"""Files that somebody else wrote, broke, or wrote to harm: every command reads what can be read and counts the rest."""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.traces.samples import span

from agentops_sdk import semconv
from agentops_sdk.cli import main
from agentops_sdk.traces import Cost, Usage, load
from agentops_sdk.traces.figures.loops import canonical
from agentops_sdk.traces.formats.json_values import DEEPEST, parsed, shallow

COMMANDS = (
    *(["ls"], ["ls", "--json"], ["show"], ["show", "--json"], ["show", "--all", "--messages", "--plumbing"]),
    *(["stats", "--by", by] for by in ("model", "tool", "agent", "session", "tag", "decision")),
    *(["stats", "--json"], ["stats", "--csv"], ["decisions"], ["decisions", "--json"]),
    *(["compare", "latest", "latest"], ["compare", "latest", "latest", "--json"]),
)
FEW_COMMANDS = (
    *(["ls"], ["show", "--json"], ["show", "--messages"], ["stats", "--by", "tag"], ["decisions"]),
    ["compare", "latest", "latest"],
)
DEEP = 1_015  # as deep as the JSON reader goes


@contextmanager
def deep_recursion() -> Iterator[None]:
    """For the test's own writing."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def raw(number: int, parent: int | None = None, /, **fields: Any) -> dict[str, Any]:
    above = None if parent is None else f"{parent + 1:016x}"
    made: dict[str, Any] = json.loads(
        span("s", at=number, parent=above, span_id=f"{number + 1:016x}").model_dump_json(exclude_unset=True)
    )
    return {**made, **fields}


def lines(*raws: dict[str, Any]) -> bytes:
    with deep_recursion():
        return b"".join(json.dumps(one).encode() + b"\n" for one in raws)


def commands_end(
    directory: Path, capsys: pytest.CaptureFixture[str], commands: tuple[list[str], ...] = COMMANDS
) -> None:
    """Every command ends by itself and prints nothing that a terminal takes for a command."""
    for command in commands:
        assert main([*command, "--dir", str(directory)]) in (0, 1), command
        out, err = capsys.readouterr()
        assert not [c for c in out + err if ord(c) < 32 and c not in "\n\t"], command
        assert "Traceback" not in err, command


def corrupted(packed: bytes) -> bytes:
    middle = len(packed) // 2
    return packed[:middle] + bytes([packed[middle] ^ 0x55]) + packed[middle + 1 :]


FILES: dict[str, tuple[Callable[[], dict[str, bytes]], int]] = {
    # What lies there, and how many spans of the latest trace are read.
    "span ids twice": (lambda: {"a.jsonl": lines(raw(0), raw(1, 0), raw(1, 0, name="other"))}, 2),
    "a circle": (lambda: {"a.jsonl": lines(raw(0, 1), raw(1, 2), raw(2, 0), raw(3, 3), raw(4, 0))}, 5),
    "only circles": (lambda: {"a.jsonl": lines(*(raw(n, n) for n in range(1_200)))}, 1_200),
    "a long circle": (lambda: {"a.jsonl": lines(*(raw(n, (n + 1) % 1_200) for n in range(1_200)))}, 1_200),
    "ids of zeros": (lambda: {"a.jsonl": lines(raw(0, span_id="0" * 16), raw(1, parent_id="0" * 16))}, 2),
    "no parents": (lambda: {"a.jsonl": lines(*(raw(n, 9_000 + n) for n in range(1_200)))}, 1_200),
    "a clock set back": (lambda: {"a.jsonl": lines(raw(0, end_ns=5), raw(1, 0, start_ns=-(10**18)))}, 2),
    "the first and last moments": (
        lambda: {"a.jsonl": lines(*(raw(n, start_ns=t, end_ns=t) for n, t in enumerate((0, -(2**63), 2**63 - 1))))},
        3,
    ),
    "no UTF-8": (lambda: {"a.jsonl": b"\xff\n" + lines(raw(0)) + lines(raw(1)).replace(b'"s"', b'"\xff"')}, 1),
    "a mark of byte order": (lambda: {"a.jsonl": b"\xef\xbb\xbf" + lines(raw(0), raw(1, 0))}, 2),
    "ends of lines of Windows": (lambda: {"a.jsonl": lines(raw(0), raw(1, 0)).replace(b"\n", b"\r\n")}, 2),
    "blocks of zeros": (lambda: {"a.jsonl": lines(raw(0)) + b"\0" * 5_000 + b"\n" + lines(raw(1)) + b"\0" * 99}, 2),
    "old, new and odd lines": (
        lambda: {
            "a.jsonl": lines(
                {key: value for key, value in raw(0).items() if key not in ("v", "kind", "resource", "scope")},
                raw(1, 0, v=99, kind="future", outcome="exploded", extra={"a": 1}),
                raw(2, 0, flags=None),
                raw(3, 0, kind=[], status={}),
            )
        },
        3,
    ),
    "packed in parts": (lambda: {"a.jsonl.gz": gzip.compress(lines(raw(0))) + gzip.compress(lines(raw(1)))}, 2),
    "something behind": (lambda: {"a.jsonl.gz": gzip.compress(lines(raw(0))) + b"junk"}, 1),
    "empty files": (lambda: {"a.jsonl.gz": b"", "b.jsonl": b"", "c.jsonl": lines(raw(0))}, 1),
    "no gzip": (lambda: {"a.jsonl.gz": b"plain", "c.jsonl": lines(raw(0))}, 1),
    "a name for terminals": (lambda: {"\x1b[31m.jsonl": b"junk\n", "c.jsonl": lines(raw(0))}, 1),
    "lines of brackets": (lambda: {"a.jsonl": b'{"v":1,"a":' + b"[" * 90_000 + b"\n" + lines(raw(0))}, 1),
}


@pytest.mark.parametrize("name", FILES)
def test_every_command_ends_with_what_can_be_read(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, count = FILES[name]
    for file, content in files().items():
        (tmp_path / file).write_bytes(content)
    commands_end(tmp_path, capsys)
    assert len(load(tmp_path).latest) == count


def test_a_damaged_packed_file_gives_what_precedes_the_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = gzip.compress(lines(*(raw(n) for n in range(400))), 1)
    (tmp_path / "a.jsonl.gz").write_bytes(corrupted(packed))
    traces = load(tmp_path)
    assert 0 < len(traces.latest) <= 400
    assert traces.torn + traces.foreign > 0
    commands_end(tmp_path, capsys)


ATTRIBUTES = (
    *(semconv.DECISION_CHOSEN, semconv.DECISION_OPTIONS, semconv.DECISION_EVIDENCE, semconv.DECISION_NAME),
    *(semconv.TAGS, semconv.INPUT, semconv.ATTEMPTS, semconv.ATTEMPT, semconv.INTERRUPTS, semconv.INPUT_MESSAGES),
    *(semconv.OUTPUT_MESSAGES, semconv.TOOL_CALL_ARGUMENTS, semconv.TOOL_CALL_ID, semconv.SESSION_ID),
    *(semconv.RESPONSE_MODEL, semconv.COST_AMOUNT, semconv.COST_CURRENCY, semconv.COST_UNKNOWN_REASON),
    *(semconv.USAGE_INPUT_TOKENS, semconv.AGENT_NAME, semconv.TOOL_NAME, semconv.RESPONSE_ID, semconv.USAGE_OF),
    *(semconv.GRAPH_CHECKPOINT_ID, semconv.GRAPH_RESUMED_FROM, semconv.MISSING_SPANS),
)
with deep_recursion():
    VALUES: dict[str, Any] = {
        "lists": json.loads("[" * DEEP + "]" * DEEP),
        "objects": json.loads('{"a":' * DEEP + "1" + "}" * DEEP),
        "text of lists": "[" * 5_000 + "]" * 5_000,
        "text that is torn": "[[1," * 900,
        "messages": '[5, null, "x", {"parts": 7}, {"parts": [3, {"type": "tool_call", "id": {}}]}]',
        "an escape": "\x1b[31m\x07",
        "a huge float": 1e308,
        "a huge integer": 2**63,
        "a negative": -7,
        "nothing": None,
        "an empty object": {},
    }


@pytest.mark.parametrize("name", VALUES)
def test_every_command_bears_any_value_in_any_attribute(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value = VALUES[name]
    raws = [raw(0)]
    for kind in ("llm", "tool", "agent", "decision", "guardrail"):
        about = [{key: value} for key in ATTRIBUTES] + [dict.fromkeys(ATTRIBUTES, value)]
        raws += [raw(len(raws) + n, 0, kind=kind, attributes=one) for n, one in enumerate(about)]
        raws.append(raw(len(raws), 0, kind=kind, attributes=about[-1], outcome="interrupted"))
    (tmp_path / "a.jsonl").write_bytes(lines(*raws))
    commands_end(tmp_path, capsys, FEW_COMMANDS)
    assert len(load(tmp_path).latest) == len(raws)


@pytest.mark.parametrize("figure", [1e308, -1e308, 2**63, float("inf"), float("nan"), True, "7", None])
def test_no_count_and_no_price_is_of_such_a_size(figure: Any) -> None:
    assert Usage.of({semconv.USAGE_INPUT_TOKENS: figure}) is None
    assert Cost.of({semconv.COST_AMOUNT: figure}) is None


def test_a_currency_is_no_command() -> None:
    assert str(Cost("0.5", "X\x1b[31m")) == "X\\x1b[31m 0.500"


def test_what_is_nested_too_deeply_is_cut() -> None:
    just: Any = []
    for _ in range(DEEPEST - 1):
        just = [just]
    assert shallow(just) is just
    assert parsed(json.dumps(just)) == just
    cut = shallow([just])
    assert "nested too deeply" in json.dumps(cut)
    assert isinstance(parsed(json.dumps([just])), str)
    assert canonical('{"b": 1, "a": 2}') == canonical('{"a":2,"b":1}')
    assert canonical("[" * 90_000) == "[" * 90_000


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_cannot_be_read_does_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "good.jsonl").write_text(span("good").model_dump_json() + "\n")
    (tmp_path / "bad.jsonl").write_text("")
    (tmp_path / "bad.jsonl").chmod(0)
    assert main(["ls", "--dir", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert "good" in printed.out
    assert "bad.jsonl" in printed.err
    assert "it was left out" in printed.err


def test_depth_where_figures_are_looked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = (semconv.TAGS, semconv.RESPONSE_ID, semconv.OPERATION_NAME, semconv.RESPONSE_MODEL, semconv.SESSION_ID)
    deep = "[" * 900 + "]" * 900
    attributes = ", ".join(f'"{name}": {deep}' for name in (*names, semconv.GRAPH_CHECKPOINT_ID, semconv.USAGE_SOURCE))
    raw = json.loads(span("chat m", kind="llm").model_dump_json())
    text = json.dumps({**raw, "attributes": None}).replace('"attributes": null', f'"attributes": {{{attributes}}}', 1)
    path = tmp_path / "t.jsonl"
    path.write_text(text + "\n")
    for command in (["ls"], ["show"], ["stats"], ["stats", "--by", "tag"]):
        assert main([*command, "--dir", str(path)]) == 0
    assert "chat m" in capsys.readouterr().out
