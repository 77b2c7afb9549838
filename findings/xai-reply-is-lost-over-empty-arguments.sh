#!/usr/bin/env bash
# xai-sdk 1.21.0: a reply that calls a function without arguments (the field is empty, as protobuf has it by default) never
# reaches the program: chat.sample() raises JSONDecodeError, from the client's own tracing code, which parses the arguments
# for its span. So it does with XAI_SDK_DISABLE_TRACING=1. Only XAI_SDK_DISABLE_SENSITIVE_TELEMETRY_ATTRIBUTES=1 lets the
# reply, which is paid for, through.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'xai-sdk==1.21.0'
cat >"$home/program.py" <<'PY'
import concurrent.futures
import importlib.metadata
import sys

import grpc
import xai_sdk
from xai_sdk.chat import tool, user
from xai_sdk.proto import chat_pb2, chat_pb2_grpc


class Service(chat_pb2_grpc.ChatServicer):
    def GetCompletion(self, request, context):
        call = chat_pb2.ToolCall(
            id="c1", type="TOOL_CALL_TYPE_CLIENT_SIDE_TOOL", function=chat_pb2.FunctionCall(name="now")
        )
        message = chat_pb2.CompletionMessage(role="ROLE_ASSISTANT", tool_calls=[call])
        return chat_pb2.GetChatCompletionResponse(model="grok-4", outputs=[chat_pb2.CompletionOutput(message=message)])


server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
chat_pb2_grpc.add_ChatServicer_to_server(Service(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
client = xai_sdk.Client("none", api_host=f"127.0.0.1:{port}", use_insecure_channel=True)
clock = tool("now", "the time", {"type": "object"})
try:
    reply = client.chat.create(model="grok-4", messages=[user("What time is it?")], tools=[clock]).sample()
    seen = f"the program got a call of {reply.tool_calls[0].function.name}"
except ValueError as error:
    seen = type(error).__name__
server.stop(None)
print("xai-sdk", importlib.metadata.version("xai-sdk"), sys.argv[1] + ":", seen)
assert seen.startswith(sys.argv[2]), seen
PY
run() { "$home/venv/bin/python" "$home/program.py" "$@"; }
run "as installed" JSONDecodeError
XAI_SDK_DISABLE_TRACING=1 run "without tracing" JSONDecodeError
XAI_SDK_DISABLE_SENSITIVE_TELEMETRY_ATTRIBUTES=1 run "without content on spans" "the program got a call of now"
