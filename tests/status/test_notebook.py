"""What a notebook shows: init() in one line; states and traces as pages that run nothing, whatever is in them."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.traces.samples import chat, run, span

import agentops_sdk as agentops
from agentops_sdk.traces import Trace

EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)">&amp;\x1b[31m\u202e'


class Page(HTMLParser):
    """Fails on whatever could run or load something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"div", "b", "table", "thead", "tbody", "tr", "th", "td", "small", "pre", "span", "code"}, tag
        assert {name for name, _ in attrs} <= {"style"}
        assert all("url(" not in (value or "") for _, value in attrs)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        assert "\x1b" not in data
        assert "\u202e" not in data
        self.text += data


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_init_shows_one_line() -> None:
    for shown in (agentops.init(exporters=["memory"]), agentops.init(), agentops.configure(sample_ratio=1.0)):
        assert "\n" not in repr(shown)
        assert len(repr(shown)) < 200
        assert Page(shown._repr_html_()).text == repr(shown)
        assert "openai" in repr(shown)
        assert "memory" in repr(shown)
        assert isinstance(shown, agentops.Status)
    assert repr(agentops.init(enabled=False)).endswith("off>")


def test_a_state_is_worth_looking_at() -> None:
    agentops.init(exporters=["memory"], resource_attributes={"evil": EVIL}, service_name=EVIL, integrations=["openai"])
    with agentops.span(EVIL):
        pass
    agentops.flush()
    page = Page(agentops.status()._repr_html_()).text
    for word in ("memory", "openai", "service_name", "keyword", "1 ended"):
        assert word in page
    agentops.shutdown()
    assert "off" in Page(agentops.status()._repr_html_()).text


def test_a_trace_is_its_tree() -> None:
    trace = Trace(run())
    page = Page(trace._repr_html_()).text
    assert "├─ ■ execute_tool weather error" in page
    assert "color:" in trace._repr_html_()


def test_hostile_content_stays_text() -> None:
    evil = [
        span(EVIL, span_id="1" * 16, trace_id="c" * 32, kind="agent", attributes={"gen_ai.agent.name": EVIL}),
        chat("1" * 16, model=EVIL, trace_id="c" * 32),
        span(EVIL, span_id="2" * 16, trace_id="c" * 32, kind="tool", outcome="error", status_message=EVIL),
    ]
    assert "alert(1)" in Page(Trace(evil)._repr_html_()).text
    place = Path(".agentops/traces")
    place.mkdir(parents=True)
    text = "".join(record.model_dump_json(exclude_unset=True) + "\n" for record in (*run(), *evil))
    (place / "a.jsonl").write_text(text, encoding="utf-8")
    traces = agentops.traces.load(".agentops")
    page = Page(traces._repr_html_()).text
    assert "2 traces" in page
    assert "alert(1)" in page
    assert "\n" not in repr(traces)


def test_a_very_long_trace_shows_its_beginning() -> None:
    many = [span(f"span {n}", span_id=f"{n + 1:016x}", trace_id="c" * 32) for n in range(5000)]
    page = Trace(many)._repr_html_()
    assert "… 4,980 more" in Page(page).text
    assert len(page) < 500_000


@pytest.mark.skipif(importlib.util.find_spec("IPython") is None, reason="IPython is not installed")
def test_in_ipython_itself() -> None:
    code = "import agentops_sdk as agentops\nagentops.init(exporters=['memory'])\n"
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "--simple-prompt"],
        input=code, capture_output=True, text=True, check=False, env={**os.environ, "IPYTHONDIR": ".ipython"},
    )  # fmt: skip
    assert len(re.findall(r"<agentops .*>", done.stdout)) == 1
