"""An agent behind a real server of the library's, over loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.mcp.http_server import serving


def card(url: str, binding: str = "JSONRPC") -> Any:
    """What the agent says of itself."""
    from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentProvider, AgentSkill

    interface = AgentInterface(url=url, protocol_binding=binding, protocol_version="1.0")
    return AgentCard(
        name="travel", description="Plans trips", version="1.2", supported_interfaces=[interface],
        capabilities=AgentCapabilities(streaming=True),
        provider=AgentProvider(organization="Acme", url="https://acme.example"),
        skills=[AgentSkill(id="rail", name="trains", description="By rail", tags=["rail"])],
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


def _handler(execute: Any) -> Any:
    from a2a.server.request_handlers import DefaultRequestHandler
    from a2a.server.tasks import InMemoryTaskStore

    return DefaultRequestHandler(
        agent_executor=answering(execute), task_store=InMemoryTaskStore(), agent_card=card("http://127.0.0.1/rpc")
    )


@contextmanager
def agent(execute: Any) -> Iterator[str]:
    """The URL of an agent whose work is ``execute(context, queue)``: JSON-RPC at ``/rpc``, REST at ``/``."""
    from a2a.server.routes import create_jsonrpc_routes, create_rest_routes
    from starlette.applications import Starlette

    handler = _handler(execute)

    class Service:
        def app(self) -> Any:
            return Starlette(routes=[*create_jsonrpc_routes(handler, "/rpc"), *create_rest_routes(handler)])

    with serving(Service(), "app") as url:
        yield url.removesuffix("/mcp")


@asynccontextmanager
async def grpc_agent(execute: Any) -> AsyncIterator[str]:
    """Host and port of such an agent behind a gRPC server, in this loop."""
    import grpc.aio
    from a2a.server.request_handlers.grpc_handler import GrpcHandler
    from a2a.types import a2a_pb2_grpc

    server = grpc.aio.server()
    a2a_pb2_grpc.add_A2AServiceServicer_to_server(GrpcHandler(_handler(execute)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
