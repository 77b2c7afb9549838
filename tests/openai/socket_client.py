"""The client of a WebSocket server on loopback; its HTTP requests go nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai

if TYPE_CHECKING:
    from tests.wire.websocket import Socket


def client(socket: Socket, cls: Any = openai.OpenAI) -> Any:
    return cls(api_key="none", base_url="http://127.0.0.1:1/v1", websocket_base_url=socket.url)
