"""The page of a run as text: its policy, its data, and that nothing of a trace becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import stat
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.traces.samples import TRACE, chat, message, run, span, troubled

from agentops_sdk.cli import main
from agentops_sdk.errors import ConfigError
from agentops_sdk.report import document, html, save
from agentops_sdk.traces import SpanRecord, Trace

HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>&lt;\u2028\u202e\x1b[31m\x00 \ud800 ${x} `"


class Elements(HTMLParser):
    """Every element with its attributes, and what stands in scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.content: list[str] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.content.append("")
        self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.content[-1] += data

    def of(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [
            (attributes, content)
            for (name, attributes), content in zip(self.elements, self.content, strict=True)
            if name == tag
        ]


def embedded(page: str) -> tuple[dict, list[dict]]:
    blocks = {a["id"]: json.loads(content) for a, content in Elements(page).of("script") if "id" in a}
    return blocks["overview"], [blocks[f"details-{n}"] for n in range(len(blocks) - 1)]


def record_of(details: dict, row: int) -> SpanRecord:
    own, shared = details["lines"][row]
    return SpanRecord.model_validate({**json.loads(own), **json.loads(details["shared"][shared])})


def test_the_policy_allows_the_page_s_own_script_and_style_and_nothing_else() -> None:
    page = Elements(html(Trace(run())))
    (policy,) = [a["content"] or "" for a, _ in page.of("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split("; ")}
    code = [content for attributes, content in page.of("script") if "type" not in attributes]
    style = [content for _, content in page.of("style")]

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == [digest(text) for text in code]
    assert rules["style-src"] == [digest(text) for text in style]
    assert set(rules) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
    assert not [(tag, a) for tag, a in page.elements if {"src", "style", "onclick", "onload"} & set(a)]
    assert [a["href"] for _, a in page.elements if "href" in a] == ["data:,"]
    assert not re.search(r"https?://(?!opensource\.org|www\.w3\.org)", code[0] + style[0])


def test_no_text_of_a_trace_is_markup() -> None:
    plain, hostile = run(), [
        span(HOSTILE, {"gen_ai.agent.name": HOSTILE, "agentops.kind": "agent", "session.id": HOSTILE}),
        chat(None, model=HOSTILE, attributes={"gen_ai.input.messages": json.dumps([message("user", HOSTILE)])}),
        span("decision x", {
            "agentops.kind": "decision", "agentops.decision.name": HOSTILE, "agentops.decision.chosen": [HOSTILE],
            "agentops.decision.options": [HOSTILE, "b"], "agentops.decision.reason": HOSTILE,
            HOSTILE: HOSTILE,
        }, status="error", status_message=HOSTILE),
    ]  # fmt: skip
    tags = [tag for tag, _ in Elements(html(Trace(plain))).elements]
    page = html(Trace(hostile))
    assert [tag for tag, _ in Elements(page).elements] == tags
    overview, (details,) = embedded(page)
    assert record_of(details, 0).attributes["session.id"] == HOSTILE  # and nothing of it is lost
    assert overview["runs"][0]["decisions"][0]["options"][0] == HOSTILE
    data = page[page.index('id="overview"') : page.rindex("<script>")]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u2028\u2029\ud800-\udfff]", data)
    page.encode()


def test_records_are_in_it_as_they_were_recorded_and_figures_as_the_trace_has_them() -> None:
    trace = Trace([*run()])
    overview, (details,) = embedded(html(trace))
    (shown,) = overview["runs"]
    assert (shown["id"], shown["outcome"], shown["took"]) == (TRACE, "ok", "3.40 s")
    assert shown["money"] == trace.cost.as_dict()
    assert shown["usage"] == trace.usage.as_dict()
    walked = list(trace.walk())
    assert [(row["depth"], row["name"]) for row in shown["rows"]] == [(depth, s.name) for depth, s in walked]
    assert [record_of(details, row) for row in range(len(walked))] == [s for _, s in walked]
    failed = [row for row in shown["rows"] if row["outcome"] == "error"]
    assert [(row["name"], row["error"]) for row in failed] == [
        ("execute_tool weather", "TimeoutError: upstream took longer than 100 ms")
    ]
    (decision,) = shown["decisions"]
    assert (decision["options"], decision["chosen"], decision["confidence"]) == (["retry", "give up"], ["retry"], 0.9)
    assert shown["rows"][0]["start"] == 0


def test_what_is_unknown_is_said() -> None:
    overview, _ = embedded(html(Trace(troubled())))
    (shown,) = overview["runs"]
    assert shown["money"]["unknown"]
    assert any("cost is" in remark for remark in shown["remarks"])


def test_what_is_left_out_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MOST_TEXT", 1_000)
    monkeypatch.setattr(document, "MOST_DETAILS", 4_000)
    spans = [span(f"step {n}", {"agentops.output": "x" * 1_500}, at=n) for n in range(9)]
    overview, (details,) = embedded(html(Trace(spans)))
    first = record_of(details, 0).attributes["agentops.output"]
    assert first == "x" * 1_000 + "… (500 more characters are not in this page)"
    missing = details["lines"].count(None)
    assert 0 < missing < 9
    assert (
        f"the records of {missing} spans are not in this page: it would be too large" in overview["runs"][0]["remarks"]
    )


def test_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    path = save([Trace(run()), Trace(run("a" * 32))], tmp_path / "both.html")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    overview, details = embedded(path.read_text(encoding="utf-8"))
    assert [shown["id"] for shown in overview["runs"]] == [TRACE, "a" * 32]
    assert len(details) == 2
    with pytest.raises(ConfigError, match="at least one trace"):
        html([])


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AGENTOPS_DIR", raising=False)
    folder = Path(".agentops/traces")
    folder.mkdir(parents=True)
    records = [*run(), *run("a" * 32, at=-86_400_000)]
    (folder / "a.jsonl").write_text("".join(record.model_dump_json(exclude_unset=True) + "\n" for record in records))
    for words, path, ids in (
        ([], "4bf92f35.html", [TRACE]),
        (["aaaa", "latest", "-o", "run.html"], "run.html", ["a" * 32, TRACE]),
        (["aaaa", "a" * 32, "-o", "run.html"], "run.html", ["a" * 32]),
        ([str(folder), "-o", "run.html"], "run.html", [TRACE]),
        ([str(folder / "a.jsonl"), "-o", "run.html"], "run.html", [TRACE]),
    ):
        assert main(["report", *words]) == 0
        assert capsysbinary.readouterr() == (f"{path}\n".encode(), b"")
        overview, _ = embedded(Path(path).read_text(encoding="utf-8"))
        assert [shown["id"] for shown in overview["runs"]] == ids
    assert main(["report", "-o", "-"]) == 0
    assert embedded(capsysbinary.readouterr().out.decode())[0]["runs"][0]["id"] == TRACE
    assert main(["report", "ffff"]) == 1
    assert main(["report", "-o", "nowhere/run.html"]) == 1
    assert b"cannot write nowhere/run.html: No such file" in capsysbinary.readouterr().err
