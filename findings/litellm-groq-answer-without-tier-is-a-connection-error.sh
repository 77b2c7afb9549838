#!/usr/bin/env bash
# litellm 1.110.2: an answer of Groq's API that does not name its `service_tier` (which is not of OpenAI's required fields; some
# of Groq's models leave it out) is thrown away: the program gets APIConnectionError, status 500, though the server was reached
# and answered, and the tokens are paid for. As it looks like the network's fault, a Router asks again as often as it may:
# three answers are paid for, none arrives. Streamed, or with the field, the same answer arrives.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'litellm==1.110.2'
cat >"$home/program.py" <<'PY'
import importlib.metadata
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import litellm

answered, tier = 0, {}
MODEL = "deepseek-r1-distill-llama-70b"
USAGE = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        global answered
        answered += 1
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        said, about = {"role": "assistant", "content": "blue"}, {"id": "c", "created": 1, "model": MODEL, **tier}
        if asked.get("stream"):
            choices = [{"index": 0, "delta": said, "finish_reason": None}], [{"index": 0, "delta": {}, "finish_reason": "stop"}]
            chunks = [{**about, "object": "chat.completion.chunk", "choices": each, "usage": USAGE} for each in choices]
            kind, data = "text/event-stream", "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
        else:
            choice = {"index": 0, "message": said, "finish_reason": "stop"}
            kind, data = "application/json", json.dumps({**about, "object": "chat.completion", "choices": [choice], "usage": USAGE})
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data.encode())

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
there = {"model": f"groq/{MODEL}", "api_base": f"http://127.0.0.1:{server.server_port}/v1", "api_key": "none"}
asked = {"messages": [{"role": "user", "content": "Which colour?"}]}
router = litellm.Router(model_list=[{"model_name": "m", "litellm_params": there}], num_retries=2)


def text(reply):
    return reply.choices[0].message.content


print("litellm", importlib.metadata.version("litellm"))
for name, call in {
    "whole": lambda: text(litellm.completion(**there, **asked)),
    "whole, through a Router": lambda: text(router.completion(model="m", **asked)),
    "streamed": lambda: "".join(chunk.choices[0].delta.content or "" for chunk in litellm.completion(
        **there, **asked, stream=True, stream_options={"include_usage": True}) if chunk.choices),
}.items():
    answered = 0
    try:
        seen = call()
    except litellm.APIConnectionError as error:
        seen = f"{type(error).__name__} {error.status_code} ({str(error).partition('GroqException - ')[2].partition(chr(10))[0]})"
    print(f"{name}: {seen} | answers of the server: {answered}")
tier = {"service_tier": "on_demand"}
print("whole, with the field:", text(litellm.completion(**there, **asked)))
PY
LITELLM_LOCAL_MODEL_COST_MAP=True "$home/venv/bin/python" "$home/program.py" 2>"$home/log" | grep -v -e '^$' -e 'Give Feedback' -e 'LiteLLM.Info' | tee "$home/output" || { cat "$home/log"; exit 1; }
diff - "$home/output" <<'EXPECTED'
litellm 1.110.2
whole: APIConnectionError 500 ('ModelResponse' object has no attribute 'service_tier') | answers of the server: 1
whole, through a Router: APIConnectionError 500 ('ModelResponse' object has no attribute 'service_tier') | answers of the server: 3
streamed: blue | answers of the server: 1
whole, with the field: blue
EXPECTED
