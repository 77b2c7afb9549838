"""Where botocore hands a request over to be signed and sent: there calls of Bedrock's models may be answered.

An answer given there passes botocore's own parser, and neither its credentials nor its retries.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any
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
    """Show ``watcher`` every call of a model through boto3."""
    patches = Patches("testing.aws")

    def ask(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return make(wrapped, *args, **kwargs)

    def make(wrapped: Any, operation_model: Any, request_dict: dict[str, Any]) -> Any:
        operation, sent = operation_model, request_dict
        path = unquote(urlsplit(sent["url_path"]).path)
        if operation.service_model.service_name != _SERVICE or not path.startswith("/model/"):
            return wrapped(operation, sent)
        body = sent.get("body") or b""
        body = body.encode() if isinstance(body, str) else body
        asked = Request("POST", sent["url_path"], urlsplit(sent["url"]).hostname or "", path, "application/json", body)
        answer = watcher.answer(asked)
        if answer is not None:
            return _parsed(operation, sent, answer)
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
    service = operation.service_model
    protocol = getattr(service, "resolved_protocol", None) or service.metadata["protocol"]
    told = base.convert_to_response_dict(response, operation)
    return response, parsers.create_parser(protocol).parse(told, operation.output_shape)
