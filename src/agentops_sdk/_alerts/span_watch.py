"""What stands between ended spans and alerts in a process: engine, delivery and flight recorder together."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk._alerts.engine import Engine
from agentops_sdk._alerts.flight_recorder import FlightRecorder
from agentops_sdk._alerts.notice_delivery import Delivery
from agentops_sdk._alerts.observation import of_span
from agentops_sdk._alerts.told_file import OFTEN, ToldFile, name_here
from agentops_sdk._host.guard import guard
from agentops_sdk.config import log_once

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from agentops_sdk._alerts.notice import Notice
    from agentops_sdk.alert_rules import AlertRule

__all__ = ["AlertWatch"]


class AlertWatch:
    """The alerts of one process.

    Args:
        rules: what is watched for.
        directory: below which flights are written, undelivered alerts wait, and what was told is remembered; ``None``
            writes nothing.
        service: the program's name.
        flights: how many complete traces are held in memory.
        told: hears of each notice as well.
    """

    def __init__(
        self,
        rules: Sequence[AlertRule],
        directory: Path | None,
        service: str,
        flights: int,
        told: Callable[[Notice], None] | None = None,
    ) -> None:
        self._told = told
        folder = None if directory is None else directory / "alerts"
        self._memory = ToldFile(folder / name_here() if folder is not None else None, service)
        self._has_begun = False
        self.engine = Engine(rules, self._tell, service, self._memory.told)
        self.flights = FlightRecorder(
            flights if folder is not None else 0, directory / "flights" if directory else Path()
        )
        self.delivery = Delivery(rules, folder, self.engine.tick, keep=self._keep)

    def add(self, span: ReadableSpan) -> None:
        """A span ended. Consumer thread."""
        if not self._has_begun:
            self._begin()
        self.delivery.start()
        with guard("alerts.flight"):
            self.flights.add(span)
        with guard("alerts.observe"):
            self.engine.observe(of_span(span))

    def _begin(self) -> None:
        """Take over what a process left that is gone: first what it had told, then what it was about to tell."""
        self._has_begun = True
        with guard("alerts.told"):
            self._memory.adopt()
            # What it saw after it had last written counts for as long as if it had ended now.
            self.engine.remember(min(time.time(), self._memory.looked + OFTEN))
        with guard("alerts.spool"):
            self.delivery.adopt(self.engine.has_told)

    def _keep(self) -> None:
        try:
            self._memory.keep()
        except OSError as error:  # a folder that cannot be used is no error of ours
            self._memory.path = None
            log_once(f"alerts: {type(error).__name__}: the folder cannot be used; a restart forgets what fires.")

    def reconfigure(self, rules: Sequence[AlertRule]) -> None:
        """Ask other rules; those that stay keep what they have seen."""
        self.engine.reconfigure(rules)
        self.delivery.reconfigure(rules)

    def _tell(self, rule: AlertRule, notice: Notice) -> None:
        if notice.state == "firing":
            with guard("alerts.flight"):
                notice = dataclasses.replace(notice, flight=self.flights.write(rule.name, notice.trace_id))
        if self._told is not None:
            with guard("alerts.audit"):
                self._told(notice)
        self.delivery.put(rule, notice)

    def settle(self, timeout: float) -> bool:
        """Wait until what fired has been tried once."""
        deadline = time.monotonic() + timeout
        while self.delivery.has_new and time.monotonic() < deadline:
            time.sleep(0.005)
        return not self.delivery.has_new

    def stop(self, timeout: float) -> None:
        """End."""
        self.delivery.stop(timeout)
