"""No surprise bills: refuses requests to models that are not on this machine."""

from __future__ import annotations

import json

from agentops_sdk.testing.recordings.http_boundary import Answer, Request
from agentops_sdk.testing.refusals import NetworkModelError


class NoNetworkModels:
    """A watcher that refuses; ``refused`` holds what it said, also where the program swallowed it."""

    keeps = False

    def __init__(self) -> None:
        self.refused: list[str] = []

    def answer(self, request: Request) -> Answer | None:
        if request.loopback:
            return None
        sentence = (
            f"a model outside of loopback would have been called: {request.method} "
            f"{request.url.partition('?')[0]}{_model(request.body)}"
        )
        self.refused.append(sentence)
        raise NetworkModelError(sentence)

    def answered(self, request: Request, answer: Answer) -> None:
        """Nothing is kept."""


def _model(body: bytes) -> str:
    try:
        return f" ({json.loads(body)['model']})"
    except (ValueError, KeyError, TypeError):
        return ""
