"""The page of a run in a real browser: every view, keys alone, dark, ten thousand steps, hostile content.

Chromium is spoken to through its own protocol; nothing but the browser has to be installed.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import re
import shutil
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.traces.samples import chat, message, run, span

from agentops_sdk.report import save
from agentops_sdk.traces import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.client import ClientConnection

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PICTURE = Path(__file__).parents[2] / "docs" / "images" / "report.png"

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (apt-get install chromium)"),
]


class PageLeftError(Exception):
    """The page was left while it was asked something."""


class Browser:
    """One page of a Chromium, and what it has said, asked for and complained of."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._last = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setDeviceMetricsOverride", width=1280, height=640, deviceScaleFactor=1, mobile=False)

    def _read(self) -> None:
        for text in self._connection:
            content = json.loads(text)
            if "id" in content:
                self._answers.put(content)
            else:
                self.events.append(content)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        request = {"id": self._last, "method": method, "params": parameters}
        self._connection.send(json.dumps(request | ({"sessionId": self._session} if self._session else {})))
        answer = self._answers.get(timeout=60)
        if "navigated" in answer.get("error", {}).get("message", ""):
            raise PageLeftError
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, path: Path) -> None:
        self.events.clear()
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
        self.send("Page.navigate", url=path.as_uri())
        self.wait("document.readyState === 'complete' && document.querySelector('[role=treeitem]')")

    def value(self, expression: str) -> Any:
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression: str) -> None:
        """Until it is true, looked at with each frame; the frames end after half a minute."""
        look = (
            f"(async () => {{ const end = Date.now() + 30000; while (!({expression})) {{ if (Date.now() > end) "
            "return false; await new Promise((next) => setTimeout(next, 15)); } return true; })()"
        )
        try:
            is_true = self.value(look)
        except PageLeftError:  # a click led elsewhere: what is waited for is there
            is_true = self.value(look)
        assert is_true, f"{expression}: {self.value('document.body.innerText')[:2000]}"

    def key(self, key: str) -> None:
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        codes = {"Enter": 13, "Escape": 27, "Tab": 9}
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=codes.get(key, 0), **text)

    def click(self, selector: str, containing: str = "") -> None:
        self.value(
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            f".find((element) => element.textContent.includes({json.dumps(containing)})).click()"
        )

    def screenshot(self) -> bytes:
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])

    def selected(self) -> str:
        return str(self.value("document.querySelector('[aria-selected=true][role=treeitem] .words').textContent"))

    def side(self) -> str:
        return str(self.value("document.querySelector('aside').innerText"))

    def assert_nothing_went_wrong(self) -> None:
        """No request but for the file, nothing on the console, no dialog, nothing that the policy had to stop."""
        asked = [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        assert not [url for url in asked if not url.startswith(("file:///", "data:"))]
        complaints = (
            "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening",
        )  # fmt: skip
        assert not [event for event in self.events if event["method"] in complaints]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    from websockets.sync.client import connect

    flags = (
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
        *("--remote-debugging-port=0", f"--user-data-dir={tmp_path_factory.mktemp('profile')}"),
    )
    running = subprocess.Popen([str(CHROMIUM), *flags, "about:blank"], stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    try:
        address = next(
            (where.group() for text in running.stderr if (where := re.search(r"ws://127\.0\.0\.1:\S+", text))), None
        )
        if address is None:
            pytest.skip(f"{CHROMIUM} does not start here")
        drain = threading.Thread(target=running.stderr.read, daemon=True)
        drain.start()
        with connect(address, max_size=None) as connection:
            yield Browser(connection)
    finally:
        running.terminate()
        running.wait(30)
        running.stderr.close()


def many(count: int) -> Trace:
    root = span("invoke_agent busy", {"agentops.kind": "agent"}, took=count)
    return Trace(
        [root, *(span(f"step {n}", {"agentops.output": f"page {n}"}, parent=root, at=n) for n in range(count))]
    )


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
    if os.environ.get("WRITE_PICTURES"):
        PICTURE.write_bytes(browser.screenshot())
    browser.click("[role=tab]", "Decisions")
    browser.wait("document.querySelector('article.decision')")
    card = browser.value("document.querySelector('article.decision').innerText")
    for text in ("✓ retry", "(chosen)", "give up", "confidence 90 %", "one failure only"):
        assert text in card, card
    browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert browser.value("getComputedStyle(document.body).backgroundColor") != light
    browser.click("[aria-label='Light or dark']")
    assert browser.value("getComputedStyle(document.body).backgroundColor") == light
    browser.value("(() => { const s = document.querySelector('select'); s.value = 1; "
                  "s.dispatchEvent(new Event('change', {bubbles: true})); })()")  # fmt: skip
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
    browser.send("Input.insertText", text="clock")
    browser.wait("document.querySelector('[role=status]').textContent.startsWith('1 of 8')")
    browser.key("Escape")
    browser.wait("document.activeElement.id === 'tree' && document.querySelectorAll('[role=treeitem]').length === 8")
    browser.key("e")
    browser.wait("document.querySelector('[aria-selected=true][role=treeitem]').textContent.includes('weather')")
    nodes = browser.send("Accessibility.getFullAXTree")["nodes"]
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
    browser.key("/")
    browser.send("Input.insertText", text="page 4711")
    browser.wait("document.querySelector('[role=status]').textContent.startsWith('1 of')")
    assert browser.value(counted) == 2  # and what it lies in
    browser.key("Escape")
    browser.wait("document.querySelector('input').value === ''")
    browser.value("dispatchEvent(new Event('beforeprint'))")
    browser.wait(f"{counted} > 1999")
    browser.value("dispatchEvent(new Event('afterprint'))")
    browser.wait(f"{counted} < 60")
    browser.assert_nothing_went_wrong()


def test_the_local_page_lists_compares_and_is_live(browser: Browser, tmp_path: Path) -> None:
    """``agentops view`` in the same browser: text stays text, no request leaves it, a new run appears by itself."""
    pytest.importorskip("uvicorn", reason="the extra `view` is not installed here")
    from tests.view.test_view import Site

    records = [*run(), span("<img src=x onerror=alert(1)>", {"agentops.kind": "agent"}, trace_id="b" * 32)]
    (tmp_path / "a.jsonl").write_text("".join(r.model_dump_json(exclude_unset=True) + "\n" for r in records))
    site = Site(tmp_path)
    try:
        browser.events.clear()
        browser.send("Page.navigate", url=site.address)
        browser.wait("document.querySelectorAll('tbody tr').length === 2")
        assert browser.value("location.search") == ""  # the token is not in the address any more
        assert browser.value("document.cookie") == ""
        assert browser.value("document.querySelectorAll('img').length") == 0
        assert "<img src=x onerror=alert(1)>" in browser.value("document.body.innerText")
        new = span("fresh", {"agentops.kind": "agent"}, trace_id="c" * 32)
        (tmp_path / "b.jsonl").write_text(new.model_dump_json(exclude_unset=True) + "\n")
        browser.wait("document.querySelectorAll('tbody tr').length === 3")
        assert "fresh ok" in browser.value("document.getElementById('live').innerText")
        browser.click("button[title=helpful]")
        browser.wait("document.body.innerText.includes('kept')")
        browser.value("[...document.querySelectorAll('tbody input')].slice(0, 2).forEach((box) => box.click())")
        browser.click("button", "compare two")
        browser.wait("document.querySelector('tr.first')")
        assert "They part at step 1." in browser.value("document.body.innerText")
        browser.click("thead a")
        browser.wait("document.querySelector('[role=treeitem]')")
        urls = [e["params"]["request"]["url"] for e in browser.events if e["method"] == "Network.requestWillBeSent"]
        assert not [url for url in urls if not url.startswith((f"http://127.0.0.1:{site.port}/", "data:"))]
        assert not [e for e in browser.events if e["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")]
        browser.send("Page.navigate", url="about:blank")
    finally:
        site.close()


def test_agents_are_lanes_with_handoffs(browser: Browser, tmp_path: Path) -> None:
    root = span("run", {"agentops.kind": "workflow"}, took=1000)
    event = {"name": "agentops.handoff", "time_ns": root.start_ns + 400_000_000, "attributes": {
        "agentops.handoff.from": "triage", "agentops.handoff.to": "<b>billing", "agentops.handoff.reason": "a refund",
    }}  # fmt: skip
    kind = {"agentops.kind": "agent"}
    triage = span("invoke_agent triage", kind, parent=root, took=400, events=[event])
    billing = span("invoke_agent <b>billing", kind, parent=root, at=400, took=300)
    later = span("invoke_agent triage", kind, parent=root, at=800, took=100, status="error")
    browser.open(save(Trace([root, triage, billing, later]), tmp_path / "lanes.html"))
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
