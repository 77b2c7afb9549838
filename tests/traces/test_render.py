"""The picture of a trace: what stands in it, and what can never get into it."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

from tests.traces.samples import chat, message, run, span, tool, troubled

from agentops_sdk import semconv
from agentops_sdk.traces import Trace
from agentops_sdk.traces.display.render import svg, text
from agentops_sdk.traces.display.terminal_text import block, line
from agentops_sdk.traces.figures import number_format
from agentops_sdk.traces.usage import Usage

NASTY = "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202eevil [bold red]x[/] :smile: \ud800"


def test_a_run() -> None:
    drawn = text(Trace(run()), width=80)
    assert drawn.splitlines()[0] == "invoke_agent travel  ok  3.40 s  2.7k→257 tokens  $0.00256"
    assert "├─ ■ execute_tool weather error                      120 ms" in drawn
    assert "│     TimeoutError: upstream took longer than 100 ms" in drawn
    assert "chose retry, not give up (90% sure): one failure only" in drawn
    assert "└─ ◆ chat gpt-4o-mini stream (42 chunks)             1.45 s   1.0k→187 $0.000264" in drawn
    assert "Paris?" not in drawn


def test_a_side_that_nobody_told_is_no_zero() -> None:
    """But of an embedding there is no output."""
    asked = chat(None, tokens=None, cost=None, attributes={semconv.USAGE_INPUT_TOKENS: 100})
    assert "100→? tokens" in text(Trace([asked]), width=80)
    told = Usage.of({semconv.USAGE_OUTPUT_TOKENS: 20})
    assert told is not None
    assert number_format.tokens(told, ascii_only=True) == "?>20"
    given = Usage.of({semconv.USAGE_INPUT_TOKENS: 100})
    assert given is not None
    assert number_format.tokens(given, "embedding") == "100→0"


def test_messages() -> None:
    drawn = text(Trace(run()), width=80, messages=True)
    assert "│       What is the weather in Paris?\n│       And the time?\n" in drawn
    assert 'calls weather({"city": "Paris"})' in drawn
    assert "Rainy, 14 °C." in drawn


def test_an_agent_that_failed_has_not_said_what_its_model_said_last() -> None:
    said = {semconv.OUTPUT_MESSAGES: '[{"role": "assistant", "parts": [{"type": "text", "content": "let me look"}]}]'}
    for status, shown in (("unset", True), ("error", False)):
        agent = span("invoke_agent a", {semconv.OPERATION_NAME: "invoke_agent", **said}, status=status)
        assert ("let me look" in text(Trace([agent]), messages=True)) is shown


def test_trouble_is_said() -> None:
    drawn = text(Trace(troubled()), width=80)
    for said in ("(clock skew)", "(parent missing)", "abandoned", "unknown", "≥~$0.000144", "~800→40",
                 "1 × no price for my-own-model", "1 span(s) whose parent is missing"):  # fmt: skip
        assert said in drawn
    plain = text(Trace(troubled()), width=80, ascii_only=True)
    assert plain.isascii()
    assert ">=~$0.000144" in plain


def test_nothing_captured_reaches_the_terminal_raw() -> None:
    every = {
        semconv.DECISION_CHOSEN: NASTY,
        semconv.DECISION_REASON: NASTY,
        semconv.ERROR_TYPE: NASTY,
        semconv.COST_UNKNOWN_REASON: NASTY,
        semconv.INPUT_MESSAGES: json.dumps([message(NASTY, NASTY)]),
        semconv.OUTPUT: NASTY,
    }
    # Lone surrogates cannot stand in a record; they can stand in a JSON string inside one.
    clean = {key: value.replace("\ud800", "") for key, value in every.items()}
    record = chat(None, cost=None, attributes=clean, status="error").model_copy(
        update={"name": NASTY, "status_message": NASTY}
    )
    for drawn in (text(Trace([record]), messages=True), re.sub(r"<style>.*?</style>", "", svg(Trace([record])))):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", drawn)
    assert "[bold red]x[/] :smile:" in text(Trace([record]))


def test_safe_text() -> None:
    assert line("a\n\tb \x1b[0m") == "a b \\x1b[0m"
    assert line("x" * 600) == "x" * 499 + "…"
    assert block("a\r\nb\rc") == "a\nb\\x0dc"
    assert block("a\tb") == "a   b"
    assert block("\u202e\ud800") == "\\u202e\\ud800"


def test_hidden_structures_in_messages_do_not_break_it() -> None:
    broken = ("[", "{}", '"text"', "[[1]]", '[{"role": 1, "parts": {"a": 1}}]', '[{"parts": [null, {"type": 1}]}]')
    for content in (*broken, "[" * 5000):
        attributes = {semconv.INPUT_MESSAGES: content, semconv.DECISION_OPTIONS: content, semconv.ATTEMPTS: content}
        assert "chat" in text(Trace([chat(None, attributes=attributes)]), messages=True)


def test_names_give_way_before_what_matters() -> None:
    top = span("n" * 200, status="error")
    drawn = text(Trace([top, tool("t" * 200, top)]), width=60)
    assert all(len(row) <= 60 for row in drawn.splitlines())
    assert "…  error  100 ms" in drawn


def test_a_picture_is_whole_and_fetches_nothing() -> None:
    drawn = svg(Trace(run()), title="agentops show")
    ET.fromstring(drawn)
    assert "url(" not in re.sub(r"url\(#[^)]*\)", "", drawn)
    shown = re.sub(r"<!--.*?-->", "", drawn).replace("http://www.w3.org/2000/svg", "")
    assert "http" not in shown
    assert "execute_tool" in drawn


def test_an_only_root_is_told_once_and_several_have_a_sum_above_them() -> None:
    drawn = text(Trace(run()), width=100)
    assert drawn.count("invoke_agent travel") == 1
    assert drawn.splitlines()[2].startswith("├─ ")
    lone = text(Trace([chat(None, attributes={semconv.REQUEST_STREAM: True})]), width=100)
    assert len(lone.splitlines()) == 2
    assert lone.splitlines()[0].endswith(" stream")
    two = text(Trace([span("one"), span("two", at=5_000)]), width=100).splitlines()
    assert two[0].startswith("one  ok  5.")
    assert two[2] == ""
    assert [line.split()[1] for line in two[3:]] == ["one", "two"]
    later = span("outlives", at=10, took=10_000)
    top = span("top", took=20)
    drawn = text(Trace([top, later.model_copy(update={"parent_id": top.span_id})]), width=100)
    assert [line.split()[-2:] for line in drawn.splitlines() if "top" in line] == [["10.01", "s"], ["20", "ms"]]
