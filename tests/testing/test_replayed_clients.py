"""Runs of Google's and Amazon's clients again: the real clients, and no server behind them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.bedrock.clients import event as aws_event
from tests.bedrock.clients import whole
from tests.google_genai.clients import event as google_event
from tests.google_genai.clients import reply

import agentops_sdk as agentops
from agentops_sdk.cli import main

ANTHROPIC_STREAM = [
    {"type": "message_start", "message": {"id": "m1", "type": "message", "role": "assistant", "content": [],
     "model": "claude", "usage": {"input_tokens": 3, "output_tokens": 0}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Sunny, says Claude."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]  # fmt: skip

HEAD = """
import asyncio, json, os, sys
import agentops_sdk as agentops

@agentops.tool
def weather(city):
    with open("ran.txt", "a") as file:
        file.write(city)
    return {"sky": "clear"}
"""
TAIL = """
if __name__ == "__main__":
    agentops.init(exporters=["jsonl"])
    print(planner(sys.argv[1] if len(sys.argv) > 1 else "Paris"))
"""
GOOGLE = (
    HEAD
    + """
from google import genai
from google.genai import types

@agentops.agent
def planner(city):
    client = genai.Client(api_key="none", http_options={"base_url": os.environ["MODEL_URL"]})
    tool = types.Tool(function_declarations=[types.FunctionDeclaration(name="weather", parameters_json_schema={})])
    config = types.GenerateContentConfig(system_instruction="Be kind.", tools=[tool])
    contents = [types.Content(role="user", parts=[types.Part(text=city)])]
    answer = client.models.generate_content(model="gemini-2.5-flash", contents=contents, config=config)
    call = answer.function_calls[0]
    contents += [answer.candidates[0].content,
                 types.Content(role="user", parts=[types.Part.from_function_response(name=call.name,
                                                                                      response=weather(**call.args))])]
    stream = client.models.generate_content_stream(model="gemini-2.5-flash", contents=contents, config=config)
    text = "".join(chunk.text or "" for chunk in stream)

    async def last():
        return await client.aio.models.generate_content(model="gemini-2.5-flash", contents="Bye", config=config)

    try:
        text += asyncio.run(last()).text
    finally:
        client.close()
    return text
"""
    + TAIL
)
AMAZON = (
    HEAD
    + """
import boto3
from botocore.config import Config

@agentops.agent
def planner(city):
    client = boto3.session.Session().client("bedrock-runtime", region_name="us-east-1",
        endpoint_url=os.environ["MODEL_URL"], aws_access_key_id=os.environ.get("KEY"),
        aws_secret_access_key=os.environ.get("KEY"), config=Config(proxies={}, retries={"max_attempts": 1}))
    nova, claude = "amazon.nova-lite-v1:0", "anthropic.claude-haiku-4-5-20251001-v1:0"
    asked = {"system": [{"text": "Be kind."}], "toolConfig": {"tools": [{"toolSpec": {"name": "weather",
             "inputSchema": {"json": {"type": "object"}}}}]}}
    messages = [{"role": "user", "content": [{"text": city}]}]
    answer = client.converse(modelId=nova, messages=messages, **asked)["output"]["message"]
    call = answer["content"][0]["toolUse"]
    found = {"toolUseId": call["toolUseId"], "content": [{"json": weather(**call["input"])}]}
    messages += [answer, {"role": "user", "content": [{"toolResult": found}]}]
    try:
        client.converse(modelId=nova, messages=[{"role": "user", "content": [{"text": "too much"}]}])
    except client.exceptions.ThrottlingException as error:
        text = error.response["Error"]["Message"] + " "
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9,
                       "messages": [{"role": "user", "content": "Bye"}]})
    for event in client.invoke_model_with_response_stream(modelId=claude, body=body)["body"]:
        text += json.loads(event["chunk"]["bytes"]).get("delta", {}).get("text", "")
    for event in client.converse_stream(modelId=nova, messages=messages, **asked)["stream"]:
        text += event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
    client.close()
    return text
"""
    + TAIL
)


def google(path: str, body: Any) -> tuple[int, str, bytes]:
    if path.endswith(":streamGenerateContent?alt=sse"):
        said = [google_event(reply({"text": text}, finish=None)) for text in ("Sun", "ny.")] + [google_event(reply())]
        return 200, "text/event-stream", b"".join(said)
    last = body["contents"][-1]["parts"][0].get("text")
    part = {"text": " Bye."} if last == "Bye" else {"functionCall": {"name": "weather", "args": {"city": last}}}
    return 200, "application/json", json.dumps(reply(part)).encode()


def amazon(path: str, body: Any) -> tuple[int, str, bytes]:
    if path.endswith("/invoke-with-response-stream"):
        import base64

        chunks = [base64.b64encode(json.dumps(each).encode()).decode() for each in ANTHROPIC_STREAM]
        return 200, "application/vnd.amazon.eventstream", b"".join(aws_event("chunk", {"bytes": c}) for c in chunks)
    if path.endswith("/converse-stream"):
        delta = {"contentBlockIndex": 0, "delta": {"text": " Sunny."}}
        usage = {"usage": {"inputTokens": 9, "outputTokens": 2, "totalTokens": 11}, "metrics": {"latencyMs": 1}}
        events = [("messageStart", {"role": "assistant"}), ("contentBlockDelta", delta),
                  ("messageStop", {"stopReason": "end_turn"}), ("metadata", usage)]  # fmt: skip
        return 200, "application/vnd.amazon.eventstream", b"".join(aws_event(*each) for each in events)
    last = body["messages"][-1]["content"][0].get("text")
    if last == "too much":
        return 429, "application/json", b'{"message": "slow down", "__type": "ThrottlingException"}'
    call = {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": last}}}
    return 200, "application/json", json.dumps(whole(call, reason="tool_use")).encode()


Script = Callable[[str, Any], tuple[int, str, bytes]]


@contextmanager
def serving(script: Script) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Where the script answers, and what it was asked."""
    asked: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, body))
            status, kind, data = script(self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Not to the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


CASES = {
    "google.genai": (GOOGLE, google, "gemini-2.5-pro", "/models/gemini-2.5-pro:generateContent", 3),
    "boto3": (AMAZON, amazon, "amazon.nova-pro-v1:0", "/model/amazon.nova-pro-v1%3A0/converse-stream", 4),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("library", CASES)
def test_the_clients_of_google_and_amazon(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(library, reason=f"needs {library}")
    program, script, model, path, calls = CASES[library]
    monkeypatch.chdir(tmp_path)
    Path("program.py").write_text(program)
    with serving(script) as (url, asked):
        monkeypatch.setenv("MODEL_URL", url)
        monkeypatch.setenv("KEY", "none")
        namespace: dict[str, Any] = {"__name__": "program"}
        exec(program, namespace)
        agentops.init(exporters=["jsonl"])
        said = namespace["planner"]("Paris")
        agentops.shutdown()
        assert Path("ran.txt").read_text() == "Paris"
    monkeypatch.delenv("KEY")
    capsys.readouterr()

    assert main(["replay", "--json", "--run", "program.py"]) == 0, capsys.readouterr().err
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == said
    assert json.loads(out.splitlines()[1])["first"] is None
    assert f"{calls} model call(s)" in err
    assert "answered as recorded, no difference" in err
    assert Path("ran.txt").read_text() == "Paris", "the tool did not run again"

    assert main(["replay", "--run", "program.py", "Rome"]) == 1
    assert 'recorded "Paris", now "Rome"' in capsys.readouterr().err

    with serving(script) as (url, asked):
        monkeypatch.setenv("MODEL_URL", url)
        monkeypatch.setenv("KEY", "none")
        options = ["--branch", str(calls + 1), "--model", model, "--system", "Be brief."]
        assert main(["replay", *options, "--run", "program.py"]) == 0
        assert "1 model call(s) really made" in capsys.readouterr().err
        ((address, body),) = asked
        assert address.split("?")[0].endswith(path)
        assert "Be brief." in json.dumps(body.get("systemInstruction") or body.get("system"))
