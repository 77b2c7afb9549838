"""A span is in one column of the account only, and two more kinds of secret do not get out."""

from __future__ import annotations

from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk._scrub.redact import Redactor


class TakesAndRaises:
    """Keeps its own account, takes what it is given, and then fails."""

    inline = True

    def __init__(self) -> None:
        self.taken = 0

    def export(self, spans: Any) -> Any:
        self.taken += len(spans)
        raise OSError("after taking it")

    def stats(self) -> dict[str, Any]:
        return {"accepted": self.taken, "exported": 0, "pending": self.taken, "dropped": {}}

    def force_flush(self, timeout_millis: int = 0) -> bool:
        return True

    def shutdown(self) -> None: ...


def test_what_an_exporter_took_before_it_raised_is_not_lost_as_well() -> None:
    agentops.init(exporters=[TakesAndRaises()], integrations=[])
    for _ in range(2):
        with agentops.span("one"):
            pass
    found = agentops.flush()
    assert (found.exported, found.remaining, found.lost) == (0, 2, 0)


@pytest.mark.parametrize(
    "text",
    [
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr==;x",
        "https://api.telegram.org/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw4/send",
    ],
)
def test_storage_keys_and_bot_tokens_are_replaced(text: str) -> None:
    kept, count = Redactor().text(text)
    assert count == 1
    assert "Eby8vdM0" not in kept
    assert "AAHdqT" not in kept
