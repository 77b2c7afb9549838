"""Where botocore hands a request over to be signed and sent: there calls of Bedrock's models may be answered.

An answer given there passes botocore's own parser, and neither its credentials nor its retries. Its asynchronous form,
aiobotocore, which aioboto3 is built on, goes through the same method, and awaits what that returns.
"""

from __future__ import annotations

import asyncio
import inspect
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

from agentops_sdk._host.patches import Patches
from agentops_sdk.testing.recordings.http_boundary import Answer, Request

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.testing.recordings.http_boundary import ChangingWatcher

__all__ = ["watched_aws"]

_SERVICE = "bedrock-runtime"


@contextmanager
def watched_aws(watcher: ChangingWatcher) -> Iterator[None]:
    """Show ``watcher`` every call of a model through boto3 and aioboto3."""
    patches = Patches("testing.aws")

    def ask(wrapped: Any, endpoint: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        awaits = inspect.iscoroutinefunction(endpoint._send_request)  # noqa: SLF001 - what make_request returns
        return make(wrapped, _parsed_later if awaits else _parsed, *args, **kwargs)

    def make(wrapped: Any, read: Any, operation_model: Any, request_dict: dict[str, Any]) -> Any:
        operation, sent = operation_model, request_dict
        path = unquote(urlsplit(sent["url_path"]).path)
        if operation.service_model.service_name != _SERVICE or not path.startswith("/model/"):
            return wrapped(operation, sent)
        body = sent.get("body") or b""
        body = body.encode() if isinstance(body, str) else body
        asked = Request("POST", sent["url_path"], urlsplit(sent["url"]).hostname or "", path, "application/json", body)
        answer = watcher.answer(asked)
        if answer is not None:
            return read(operation, sent, answer)
        if (change := watcher.changed(asked)) is not None:
            url_path, content = change
            url = sent["url"].replace(sent["url_path"], url_path, 1)
            return wrapped(operation, {**sent, "url_path": url_path, "url": url, "body": content})
        return wrapped(operation, sent)

    def patch(module: ModuleType) -> None:
        patches.wrap(module.Endpoint, "make_request", ask)

    patches.when_imported("botocore.endpoint", patch)
    try:
        yield
    finally:
        patches.undo()


def _parsed(operation: Any, sent: dict[str, Any], answer: Answer) -> tuple[Any, Any]:
    """What botocore makes of an answer."""
    base, requests = import_module("botocore.endpoint"), import_module("botocore.awsrequest")
    raw = import_module("urllib3").HTTPResponse(
        io.BytesIO(b"".join(answer.pieces)), status=answer.status, preload_content=False
    )
    response = requests.AWSResponse(sent["url"], answer.status, requests.HeadersDict(answer.headers), raw)
    parsers = import_module("botocore.parsers").ResponseParserFactory()
    told = base.convert_to_response_dict(response, operation)
    return response, parsers.create_parser(_protocol(operation)).parse(told, operation.output_shape)


def _protocol(operation: Any) -> str:
    service = operation.service_model
    return str(getattr(service, "resolved_protocol", None) or service.metadata["protocol"])


async def _parsed_later(operation: Any, sent: dict[str, Any], answer: Answer) -> tuple[Any, Any]:
    """What aiobotocore makes of an answer."""
    base, requests = import_module("aiobotocore.endpoint"), import_module("aiobotocore.awsrequest")
    raw = _Body(answer.pieces)
    headers = import_module("botocore.awsrequest").HeadersDict(answer.headers)
    response = requests.AioAWSResponse(sent["url"], answer.status, headers, raw)
    told = await base.convert_to_response_dict(response, operation)
    parsers = import_module("aiobotocore.parsers").AioResponseParserFactory()
    parsed = parsers.create_parser(_protocol(operation)).parse(told, operation.output_shape)
    return response, await parsed if inspect.isawaitable(parsed) else parsed


class _Body:
    """A body as aiohttp's response has it, already here."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        loop, aiohttp = asyncio.get_running_loop(), import_module("aiohttp")
        protocol = import_module("aiohttp.base_protocol").BaseProtocol(loop)
        self.url = ""
        self.content = aiohttp.StreamReader(protocol, 65_536, loop=loop)
        for piece in pieces:
            self.content.feed_data(piece)
        self.content.feed_eof()

    async def read(self) -> bytes:
        return bytes(await self.content.read())

    def at_eof(self) -> bool:
        return bool(self.content.at_eof())

    def close(self) -> None:
        """There is no connection."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """There is no connection."""
