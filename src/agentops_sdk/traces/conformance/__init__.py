"""How far spans keep to OpenTelemetry's GenAI conventions: what is there, what is missing, what is wrong.

``conventions.json`` holds the names, types, levels and schemas of both states; ``scripts/conformance_data.py`` writes
it. Nothing here is loaded by a program that records.
"""

from agentops_sdk.traces.conformance.kind_report import KindReport, Report, check
from agentops_sdk.traces.conformance.span_rules import Violation

__all__ = ["KindReport", "Report", "Violation", "check"]
