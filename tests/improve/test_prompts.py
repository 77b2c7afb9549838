"""Prompts: versions by content, named by the calls that were made with them, listed, compared, rolled back."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import openai
import pytest
from examples.local_model import LocalModel, Reply

import agentops_sdk as agentops
from agentops_sdk._alerts.engine import Engine
from agentops_sdk._alerts.observation import of_fields
from agentops_sdk._scrub import rendered_prompts
from agentops_sdk.alert_rules import from_keywords
from agentops_sdk.cli import main


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    rendered_prompts.forget()


def written() -> None:
    """Wait for what is kept on a thread of its own."""
    for thread in threading.enumerate():
        if thread.name == "agentops-prompts":
            thread.join(10)


def ask(client: openai.OpenAI, system: str, question: str) -> None:
    messages: Any = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    client.chat.completions.create(model="gpt-4o-mini", messages=messages)


def test_calls_name_the_prompt_whose_text_they_hold_and_the_table_adds_up(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with LocalModel(lambda _: Reply(text="hi")) as server:
        agentops.init(exporters=["jsonl"], integrations=["openai"])
        greet = agentops.prompt("greeting", "Greet {name} in {language}, as a butler would.", labels=["canary"])
        newer = agentops.prompt("greeting", "Greet {name} in {language}, as a friend would.")
        plain = agentops.prompt("plain", "You answer questions, and nothing else.")
        with openai.OpenAI(base_url=server.base_url, api_key="local") as client, agentops.span("run"):
            ask(client, greet.format(name="Ada", language="French"), "hello")
            ask(client, newer(name="Bob", language="French"), "hello")
            ask(client, f"Rules first. {newer(name='Eve', language='Danish')} Be short.", "hello")
            ask(client, str(plain), "hello")
            ask(client, "Something else altogether, by nobody.", "hello")
    written()
    agentops.shutdown()
    trace = agentops.traces.load("./.agentops/traces").latest
    named = [call.attributes.get("agentops.prompt.version") for call in trace.llm_calls]
    assert named == [f"greeting@{greet.version}", *[f"greeting@{newer.version}"] * 2, f"plain@{plain.version}", None]
    first = trace.llm_calls[0].attributes
    assert (first["gen_ai.prompt.name"], first["gen_ai.prompt.version"]) == ("greeting", greet.version)
    assert json.loads(first["agentops.prompt.variables"]) == {"name": "Ada", "language": "French"}
    assert first["agentops.prompt.labels"] == ["canary"]
    assert main(["prompts", "--json"]) == 0
    rows = {row["version"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert {version: row["calls"] for version, row in rows.items()} == {
        greet.version: 1,
        newer.version: 2,
        plain.version: 1,
    }
    assert rows[newer.version]["cost"]["amount"] > 0
    assert main(["stats", "--by", "prompt", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 4


def test_versions_are_labelled_compared_and_rolled_back(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    agentops.init(exporters=["memory"], integrations=[])
    one = agentops.prompt("greeting", "Hello {name}.\n")
    written()
    two = agentops.prompt("greeting", "Goodbye {name}.\n")
    written()
    assert one.version != two.version
    assert main(["prompts", "diff", "greeting", one.version, two.version]) == 0
    assert "-Hello {name}.\n+Goodbye {name}." in capsys.readouterr().out
    for version in (one.version, two.version):
        assert main(["prompts", "label", "greeting", version[:6], "production"]) == 0
    assert agentops.prompt("greeting").version == two.version
    assert main(["prompts", "rollback", "greeting"]) == 0
    assert agentops.prompt("greeting").version == one.version
    assert agentops.prompt("greeting", "Goodbye {name}.\n", version="production").template == one.template
    assert agentops.prompt("greeting", version="latest").labels in ((), ("production",))
    assert main(["prompts", "rollback", "greeting"]) == 1
    assert "has named no version before" in capsys.readouterr().err


def test_prompts_are_read_from_a_folder_and_nothing_is_kept_where_nothing_may_be(home: Path) -> None:
    (home / "prompts" / "refund").mkdir(parents=True)
    (home / "prompts" / "greeting.md").write_text('Hi {name}: {"json": {"is": 1}}\n')
    (home / "prompts" / "refund" / "a.txt").write_text("Order {{ order }}: {keep}")
    assert agentops.prompt("greeting").format(name="Ada") == 'Hi Ada: {"json": {"is": 1}}\n'
    assert agentops.prompt("refund", folder="prompts").format(order=7) == "Order 7: {keep}"
    agentops.init(exporters=["memory"], integrations=[], capture_content=False)
    agentops.prompt("private", "Say nothing.")
    agentops.configure(capture_content=True)
    agentops.prompt("secret", "Use sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ to log in.")
    written()
    assert not list(Path(".agentops").rglob("prompts/*/*"))
    for wrong in ({"name": "../x"}, {"name": "x", "template": 3}):
        with pytest.raises(agentops.ConfigError):
            agentops.prompt(**wrong)
    with pytest.raises(agentops.TraceError, match="no prompt nowhere"):
        agentops.prompt("nowhere")
    with pytest.raises(agentops.ConfigError, match="name"):
        agentops.prompt("greeting").format(nam="Ada")


def test_a_fingerprint_that_drifts_is_an_alert() -> None:
    told: list[Any] = []
    rule = from_keywords("drift of fingerprint > 20 %", over=60, per="agent", least=5)
    engine = Engine([rule], lambda _, notice: told.append(notice))

    def call(at: float, fingerprint: str) -> None:
        attributes = {"agentops.prompt.fingerprint": fingerprint, "gen_ai.agent.name": "desk"}
        moment = int(at * 1e9)
        record = {"kind": "llm", "trace_id": "1" * 32, "parent_id": "2" * 16, "start_ns": moment, "end_ns": moment}
        engine.observe(of_fields({**record, "attributes": attributes}))

    for number in range(20):
        call(1_000 + number, "aaaa")
    for number in range(5):
        call(1_100 + number, "aaaa")
    assert told == []
    for number in range(5):
        call(1_200 + number, "bbbb")
    assert [(notice.state, notice.key) for notice in told] == [("firing", "desk")]
