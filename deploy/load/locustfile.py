"""A load test whose requests and the agent's traces are joined by `traceparent`.

    locust -f locustfile.py --headless -u 20 -r 5 -t 2m --host http://127.0.0.1:8080 --csv load

Each request begins a trace; the service goes on with it, so the run of the agent has the id that stands in
`requests.csv` beside the time the caller waited: `agentops show ID` explains a slow one.
"""

from __future__ import annotations

import csv
import secrets
from pathlib import Path

from locust import HttpUser, between, events, task

REQUESTS = Path("requests.csv")


@events.test_start.add_listener
def begin(**_: object) -> None:
    """One file a test."""
    with REQUESTS.open("w", newline="") as file:
        csv.writer(file).writerow(["trace", "status", "milliseconds"])


class Guest(HttpUser):
    """Somebody who asks, and thinks in between."""

    wait_time = between(0.1, 0.5)

    @task
    def ask(self) -> None:
        """One question."""
        trace = secrets.token_hex(16)
        headers = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
        sent = {"question": "What is a tea?"}
        with (
            self.client.post("/ask", json=sent, headers=headers, catch_response=True) as reply,
            REQUESTS.open("a", newline="") as file,
        ):
            csv.writer(file).writerow([trace, reply.status_code, round(reply.elapsed.total_seconds() * 1000)])
