#!/usr/bin/env bash
# crewai 1.15.30: a synchronous handler on the event bus runs in a thread of a pool, in a copy of the context of whoever
# emitted the event. It sees the context variables of the emitting code, but what it sets there is gone when it returns:
# a handler of "started" cannot make anything current (a span, for example) for the work that follows.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'crewai==1.15.30'
CREWAI_TRACING_ENABLED=false CREWAI_DISABLE_TELEMETRY=true OTEL_SDK_DISABLED=true HOME=$home \
    "$home/venv/bin/python" -W ignore - <<'PY'
import importlib.metadata
import threading
from contextvars import ContextVar

from crewai.events import crewai_event_bus
from crewai.events.base_events import BaseEvent

current = ContextVar("current", default="nothing")
seen = {}


class Started(BaseEvent):
    type: str = "started"


@crewai_event_bus.on(Started)
def handler(source, event):
    seen["thread"] = threading.current_thread()
    seen["value"] = current.get()
    current.set("set by the handler")


current.set("set by the program")
future = crewai_event_bus.emit(object(), Started())
if future is not None:
    future.result(timeout=30)
print("crewai", importlib.metadata.version("crewai"))
print("the handler ran in the emitting thread:", seen["thread"] is threading.main_thread())
print("the handler saw:", seen["value"], "| after it, the program sees:", current.get())
assert seen["thread"] is not threading.main_thread()
assert seen["value"] == "set by the program"
assert current.get() == "set by the program"
PY
