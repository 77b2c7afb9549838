"""An agent behind a real server of the library's, over loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.mcp.http_server import serving


def card(url: str, binding: str = "JSONRPC") -> Any:
    """What the agent says of itself."""
    from a2a.types import AgentCapabilities, AgentCard, AgentInterface

    interface = AgentInterface(url=url, protocol_binding=binding, protocol_version="1.0")
    return AgentCard(
        name="travel", description="Plans trips", version="1.2", supported_interfaces=[interface],
        capabilities=AgentCapabilities(streaming=True),
    )  # fmt: skip


def message(text: str, task: Any = None) -> Any:
    """A request with one message, for a task that waits for it where there is one."""
    from a2a.types import Message, Part, Role, SendMessageRequest

    ids = {"task_id": task.id, "context_id": task.context_id} if task is not None else {}
    return SendMessageRequest(message=Message(role=Role.ROLE_USER, message_id="m", parts=[Part(text=text)], **ids))


def answering(execute: Any) -> Any:
    """The library's executor that runs ``execute``."""
    from a2a.server.agent_execution import AgentExecutor

    class Executor(AgentExecutor):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
        async def execute(self, context: Any, event_queue: Any) -> None:
            await execute(context, event_queue)

        async def cancel(self, context: Any, event_queue: Any) -> None: ...

    return Executor()


@contextmanager
def agent(execute: Any) -> Iterator[str]:
    """The URL of an agent whose work is ``execute(context, queue)``: JSON-RPC at ``/rpc``, REST at ``/``."""
    from a2a.server.request_handlers import DefaultRequestHandler
    from a2a.server.routes import create_jsonrpc_routes, create_rest_routes
    from a2a.server.tasks import InMemoryTaskStore
    from starlette.applications import Starlette

    handler = DefaultRequestHandler(
        agent_executor=answering(execute), task_store=InMemoryTaskStore(), agent_card=card("http://127.0.0.1/rpc")
    )

    class Service:
        def app(self) -> Any:
            return Starlette(routes=[*create_jsonrpc_routes(handler, "/rpc"), *create_rest_routes(handler)])

    with serving(Service(), "app") as url:
        yield url.removesuffix("/mcp")
