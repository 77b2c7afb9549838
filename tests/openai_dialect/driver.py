"""How the contract's tests drive the clients of this dialect."""

from __future__ import annotations

import copy
from typing import Any

from tests.openai.contract import ChatDriver
from tests.openai_dialect.clients import CLIENTS, TOOLS


class DialectDriver(ChatDriver):
    def __init__(self, name: str) -> None:
        self._client = CLIENTS[name]
        self.packages = (self._client.module,)

    def client(self, url: str) -> Any:
        return self._client.client(url)

    def async_client(self, url: str) -> Any:
        return self._client.async_client(url)

    def arguments(self) -> dict[str, Any]:
        # Perplexity's client refuses parameters of a tool without properties
        return {**super().arguments(), "tools": copy.deepcopy(TOOLS)}
