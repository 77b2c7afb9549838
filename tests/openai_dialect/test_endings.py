"""The ways out of each client's stream."""

from __future__ import annotations

import pytest
from tests.model_clients.endings import StreamEndings
from tests.openai_dialect.clients import CLIENTS


def _endings(name: str) -> type[StreamEndings]:
    return type(f"Test{name.title()}", (StreamEndings,), {"case": CLIENTS[name]})


@pytest.fixture(autouse=True)
def _needed(request: pytest.FixtureRequest) -> None:
    request.cls.case.package()


TestGroq = _endings("groq")
TestCerebras = _endings("cerebras")
TestTogether = _endings("together")
TestPerplexity = _endings("perplexity")
