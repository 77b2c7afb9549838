"""``agentops view`` in a real browser: every page, keys alone, dark, narrow, hostile content, live, two runs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.browser import needs_chromium
from tests.traces.samples import agent, chat, message, run, span, tool
from tests.view.site import HOUR, PAGES, Site, days, write

from agentops_sdk.traces import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.browser import Browser


pytest.importorskip("uvicorn", reason="the extra `view` is not installed here")
pytestmark = [pytest.mark.once, needs_chromium]

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202e javascript:alert(3)"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    write(tmp_path / "a.jsonl", days())
    running = Site(tmp_path)
    yield running
    running.close()


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Browser]:
    """The list of runs; at the end nothing was asked of anybody else, and nothing was complained of."""
    browser.open(site.address, "document.querySelectorAll('tbody tr').length === 24")
    yield browser
    browser.assert_nothing_went_wrong(f"http://127.0.0.1:{site.port}/")
    browser.open("about:blank", "true")


def test_runs_sessions_stats_and_trends(page: Browser, site: Site) -> None:
    assert page.value("location.search") == ""  # the token is not in the address any more
    assert page.value("document.cookie") == ""
    assert page.value("document.querySelectorAll('dl.sums .spark canvas').length") == 4
    assert page.value("[...document.querySelectorAll('dl.sums dd')].pop().textContent").strip() == "$0.0368"
    assert page.value("document.querySelectorAll('tbody .spark canvas').length") == 22  # all but the first of each name
    assert "24 of 24 runs" in page.value("document.querySelector('[role=status]').textContent")
    page.screenshot("view-runs")

    page.click("nav a", "Sessions")
    page.wait("document.querySelectorAll('tbody tr').length === 8")
    page.click("tbody a", "conversation 7")
    page.wait("document.querySelectorAll('.turns li').length === 3")
    said = page.value("document.querySelector('.turns').innerText")
    assert "question 21" in said
    assert "answer 23" in said
    page.screenshot("view-session")

    page.click("nav a", "Stats")
    page.wait("document.querySelectorAll('tbody tr').length === 3")  # two models and the total
    cells = page.value("[...document.querySelectorAll('tbody tr')].map((row) => row.cells[2].textContent)")
    assert cells == ["8", "16", "24"]
    page.choose("select", "agent")
    page.wait("document.querySelector('thead th').textContent === 'agent'")
    page.click("tbody a", "billing")
    page.wait("document.querySelectorAll('tbody tr').length === 12")
    assert page.value("location.search") == "?agent=billing"

    page.click("nav a", "Trends")  # and the filter goes along
    page.wait("document.querySelectorAll('.plot').length === 6")
    assert page.value("location.search") == "?agent=billing"
    page.click("form.filters a", "all")
    page.wait("document.querySelectorAll('.plot').length === 6 && !location.search")
    page.choose("select[aria-label=split]", "model")
    page.wait("document.querySelectorAll('.plot:first-child .u-series').length === 3")  # the period and two models
    last = page.value("document.querySelector('.plot .u-legend').innerText")
    assert last == "day2026-08-13gpt-4o-mini-2024-07-18–gpt-4o-2024-07-183"
    page.value("document.querySelectorAll('.plot')[1].scrollIntoView()")
    box = page.value("(({x, y}) => ({x, y}))(document.querySelectorAll('.u-over')[1].getBoundingClientRect())")
    page.page.mouse.move(box["x"] + 2, box["y"] + 20)
    page.wait("document.querySelector('.plot .u-legend').innerText.includes('2026-08-06')")  # in all of them
    page.open(f"http://127.0.0.1:{site.port}/trends?by=week", "document.querySelector('.changes li li')")
    assert "cost per run" in page.value("document.querySelector('.changes').innerText")
    page.screenshot("view-trends")


def test_filters_are_those_of_every_command(page: Browser, site: Site) -> None:
    names = page.value("[...document.querySelectorAll('form.filters [name]')].map((field) => field.name)")
    from agentops_sdk.traces.search.filters import table

    assert set(names) == set(table())
    page.key("/")
    page.wait("document.activeElement.name === 'agent'")
    page.type("bill*")
    page.key("Enter")
    page.wait("document.querySelectorAll('tbody tr').length === 12")
    page.open(
        f"http://127.0.0.1:{site.port}/?where=gen_ai.request.model+%3D+gpt-4o&where=duration+%3E+1s&errors=true",
        "document.querySelectorAll('tbody tr').length === 1",
    )
    fields = page.value("[...document.querySelectorAll('[name=where]')].map((field) => field.value)")
    assert fields == ["gen_ai.request.model = gpt-4o", "duration > 1s", ""]
    page.open(f"http://127.0.0.1:{site.port}/?since=soon", "document.querySelector('[role=status].bad')")
    assert "since" in page.value("document.querySelector('[role=status]').textContent")
    page.complaints[:] = [text for text in page.complaints if "400" not in text]  # what it was refused with


def test_by_keys_alone_two_runs_are_compared_and_one_is_judged(page: Browser, site: Site) -> None:
    page.key("ArrowDown")
    page.wait("document.activeElement.className === 'run'")
    page.key("x")
    page.key("ArrowDown")
    page.key("f")
    page.wait("document.querySelector('dialog[open]')")
    page.value("document.querySelector('dialog [value=no]').focus()")
    page.key(" ")
    page.value("document.querySelector('dialog textarea').focus()")
    page.type(HOSTILE)
    page.value("document.querySelector('dialog button').focus()")
    page.key("Enter")
    page.wait(
        "!document.querySelector('dialog') && document.querySelector('tbody').innerText.includes('helpful false')"
    )
    page.wait("document.activeElement.className === 'run'")
    (verdict,) = [each for trace in load(site.folder) for each in trace.evaluations]
    assert (verdict.label, verdict.comment) == ("false", HOSTILE)
    page.key("f")
    page.wait("document.querySelector('.verdicts')")
    assert "onerror=alert(2)>\\x1b[31m\\u202e" in page.value("document.querySelector('.verdicts').innerText")
    page.key("Escape")
    page.wait("!document.querySelector('dialog') && document.activeElement.className === 'run'")
    page.key("x")
    page.key("c")
    page.wait("document.querySelector('tr.first')")
    assert page.value("location.pathname") == "/compare"
    assert "They part at step 1." in page.value("document.body.innerText")
    page.key("n")
    page.wait("document.activeElement.className.includes('parts')")
    page.click("thead a")
    page.wait("document.querySelector('[role=treeitem]')")
    page.click("a", "All runs")
    page.wait("document.querySelectorAll('tbody tr').length === 24")


def test_what_is_new_appears_and_what_is_hostile_is_text(page: Browser, site: Site) -> None:
    named = {"agentops.kind": "agent", "gen_ai.agent.name": HOSTILE, "session.id": HOSTILE, "user.id": HOSTILE}
    top = span(HOSTILE, named, trace_id="b" * 32, at=300 * HOUR, resource={"service.name": HOSTILE})
    asked = {"gen_ai.input.messages": json.dumps([message("user", HOSTILE + "x" * 5_000_000)])}
    write(
        site.folder / "b.jsonl", [top, chat(top, trace_id="b" * 32, model=HOSTILE, attributes=asked, at=300 * HOUR + 1)]
    )
    page.wait("document.querySelectorAll('tbody tr').length === 25")
    page.wait("document.getElementById('live').innerText.includes('onerror')")
    harmless = "document.querySelectorAll('img, iframe, #page script').length"
    for path, ready in (
        ("/", "document.querySelectorAll('tbody tr').length === 25"),
        ("/stats?by=agent", "document.querySelectorAll('tbody tr').length === 4"),
        ("/trends?split=model", "document.querySelectorAll('.plot:first-child .u-series').length === 4"),
        ("/sessions", "document.querySelectorAll('tbody tr').length === 9"),
    ):
        page.go(f"http://127.0.0.1:{site.port}{path}")
        page.wait(ready)
        assert page.value(harmless) == 0
        assert "<img src=x onerror=alert(2)>\\x1b[31m\\u202e" in page.value("document.body.innerText"), path
    page.click("tbody a", "onerror")
    page.wait("document.querySelectorAll('.turns li').length === 1")
    assert page.value("document.querySelector('.turns').textContent.length") < 50_000
    assert page.value(harmless) == 0


PROGRAM = """
import agentops_sdk as agentops

agentops.init(service_name="live", directory={folder!r})

@agentops.tool
def step(number):
    return number

@agentops.agent
def worker():
    for number in range(3):
        step(number)
        agentops.flush()
        input()

worker()
agentops.shutdown()
"""


def test_a_run_is_followed_while_it_goes_on(page: Browser, site: Site) -> None:
    """Another process is in the middle of a run, goes on when told, and ends; what is chosen and folded stays so."""
    program = PROGRAM.format(folder=str(site.folder))
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, text=True, bufsize=1) as running:
        assert running.stdin is not None
        page.wait("document.querySelector('tbody').innerText.includes('worker')")  # a second after it has begun
        assert page.value("document.querySelectorAll('td.running').length") == 1
        page.click("tbody a", "worker")
        page.wait("document.querySelectorAll('[role=treeitem]').length === 2")
        assert page.value("document.querySelector('h1 em').textContent") == "running"
        assert page.value("document.querySelectorAll('.row.bad').length") == 0
        page.key("Home")
        page.key("ArrowLeft")
        page.wait("document.querySelectorAll('[role=treeitem]').length === 1")
        running.stdin.write("\n")
        page.wait("document.querySelector('#row-0').innerText.includes('2 below')")
        page.key("ArrowRight")
        page.key("End")
        page.wait("document.querySelector('aside').innerText.includes('execute_tool step')")
        chosen = "JSON.parse(document.querySelector('#details-0').textContent).lines.length"
        assert page.value(chosen) == 2  # as the page was when it was opened
        running.stdin.write("\n\n")
        page.wait("document.querySelector('h1 em').textContent === 'ok'")
        page.wait("document.querySelectorAll('[role=treeitem]').length === 4")
        assert page.value("document.querySelector('[aria-selected=true][role=treeitem]').id") == "row-2"
        assert not page.value("document.body.innerText.includes('followed as it goes on')")
    assert running.returncode == 0


def test_dark_and_narrow(page: Browser, site: Site) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.value(colour)
    page.media("dark")
    assert page.value(colour) != light
    page.click("[aria-label='Light or dark']")
    assert page.value(colour) == light
    page.size(width=380)
    for path, ready in PAGES:
        page.go(f"http://127.0.0.1:{site.port}{path}")
        page.wait(ready)
        assert page.value("document.documentElement.scrollWidth") <= 380, path
        assert page.value(colour) != light
        if path == "/":
            page.screenshot("view-narrow-dark")


def test_a_long_list_is_drawn_a_part_at_a_time(browser: Browser, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [agent("busy", at=number, trace_id=f"{number + 1:032x}") for number in range(120)])
    site = Site(tmp_path)
    try:
        browser.open(site.address, "document.querySelectorAll('tbody tr').length === 100")
        assert "120 of 120 runs" in browser.value("document.querySelector('[role=status]').textContent")
        browser.click("button", "20 more")
        browser.wait("document.querySelectorAll('tbody tr').length === 120")
        browser.open("about:blank", "true")
    finally:
        site.close()


def test_what_both_did_is_aligned(browser: Browser, tmp_path: Path) -> None:
    """Two runs of one agent part where a tool was called that the other did not call, and meet again."""
    other = run("a" * 32, at=10)
    extra = tool("calendar", other[0], at=1_050, took=10, trace_id="a" * 32)
    write(tmp_path / "a.jsonl", [*run(), *other, extra])
    site = Site(tmp_path)
    try:
        browser.open(site.address, "document.querySelectorAll('tbody tr').length === 2")
        browser.open(
            f"http://127.0.0.1:{site.port}/compare?a={'a' * 32}&b={run()[0].trace_id}",
            "document.querySelector('tr.first')",
        )
        assert browser.value("document.querySelectorAll('tr.differs').length") == 1
        assert "execute_tool calendar" in browser.value("document.querySelector('tr.first').innerText")
        browser.screenshot("view-two-runs")
        browser.assert_nothing_went_wrong(f"http://127.0.0.1:{site.port}/")
        browser.open("about:blank", "true")
    finally:
        site.close()
