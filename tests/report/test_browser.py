"""The page of a run in a real browser: every view, keys alone, dark, ten thousand steps, hostile content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser import needs_chromium
from tests.traces.samples import chat, message, run, span

from agentops_sdk.report import save
from agentops_sdk.traces import Trace

if TYPE_CHECKING:
    from tests.browser import Browser

pytestmark = [pytest.mark.once, needs_chromium]


GLANCE = """(() => {
  const canvas = document.querySelector('.glance canvas');
  const box = canvas.getBoundingClientRect();
  const probe = document.createElement('canvas').getContext('2d');
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--bad');
  probe.fillRect(0, 0, 1, 1);
  const bad = probe.getImageData(0, 0, 1, 1).data;
  const seen = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const isBad = (n) => [0, 1, 2].every((c) => seen[4 * n + c] === bad[c]);
  const pixel = [...Array(canvas.width * canvas.height).keys()].find(isBad);
  return {x: box.left + 5, y: box.top, height: box.height, failed: Math.floor(pixel / canvas.width) / canvas.height};
})()"""


def many(count: int) -> Trace:
    root = span("invoke_agent busy", {"agentops.kind": "agent"}, took=count)
    steps = (
        span(
            f"step {n}", {"agentops.output": f"page {n}"}, parent=root, at=n, status="error" if n == 7_000 else "unset"
        )
        for n in range(count)
    )
    return Trace([root, *steps])


def test_every_view_in_light_and_dark(browser: Browser, tmp_path: Path) -> None:
    browser.open(save([Trace(run()), Trace(run("a" * 32))], tmp_path / "run.html"))
    assert browser.selected() == "execute_tool weather"  # what failed comes first
    assert "TimeoutError: upstream took longer than 100 ms" in browser.side()
    assert browser.value("document.querySelector('.failed').innerText").startswith("error")
    browser.click("[role=treeitem]", "chat gpt-4o-mini")
    browser.wait("document.querySelector('aside h2').textContent.includes('chat')")
    side = browser.side()
    for text in ("user\nWhat is the weather in Paris?", "calls weather", "tokens from\nreported", "$0.000144"):
        assert text in side, side
    light = browser.value("getComputedStyle(document.body).backgroundColor")
    browser.screenshot("report")
    browser.click("[role=tab]", "Decisions")
    browser.wait("document.querySelector('article.decision')")
    card = browser.value("document.querySelector('article.decision').innerText")
    for text in ("✓ retry", "(chosen)", "give up", "confidence 90 %", "one failure only"):
        assert text in card, card
    browser.media("dark")
    assert browser.value("getComputedStyle(document.body).backgroundColor") != light
    browser.media("dark", "print")
    assert browser.value("getComputedStyle(document.body).backgroundColor") == light  # paper is
    browser.media("dark")
    browser.click("[aria-label='Light or dark']")
    assert browser.value("getComputedStyle(document.body).backgroundColor") == light
    browser.choose("select", "1")
    browser.wait(f"document.querySelector('header').textContent.includes('{'a' * 32}')")
    browser.assert_nothing_went_wrong()


def test_keys_alone_and_what_a_screen_reader_is_told(browser: Browser, tmp_path: Path) -> None:
    browser.open(save(Trace(run()), tmp_path / "run.html"))
    browser.wait("document.activeElement.id === 'tree'")
    browser.key("Home")
    browser.wait("document.querySelector('[aria-selected=true][role=treeitem]').id === 'row-0'")
    assert browser.value("document.activeElement.getAttribute('aria-activedescendant')") == "row-0"
    browser.key("ArrowLeft")
    browser.wait("document.querySelectorAll('[role=treeitem]').length === 1")
    assert browser.value("document.querySelector('#row-0').getAttribute('aria-expanded')") == "false"
    browser.key("ArrowRight")
    browser.key("ArrowRight")
    browser.wait("document.querySelector('[aria-selected=true][role=treeitem]').id === 'row-1'")
    browser.key("Enter")
    browser.wait("document.activeElement.tagName === 'ASIDE'")
    browser.key("/")
    browser.wait("document.activeElement.type === 'search'")
    browser.type("clock")
    browser.wait("document.querySelector('[role=status]').textContent.startsWith('1 of 8')")
    browser.key("Escape")
    browser.wait("document.activeElement.id === 'tree' && document.querySelectorAll('[role=treeitem]').length === 8")
    browser.key("e")
    browser.wait("document.querySelector('[aria-selected=true][role=treeitem]').textContent.includes('weather')")
    nodes = browser.page.context.new_cdp_session(browser.page).send("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in nodes if "role" in node]
    assert roles.count("tree") == 1
    assert roles.count("treeitem") == 8
    browser.assert_nothing_went_wrong()


def test_hostile_content_is_text(browser: Browser, tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202e javascript:alert(3)"
    spans = [
        span(hostile, {"agentops.kind": "agent", "gen_ai.agent.name": hostile, hostile: hostile}),
        chat(None, model=hostile, attributes={
            "gen_ai.input.messages": json.dumps([message("user", hostile), message(hostile, "x" * 5_000_000)]),
            "agentops.attempts": "[1, null]", "gen_ai.agent.name": ["no", "text"], "agentops.usage.source": 7,
            "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [7, None, {"type": "tool_call"}]}]),
        }, at=1),
        span("decision", {
            "agentops.kind": "decision", "agentops.decision.name": hostile, "agentops.decision.chosen": [hostile],
            "agentops.decision.options": [hostile], "agentops.decision.reason": hostile,
            "agentops.decision.rejected": "[1]", "agentops.decision.scores": "7",
        }, at=2, status="error", status_message=hostile),
    ]  # fmt: skip
    browser.open(save(Trace(spans), tmp_path / "run.html"))
    assert browser.value("document.querySelectorAll('img, #page script, iframe, a').length") == 0
    assert "<img src=x onerror=alert(2)>\\x1b[31m\\u202e" in browser.value("document.querySelector('h1').innerText")
    browser.click("[role=treeitem]", "chat")
    browser.wait("document.querySelector('.message')")
    assert browser.value("document.querySelector('aside').textContent.length") < 50_000
    assert browser.value("document.querySelector('button.more').textContent.includes('more characters')")
    browser.click("[role=tab]", "Decisions")
    browser.wait("document.querySelector('article.decision')")
    assert browser.value("document.querySelectorAll('img, #page script').length") == 0
    browser.assert_nothing_went_wrong()


def test_ten_thousand_steps(browser: Browser, tmp_path: Path) -> None:
    """Only what is in sight is in the document, wherever one scrolls; printing has more."""
    browser.open(save(many(9_999), tmp_path / "run.html"))
    counted = "document.querySelectorAll('[role=treeitem]').length"
    assert browser.value(counted) < 60
    browser.value("document.querySelector('#tree').scrollTop = 1e9")
    browser.wait("document.querySelector('#row-9999')")
    assert browser.value(counted) < 60
    browser.key("End")
    browser.wait("document.querySelector('[aria-selected=true][role=treeitem]').id === 'row-9999'")
    at = browser.value(GLANCE)
    assert 0.68 < at["failed"] < 0.72  # where the failure is, among ten thousand
    browser.page.mouse.click(at["x"], at["y"] + at["height"] * 0.25)
    browser.wait("/^row-2[45]\\d\\d$/.test(document.querySelector('[aria-selected=true][role=treeitem]').id)")
    browser.key("/")
    browser.type("page 4711")
    browser.wait("document.querySelector('[role=status]').textContent.startsWith('1 of')")
    assert browser.value(counted) == 2  # and what it lies in
    browser.key("Escape")
    browser.wait("document.querySelector('input').value === ''")
    browser.value("dispatchEvent(new Event('beforeprint'))")
    browser.wait(f"{counted} > 1999")
    browser.value("dispatchEvent(new Event('afterprint'))")
    browser.wait(f"{counted} < 60")
    browser.assert_nothing_went_wrong()


def test_agents_are_lanes_with_handoffs(browser: Browser, tmp_path: Path) -> None:
    root = span("run", {"agentops.kind": "workflow"}, took=1000)
    event = {"name": "agentops.handoff", "time_ns": root.start_ns + 400_000_000, "attributes": {
        "agentops.handoff.from": "triage", "agentops.handoff.to": "<b>billing", "agentops.handoff.reason": "a refund",
    }}  # fmt: skip
    kind = {"agentops.kind": "agent"}
    triage = span("invoke_agent triage", kind, parent=root, took=400, events=[event])
    billing = span("invoke_agent <b>billing", kind, parent=root, at=400, took=300)
    repeated = {
        **kind,
        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"All right."}]}]',
    }
    later = span("invoke_agent triage", repeated, parent=root, at=800, took=100, status="error")
    browser.open(save(Trace([root, triage, billing, later]), tmp_path / "lanes.html"))
    side = browser.side()  # of what failed
    assert "error" in side
    assert "All right." not in side  # older files repeat there what a model said last
    browser.click("[role=tab]", "Agents (2)")
    browser.wait("document.querySelectorAll('.lane-row').length === 2")
    names = browser.value("[...document.querySelectorAll('.lane-name')].map((name) => name.textContent)")
    assert names == ["triage", "<b>billing"]
    assert browser.value("document.querySelectorAll('.stretch').length") == 3
    assert browser.value("document.querySelectorAll('.stretch.bad').length") == 1
    assert browser.value("document.querySelector('.arrival').style.left") == "40%"
    assert "triage → <b>billing: a refund" in browser.value("document.querySelector('.lanes ol').innerText")
    browser.click(".lanes ol button")
    browser.wait("document.querySelector('[role=treeitem]')")
    assert browser.selected() == "invoke_agent triage"
    browser.assert_nothing_went_wrong()
