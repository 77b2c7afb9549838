"""A recorded run again: the same answers without a network, a stop at the first difference, a branch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall

import agentops_sdk as agentops
from agentops_sdk import encryption
from agentops_sdk._genai import anthropic_messages, openai_chat, openai_responses
from agentops_sdk.cli import main
from agentops_sdk.testing import ReplayError, replay_run
from agentops_sdk.testing.recordings.recorded_replies import FORMS
from agentops_sdk.testing.recordings.reply_form import Reply as Recorded

PROGRAM = """
import json, os, sys
import openai
import agentops_sdk as agentops

@agentops.tool
def search(q):
    with open("ran.txt", "a") as file:
        file.write(q)
    if q == "nothing":
        raise LookupError("nothing there")
    return [q, 1]

@agentops.agent
def planner(question):
    client = openai.OpenAI(max_retries=0)
    tools = [{"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}]
    messages = [{"role": "system", "content": "You search."}, {"role": "user", "content": question}]
    while True:
        reply = client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=tools).choices[0].message
        if not reply.tool_calls:
            break
        call = reply.tool_calls[0]
        found = search(**json.loads(call.function.arguments))
        messages += [reply.model_dump(exclude_none=True),
                     {"role": "tool", "tool_call_id": call.id, "content": json.dumps(found)}]
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    client.close()
    return text

if __name__ == "__main__":
    agentops.init(exporters=["jsonl"])
    print(planner(sys.argv[1] if len(sys.argv) > 1 else "sloths"))
"""


def script(request: Any) -> Reply:
    system, last = request["messages"][0]["content"], request["messages"][-1]
    if request.get("stream"):
        return Reply(text=f"{request['model']}: {last['content']}; {system}")
    return (
        Reply(text="found")
        if last["role"] == "tool"
        else Reply(tool_calls=(ToolCall("search", {"q": last["content"]}),))
    )


def run_once(program: str, question: str, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Any:
    """The program's agent, of which a run was recorded here; the server it asked is gone."""
    monkeypatch.setenv("OPENAI_API_KEY", "local")
    Path("program.py").write_text(program)
    with LocalModel(script) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        namespace: dict[str, Any] = {"__name__": "program"}
        exec(program, namespace)
        agentops.init(exporters=["jsonl"], integrations=["openai"], **settings)
        namespace["planner"](question)
        agentops.shutdown()
    return namespace["planner"]


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """A run of the program, its tool having run once; the server it asked is gone."""
    monkeypatch.chdir(tmp_path)
    run_once(PROGRAM, "sloths", monkeypatch)
    capsys.readouterr()
    assert Path("ran.txt").read_text() == "sloths"
    return agentops.traces.load("./.agentops/traces").latest.trace_id


def test_the_same_program_goes_the_same_way_without_a_server(
    recorded: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["replay", recorded]) == 0
    listed = capsys.readouterr().out
    assert [line.split()[:1] for line in listed.splitlines() if line.strip()[:1].isdigit()][-4:] == [
        ["1"],
        ["2"],
        ["3"],
        ["4"],
    ]
    for name in ("active", "_given"):
        monkeypatch.setattr(encryption, name, None)  # put back afterwards
    monkeypatch.setenv("REPLAY_KEY", "ab" * 32)
    key = ["--encryption-key", "env:REPLAY_KEY"]
    assert main(["replay", recorded, "--json", *key, "--run", "program.py", "sloths"]) == 0
    out, err = capsys.readouterr()
    said, told = out.splitlines()
    assert said.startswith("gpt-4o-mini: ")
    both = json.loads(told)
    assert both["first"] is None
    assert "3 model call(s) and 1 tool call(s) answered as recorded, no difference" in err
    assert Path("ran.txt").read_text() == "sloths", "the tool did not run again"
    file = Path(both["file"])
    assert file.stat().st_mode & 0o077 == 0
    assert all(line.startswith(b"sealed:") for line in file.read_bytes().splitlines())
    assert main(["show", *key, both["file"]]) == 0


def test_it_stops_where_the_program_asks_something_else(recorded: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", recorded, "--run", "program.py", "cats"]) == 1
    out, err = capsys.readouterr()
    assert "step 1 (chat gpt-4o-mini) is asked something else:" in err
    assert 'messages[1].parts[0].content: recorded "sloths", now "cats"' in err
    assert "recorded" in out
    Path("program.py").write_text(PROGRAM.replace("while True:", "for _ in range(1):"))
    assert main(["replay", recorded, "--run", "program.py", "sloths"]) == 1


def test_a_run_in_which_personal_data_was_replaced_says_why_it_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = "mail ann@home.example about 4111 1111 1111 1111"
    planner = run_once(PROGRAM, asked, monkeypatch, pii=["email", "card"])
    capsys.readouterr()
    trace = agentops.traces.load("./.agentops/traces").latest
    command = ["replay", trace.trace_id, "--json", "--run", "program.py"]
    assert main([*command, "mail ann@home.example about 4111 1111 1111 1111"]) == 1
    out, err = capsys.readouterr()
    assert "is asked something else" in err
    assert "the run was recorded with personal data replaced" in err
    assert set(json.loads(out.splitlines()[-1])["replaced"]) == {"[redacted:email]", "[redacted:card]"}
    with pytest.raises(ReplayError, match="personal data replaced"), replay_run(trace):
        planner(asked)
    assert main([*command, "mail [redacted:email] about [redacted:card]"]) == 0  # what was recorded
    assert "answers hold the marks" in capsys.readouterr().err


def test_a_tool_that_is_left_out_and_other_settings_are_no_same_run(
    recorded: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def again(program: str) -> tuple[int, str]:
        Path("program.py").write_text(program)
        return main(["replay", recorded, "--run", "program.py", "sloths"]), capsys.readouterr().err

    status, said = again(PROGRAM.replace("tools=tools)", "tools=tools, temperature=0.9)"))
    assert status == 1
    assert "step 1 (chat gpt-4o-mini) was answered, but is asked with other settings:" in said
    assert "gen_ai.request.temperature: " in said
    status, said = again(
        PROGRAM.replace('"gpt-4o-mini", messages=messages, tools', '"gpt-4o", messages=messages, tools')
    )
    assert (status, 'recorded "gpt-4o-mini", now "gpt-4o"' in said) == (1, True)
    status, said = again(PROGRAM.replace('"parameters": {"type": "object"}', '"description": "?"'))
    assert (status, "gen_ai.tool.definitions" in said) == (1, True)
    status, said = again(PROGRAM.replace(", tools=tools)", ")"))
    assert (status, "gen_ai.tool.definitions" in said) == (1, True), "all tools were taken away"
    status, said = again(
        PROGRAM.replace("found = search(**json.loads(call.function.arguments))", 'found = ["sloths", 1]')
    )
    assert (status, "step 2 (execute_tool search) did not run again" in said) == (1, True)


def test_what_another_version_recorded_is_compared_as_far_as_both_tell(
    recorded: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (file,) = Path(".agentops/traces").glob("*.jsonl")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        line["scope"]["version"] = "0.0.1"
        line["attributes"].pop("gen_ai.request.stream", None)
        line["attributes"].pop("gen_ai.request.choice.count", None)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def again(program: str) -> tuple[int, str]:
        Path("program.py").write_text(program)
        return main(["replay", recorded, "--run", "program.py", "sloths"]), capsys.readouterr().err

    assert again(PROGRAM)[0] == 0
    status, said = again(PROGRAM.replace("tools=tools)", "tools=tools, temperature=0.9)"))
    assert (status, "not compared, as another version or program recorded the run: " in said) == (0, True)
    assert "gen_ai.request.temperature" in said
    other = PROGRAM.replace('"gpt-4o-mini", messages=messages, tools', '"gpt-4o", messages=messages, tools')
    status, said = again(other)
    assert (status, 'recorded "gpt-4o-mini", now "gpt-4o"' in said) == (1, True)


NESTED = """
import agentops_sdk as agentops, openai

@agentops.tool
def inner(q):
    return q

@agentops.tool
def expert(q):
    inner(q)
    client = openai.OpenAI(max_retries=0)
    messages = [{"role": "system", "content": "You know."}, {"role": "user", "content": q}]
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

@agentops.agent
def planner(question):
    return expert(question)

if __name__ == "__main__":
    agentops.init(exporters=["jsonl"])
    planner("sloths")
"""


def test_what_an_answered_tool_did_inside_is_not_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run_once(NESTED, "sloths", monkeypatch)
    latest = agentops.traces.load("./.agentops/traces").latest.trace_id
    assert main(["replay", latest, "--run", "program.py"]) == 0
    assert "agentops: 1 tool call(s) answered as recorded, no difference" in capsys.readouterr().err


def test_it_branches_with_another_model_and_other_instructions(
    recorded: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with LocalModel(script) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        options = ["--branch", "4", "--model", "gpt-4o", "--system", "Be brief."]
        assert main(["replay", recorded, "--json", *options, "--run", "program.py", "sloths"]) == 0
        out, err = capsys.readouterr()
        assert out.splitlines()[0].startswith("gpt-4o: ")
        assert out.splitlines()[0].endswith("; Be brief.")
        assert "2 model call(s) and 1 tool call(s) answered as recorded, 1 model call(s) really made" in err
        assert len(server.requests) == 1
    assert main(["replay", recorded, "--model", "gpt-4o", "--run", "program.py"]) == 2
    assert main(["replay", recorded, "--branch", "9", "--run", "program.py"]) == 2


def test_a_run_without_content_is_no_answer(recorded: str) -> None:
    trace = agentops.traces.load("./.agentops/traces").latest
    bare = [span.model_copy(update={"attributes": {name: value for name, value in span.attributes.items()
            if "messages" not in name}}) for span in trace.spans]  # fmt: skip
    with pytest.raises(agentops.TraceError, match="without content"), replay_run(agentops.traces.Trace(bare)):
        pass
    assert not isinstance(ReplayError(""), Exception)


OWN = {"/chat/completions": openai_chat, "/messages": anthropic_messages, "/responses": openai_responses}
"""What reads the forms that no integration has to itself; those of Google and AWS are read by their clients."""


@pytest.mark.parametrize("form", [form for form in FORMS if form.path in OWN], ids=lambda form: form.path)
@pytest.mark.parametrize("stream", [False, True])
def test_every_form_says_what_was_said(form: Any, stream: bool) -> None:
    """The vendors' clients read an answer as they would the provider's, and the same stands in the trace again."""
    parts = [
        {"type": "text", "content": "Hi."},
        {"type": "tool_call", "id": "c1", "name": "search", "arguments": {"q": 1}},
    ]
    reply = Recorded("r1", "some-model", [{"role": "assistant", "parts": parts, "finish_reason": "tool_call"}], (7, 3))
    answer = form.answer(reply, stream=stream)
    module = OWN[form.path]
    body: Any
    if stream:
        lines = b"".join(answer.pieces).decode().splitlines()
        datas = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
        body = module.assemble([json.loads(data) for data in datas if data != "[DONE]"])
    else:
        body = json.loads(b"".join(answer.pieces))
    told = module.response(body, {"stream": stream})
    (message,) = told["gen_ai.output.messages"]
    assert [(part["type"], part.get("content") or part.get("arguments")) for part in message["parts"]] == [
        ("text", "Hi."), ("tool_call", {"q": 1}),
    ]  # fmt: skip
    failed = form.answer(Recorded("r", "m", [], (0, 0), "overloaded", 529), stream=stream)
    assert (failed.status, b"overloaded" in failed.pieces[0]) == (529, True)
