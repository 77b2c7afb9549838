"""A program with planted content in every place that reaches a disk: ``python … FOLDER end|kill [OTLP_URL]``."""

from __future__ import annotations

import base64
import logging
import os
import signal
import sys
import time

import agentops_sdk as agentops

PLANTED = "plantedpestilence"
ENCODED = base64.b64encode((PLANTED * 200).encode()).decode()
MESSAGES = (
    '[{"role":"user","parts":[{"type":"blob","mime_type":"image/png","content":"' + ENCODED + '"},'
    '{"type":"text","content":"' + PLANTED + '"}]}]'
)  # fmt: skip


@agentops.tool
def look(word: str) -> dict[str, str]:
    return {"answer": word}


def work() -> None:
    about = agentops.context(user_id=f"{PLANTED}-user", session_id=PLANTED, tags=[PLANTED], metadata={"a": PLANTED})
    with about, agentops.span(f"agent {PLANTED}", kind="agent") as agent:
        agent.set_input(PLANTED)
        look(PLANTED)
        agentops.decide(PLANTED, PLANTED, options=[PLANTED], reason=PLANTED)
        agentops.feedback(name=PLANTED, value=PLANTED, comment=PLANTED)
        with agentops.span("gpt-4o", kind="llm") as model:
            model.set("gen_ai.input.messages", MESSAGES)
        try:
            with agentops.span(PLANTED):
                raise ValueError(PLANTED)
        except ValueError:
            pass


def main() -> None:
    folder, end, *backend = sys.argv[1:]
    logging.getLogger("agentops_sdk").setLevel(logging.CRITICAL)
    agentops.init(
        directory=folder, exporters=["jsonl", *(f"otlp:{url}" for url in backend)], events=["jsonl"], blobs="files",
        integrations=[], findings=True, audit=True, limits="900 tool calls / process",
        alerts=[{"when": "p95 latency of runs > 0 ms", "least": 1, "then": ["log", "webhook:http://127.0.0.1:9/"]}],
    )  # fmt: skip
    for _ in range(3):
        work()
    if end == "end":
        agentops.prompt("greeting", f"Greet {{name}}: {PLANTED}")
        agentops.experiment("trial", [{"input": PLANTED, "expected": PLANTED}], look, [agentops.experiments.contains()])
        agentops.pause("nobody", reason=PLANTED, everywhere=True)
        agentops.serve_status(0).close()
    if end == "kill":
        with agentops.context(user_id=f"{PLANTED}-user"), agentops.span(f"open {PLANTED}", kind="agent"):
            agentops.flush(2)
            while not any(name.endswith(".open") for name in os.listdir(f"{folder}/traces")):  # noqa: PTH208 - a program
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGKILL)
    agentops.flush(2)
    agentops.shutdown(1)


if __name__ == "__main__":
    main()
