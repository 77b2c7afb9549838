"""For integrations with frameworks that report runs by id, or create spans that are adopted."""

from __future__ import annotations

from agentops_sdk._capture.adopted_modules import adopt_module
from agentops_sdk._capture.adopted_spans import AdoptingTracer, adopt, insist, is_global
from agentops_sdk._capture.handoff import offer as offer_handoff
from agentops_sdk._capture.method_calls import MethodCalls
from agentops_sdk._capture.pending_questions import Answer, PendingQuestions, WaitingCall, person_answered
from agentops_sdk._capture.runs import Run, Runs
from agentops_sdk._genai.framework_content import content, error_text, model_reply, told_by_client, tool_definitions
from agentops_sdk._genai.framework_memory import memory_call, memory_records
from agentops_sdk._host.patches import is_recorded
from agentops_sdk._propagation.propagators import read as read_headers
from agentops_sdk._propagation.propagators import write as write_headers

__all__ = [
    "AdoptingTracer",
    "Answer",
    "MethodCalls",
    "PendingQuestions",
    "Run",
    "Runs",
    "WaitingCall",
    "adopt",
    "adopt_module",
    "content",
    "error_text",
    "insist",
    "is_global",
    "is_recorded",
    "memory_call",
    "memory_records",
    "model_reply",
    "offer_handoff",
    "person_answered",
    "read_headers",
    "told_by_client",
    "tool_definitions",
    "write_headers",
]
