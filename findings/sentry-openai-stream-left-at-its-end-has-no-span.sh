#!/usr/bin/env bash
# sentry-sdk 2.75.0: a stream of OpenAI's client that the program leaves has no span, not even where it was read to its last event
# and left then, as loops that wait for `response.completed` or a finish reason do, and with `with` and close() neither. The call
# is missing from the trace with its model, its tokens and its time. Anthropic's, in the same package, has one when it is
# closed, and none when it is left after `message_stop`.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'sentry-sdk==2.75.0' 'openai==3.57.0' 'anthropic==2.14.0'
cat >"$home/program.py" <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic
import openai
import sentry_sdk
from sentry_sdk.transport import Transport

RESPONSE = {"id": "r", "object": "response", "created_at": 1, "model": "gpt-4o-mini", "output": [], "parallel_tool_calls": True,
            "tool_choice": "auto", "tools": []}
USAGE = {"input_tokens": 9, "output_tokens": 1, "total_tokens": 10, "input_tokens_details": {"cached_tokens": 0},
         "output_tokens_details": {"reasoning_tokens": 0}}
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini"}
MESSAGE = {"id": "m", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "content": [], "stop_reason": None,
           "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 1}}
EVENTS = {
    "/v1/responses": [
        {"type": "response.created", "sequence_number": 0, "response": {**RESPONSE, "status": "in_progress"}},
        {"type": "response.completed", "sequence_number": 1, "response": {**RESPONSE, "status": "completed", "usage": USAGE}}],
    "/v1/chat/completions": [
        {**CHUNK, "choices": [{"index": 0, "delta": {"content": "blue"}, "finish_reason": None}]},
        {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}],
    "/v1/messages": [
        {"type": "message_start", "message": MESSAGE},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"}],
}


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        events = [(f"event: {event['type']}\n" if "type" in event else "") + f"data: {json.dumps(event)}\n\n"
                  for event in EVENTS[self.path]]
        data = "".join(events + ["data: [DONE]\n\n"] * ("chat" in self.path)).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


class Memory(Transport):
    spans = []

    def capture_envelope(self, envelope):
        for item in envelope.items:
            if item.type == "transaction":
                self.spans += [span["op"] for span in item.payload.json["spans"]]
            elif item.type == "span":
                self.spans += [span["attributes"]["sentry.op"]["value"] for span in item.payload.json["items"]]


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
sentry_sdk.init(dsn="http://public@127.0.0.1:9/1", traces_sample_rate=1.0, transport=Memory)
client, claude = openai.OpenAI(base_url=f"{address}/v1", api_key="none"), anthropic.Anthropic(base_url=address, api_key="none")
messages = [{"role": "user", "content": "Which colour?"}]


def chat():
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)


def responses():
    return client.responses.create(model="gpt-4o-mini", input="Which colour?", stream=True)


def claude_messages():
    return claude.messages.create(model="claude-haiku-4-5", max_tokens=9, messages=messages, stream=True)


def whole(stream):
    return list(stream)[-1]


def until_last(stream):
    for event in stream:
        if getattr(event, "type", None) in ("response.completed", "message_stop") or getattr(event, "choices", None) and (
                event.choices[0].finish_reason):
            return event


def closed(stream):
    with stream:
        return until_last(stream)


print("sentry-sdk", sentry_sdk.VERSION)
for ask in (chat, responses, claude_messages):
    seen = []
    for read in (whole, until_last, closed):
        Memory.spans.clear()
        with sentry_sdk.start_transaction(name="run", op="agent"):
            assert read(ask())
        sentry_sdk.flush()
        seen.append(f"{read.__name__} {sum(op.startswith('gen_ai') for op in Memory.spans)}")
    print(f"{ask.__name__}, spans of a stream:", ", ".join(seen))
PY
"$home/venv/bin/python" "$home/program.py" 2>"$home/log" | tee "$home/output" || { cat "$home/log"; exit 1; }
diff - "$home/output" <<'EXPECTED'
sentry-sdk 2.75.0
chat, spans of a stream: whole 1, until_last 0, closed 0
responses, spans of a stream: whole 1, until_last 0, closed 0
claude_messages, spans of a stream: whole 1, until_last 0, closed 1
EXPECTED
