"""What is told when a rule fires or its condition is over, and the shapes in which services want it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

__all__ = ["Notice", "pagerduty", "slack"]

_ADDRESS = re.compile(r"https?://[^\s/]\S{0,2900}")


@dataclass(frozen=True, slots=True)
class Notice:
    """One alert.

    Attributes:
        id: the same for a firing and for its recovery.
        rule: the rule's name.
        state: ``firing`` or ``recovered``.
        when: the condition.
        per: what the rule is asked of apart.
        key: which of them; empty for the whole process.
        value: what was found: shares from 0 to 1, times in seconds, money in the rule's currency.
        threshold: above which the rule fires.
        over: seconds that were looked at.
        at: seconds since the epoch.
        severity: ``critical``, ``error``, ``warning`` or ``info``.
        service: the program.
        trace_id: of a run that speaks for it.
        runbook: address of what to do.
        flight: the file into which the last traces were written.
    """

    id: str
    rule: str
    state: str
    when: str
    per: str
    key: str
    value: float
    threshold: float
    over: float
    at: float
    severity: str = "warning"
    service: str = ""
    trace_id: str = ""
    runbook: str | None = None
    flight: str | None = None

    @property
    def text(self) -> str:
        """One line for people."""
        about = f" for {self.per} {self.key}" if self.key else ""
        figures = f"{self.value:.4g} over {self.over:g} s, threshold {self.threshold:.4g}"
        more = "".join(
            (f"; trace {self.trace_id}" if self.trace_id else "", f"; runbook {self.runbook}" if self.runbook else "")
        )
        name = self.rule if self.rule == self.when else f"{self.rule} ({self.when})"
        return f"alert {self.state}: {name}{about}: {figures}{more}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "text": self.text, "time": datetime.fromtimestamp(self.at, UTC).isoformat()}

    def body(self) -> bytes:
        """JSON text."""
        return json.dumps(self.as_dict()).encode()


def _is_address(text: str | None) -> bool:
    """Whether it can be followed: what stands where a runbook is may be a sentence."""
    return text is not None and _ADDRESS.fullmatch(text) is not None


def slack(notice: Notice) -> bytes:
    """As a message of a Slack webhook."""
    mark = "\N{LARGE RED CIRCLE}" if notice.state == "firing" else "\N{LARGE GREEN CIRCLE}"
    text = notice.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    section = {"type": "section", "text": {"type": "mrkdwn", "text": f"{mark} {text}"[:2900]}}
    blocks: list[dict[str, Any]] = [section]
    if _is_address(notice.runbook):  # Slack refuses the whole message for a button that leads nowhere
        button = {"type": "button", "text": {"type": "plain_text", "text": "Runbook"}, "url": notice.runbook}
        blocks.append({"type": "actions", "elements": [button]})
    return json.dumps({"text": f"{mark} {text}", "blocks": blocks}).encode()


def pagerduty(notice: Notice, key: str) -> bytes:
    """As an event of PagerDuty's Events API, version 2."""
    event: dict[str, Any] = {
        "routing_key": key,
        "event_action": "trigger" if notice.state == "firing" else "resolve",
        "dedup_key": notice.id,
        "payload": {
            "summary": notice.text[:1024],
            "source": notice.service or "agentops",
            "severity": notice.severity,
            "timestamp": datetime.fromtimestamp(notice.at, UTC).isoformat(),
            "custom_details": notice.as_dict(),
        },
    }
    if _is_address(notice.runbook):
        event["links"] = [{"href": notice.runbook, "text": "Runbook"}]
    return json.dumps(event).encode()
