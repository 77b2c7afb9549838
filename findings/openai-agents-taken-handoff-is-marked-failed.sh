#!/usr/bin/env bash
# openai-agents 0.24.0: a reply that asks for two handoffs is answered with the first, the run goes on with that agent
# and ends well. The span of this one handoff, which took place, carries an error ("Multiple handoffs requested"); of the
# one that did not there is no span. Whoever counts failed spans counts a failure where none was.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'openai-agents==0.24.0'
"$home/venv/bin/python" - 2>"$home/log" <<'PY' || { cat "$home/log"; exit 1; }
import asyncio
import importlib.metadata

from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage, set_trace_processors
from agents.tracing import TracingProcessor
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText


class Scripted(Model):
    def __init__(self, *output):
        self.output = list(output)

    async def get_response(self, *args, **kwargs):
        return ModelResponse(output=self.output, usage=Usage(), response_id=None)

    def stream_response(self, *args, **kwargs):
        raise NotImplementedError


class Kept(TracingProcessor):
    spans = []

    def on_span_end(self, span):
        self.spans.append(span)

    def on_trace_start(self, trace): ...
    def on_trace_end(self, trace): ...
    def on_span_start(self, span): ...
    def shutdown(self): ...
    def force_flush(self): ...


def handoff_to(name):
    return ResponseFunctionToolCall(
        type="function_call", name=f"transfer_to_{name}", arguments="{}", call_id=f"call_{name}"
    )


text = ResponseOutputText(type="output_text", text="done", annotations=[])
answer = ResponseOutputMessage(id="m", type="message", role="assistant", status="completed", content=[text])
one, two = (Agent(name=name, model=Scripted(answer)) for name in ("one", "two"))
first = Agent(name="first", model=Scripted(handoff_to("one"), handoff_to("two")), handoffs=[one, two])
set_trace_processors([Kept()])
result = asyncio.run(Runner.run(first, "Hi", run_config=RunConfig()))
handoffs = [span for span in Kept.spans if span.span_data.type == "handoff"]
print("openai-agents", importlib.metadata.version("openai-agents"))
print("ended with", result.last_agent.name, repr(result.final_output))
for span in handoffs:
    print("handoff to", span.span_data.to_agent, "error:", span.error)
assert (result.last_agent.name, result.final_output) == ("one", "done")
assert len(handoffs) == 1
assert handoffs[0].span_data.to_agent == "one"
assert handoffs[0].error["message"] == "Multiple handoffs requested"
PY
