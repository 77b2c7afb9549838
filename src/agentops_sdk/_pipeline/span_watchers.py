"""Whoever wants to know of every span that ends, sampled or not: alerts, the audit log, breakers and limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agentops_sdk._alerts import added_rules
from agentops_sdk._audit import audit_log
from agentops_sdk._host.guard import guard
from agentops_sdk._limits import breakers
from agentops_sdk._limits import scope as limits_in_force

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from agentops_sdk._alerts.notice import Notice
    from agentops_sdk._alerts.span_watch import AlertWatch
    from agentops_sdk._audit.audit_watch import AuditWatch
    from agentops_sdk._recorder.span_completion import Completer
    from agentops_sdk.config import Settings

__all__ = ["SpanWatchers"]


class SpanWatchers:
    """Those of one runtime."""

    def __init__(self, settings: Settings, completer: Completer) -> None:
        self._completer = completer
        self._alerts: AlertWatch | None = None
        self._audit: AuditWatch | None = None
        self.reconfigure(settings)

    def reconfigure(self, settings: Settings) -> None:
        """Have alerts asked that the settings name, and those that the program has added."""
        self._settings = settings
        audit_log.scrub = self._completer.policy.name
        self._audit = self._auditing()
        rules = (*settings.alerts, *added_rules.added)
        if self._alerts is not None:
            self._alerts.reconfigure(rules)
        elif rules:
            from agentops_sdk._alerts.span_watch import AlertWatch

            self._alerts = AlertWatch(
                rules, settings.folder, settings.service_name, settings.flight_recorder, self._tell_alert
            )

    def look_again(self) -> None:
        """The program has added an alert, or removed one."""
        with guard("alerts.change"):
            self.reconfigure(self._settings)

    def _auditing(self) -> AuditWatch | None:
        if not self._settings.audit:
            return None
        from agentops_sdk._audit.audit_watch import AuditWatch

        return self._audit or AuditWatch(self.tell_audit)

    def tell_audit(self, action: str, by: str, about: Mapping[str, Any]) -> None:
        """Write something into the audit log of the folder."""
        audit_log.record(action, by, about, self._settings.folder, self._settings.audit_key)

    def _tell_alert(self, notice: Notice) -> None:
        if self._settings.audit:
            about = {"state": notice.state, "when": notice.when, "value": notice.value, "trace_id": notice.trace_id}
            self.tell_audit("alert", notice.rule, about)

    # --- consumer thread -------------------------------------------------------------------------

    @property
    def want_all(self) -> bool:
        """Whether somebody wants to know also of what limits have counted already."""
        return self._alerts is not None or self._audit is not None or bool(breakers.rules)

    def tell(self, span: ReadableSpan, *, is_counted: bool) -> None:
        """A span has ended, and is complete; ``is_counted`` where limits know of it."""
        if limits_in_force.teach is not None and not is_counted:
            with guard("limits.teach"):
                limits_in_force.teach(span.attributes or {})
        if breakers.rules:
            with guard("breakers.observe"):
                breakers.observe(span.attributes or {}, max(0, (span.end_time or 0) - (span.start_time or 0)) / 1e9)
        if self._alerts is not None:
            self._alerts.add(span)
        if self._audit is not None:
            self._audit.add(span)

    # --- flush, fork, end ------------------------------------------------------------------------

    def settle(self, timeout: float) -> None:
        """Have what alerts fired for told, within ``timeout`` seconds."""
        if self._alerts is not None:
            self._alerts.settle(timeout)

    def stop(self, timeout: float) -> None:
        """The same, and tell no more."""
        if self._alerts is not None:
            self._alerts.stop(timeout)

    def after_fork(self) -> None:
        """Its watch is this process's own."""
        self._alerts = None
        self.reconfigure(self._settings)
