"""Mistral's client: OpenAI's dialect, through one method of the client that takes and gives HTTP.

The client retries inside of that method, so that its attempts are one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import replace
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from agentops_integrations.mistral import conversations
from agentops_sdk.integration import Patches, current_call, guard, semconv
from agentops_sdk.integration.clients import (
    Asked,
    Attributes,
    Endpoint,
    Endpoints,
    Json,
    Method,
    MethodClient,
    frame_methods,
    generic_response,
    watch_items,
)
from agentops_sdk.integration.dialects import (
    OPENAI_CHAT,
    OPENAI_EMBEDDINGS,
    OPENAI_RESPONSES,
    OPENAI_SPEECH,
    OPENAI_TRANSCRIPTIONS,
    hosted_agents,
    openai_chat,
    openai_embeddings,
    openai_media,
)

_MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]+)"')
_NAME = re.compile(rb'"name"\s*:\s*"([^"\\]+)"')


def _asked(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked | None:
    request = kwargs.get("request", args[1] if len(args) > 1 else None)
    if request is None:
        return None
    if not request.headers.get("content-type", "").startswith("application/json"):
        return Asked(request.url.path, _form(request), url=str(request.url), method=request.method)
    body = request.content
    model = _MODEL.search(body, 0, 4096)  # before the messages, in which there are quotes of other kinds only
    name = _NAME.search(body, 0, 4096) if request.url.path.endswith("/agents") else None
    return Asked(
        request.url.path,
        body,
        url=str(request.url),
        method=request.method,
        model=model[1].decode() if model else None,
        name=name[1].decode() if name else None,
    )


def _form(request: Any) -> dict[str, Any]:
    """The fields of a form, without its files."""
    fields = getattr(request.stream, "fields", ())
    return {field.name: field.value for field in fields if isinstance(getattr(field, "value", None), str)}


def _chat_request(body: Json) -> Attributes:
    return {semconv.REQUEST_MODEL: body.get("model"), **openai_chat.request({"seed": body.get("random_seed"), **body})}


def _agent_request(body: Json) -> Attributes:
    agent = body.get("agent_id")
    return {
        **_chat_request(body),
        semconv.AGENT_ID: agent if isinstance(agent, str) else None,
        semconv.COST_UNKNOWN_REASON: semconv.KEPT_BY_PROVIDER,  # its instructions
    }


def _embeddings_request(body: Json) -> Attributes:
    renamed = {"dimensions": body.get("output_dimension"), **body, "input": body.get("input", body.get("inputs"))}
    return {semconv.REQUEST_MODEL: body.get("model"), **openai_embeddings.request(renamed)}


def _speech_request(body: Json) -> Attributes:
    return {semconv.REQUEST_MODEL: body.get("model"), **openai_media.speech_request(body)}


_CHAT = replace(OPENAI_CHAT, request=_chat_request)


def _pages(body: Json, asked: Json) -> Attributes:
    """What is billed of documents that were read; with annotations a page has another price."""
    told = body.get("usage_info")
    pages = told.get("pages_processed") if isinstance(told, Mapping) else None
    annotated = asked.get("bbox_annotation_format") or asked.get("document_annotation_format")
    return {
        **generic_response(body, asked),
        semconv.USAGE_PAGES: pages if isinstance(pages, int) else None,
        semconv.USAGE_ANNOTATED_PAGES: pages if isinstance(pages, int) and annotated else None,
        semconv.USAGE_SOURCE: "reported" if isinstance(pages, int) else None,
    }


ENDPOINTS = Endpoints(
    [
        _CHAT,
        replace(_CHAT, path="agents/completions", request=_agent_request),
        OPENAI_RESPONSES,
        *conversations.ROWS,
        Endpoint(
            path="agents",
            kind="span",
            operation="create_agent",
            named_by="name",
            request=hosted_agents.creation,
            response=hosted_agents.response,
        ),
        replace(_CHAT, path="fim/completions", operation="text_completion"),
        replace(OPENAI_EMBEDDINGS, request=_embeddings_request),
        Endpoint(path="ocr", operation="ocr.create", span_name="ocr.create", response=_pages),
        replace(OPENAI_SPEECH, request=_speech_request),
        OPENAI_TRANSCRIPTIONS,
    ],
    other=Endpoint(kind="span"),
    verbs=("cancel",),
    collections=("models",),
)


class MistralIntegration(MethodClient):
    """The method that all requests pass, the streams over their replies, and the spans that it makes itself."""

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch the method, and what reads the events of a stream."""
        super().install(module, patches)
        for part in iter_modules(module.__path__, f"{_PACKAGE}."):
            if not part.ispkg:
                frame_methods(patches, self.name, part.name, leave=_RUNS)
        patches.when_imported(f"{_PACKAGE}.utils.eventstreaming", lambda events: _watch_streams(events, patches))
        patches.when_imported(f"{_PACKAGE}._hooks.tracing", lambda hooks: _silence(hooks, patches))
        patches.when_imported("mistralai.extra.run.tools", lambda tools: _tools(tools, patches))


def _watch_streams(events: ModuleType, patches: Patches) -> None:
    for name in ("stream_events", "stream_events_async"):
        patches.wrap(events, name, _stream_events)


def _silence(hooks: ModuleType, patches: Patches) -> None:
    """No second span of a call that is recorded, where both go to the same place; its upload goes on."""
    if hasattr(hooks, "get_traced_request_and_span"):  # older versions trace otherwise
        patches.wrap(hooks, "get_traced_request_and_span", _own_span)


def _own_span(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    from agentops_sdk.integration.frameworks import is_global

    with guard("mistral.own_span"):
        call = current_call()
        if call is not None and "mistral" in call.reporters and is_global(kwargs.get("tracer")):
            kwargs = {**kwargs, "tracing_enabled": False}
    return wrapped(*args, **kwargs)


def _tools(tools: ModuleType, patches: Patches) -> None:
    """Tools that its client runs itself; what one is for, its span leaves out."""
    from agentops_sdk.integration.frameworks import adopt_module

    if not hasattr(tools, "trace"):
        return
    adopt_module(patches, tools, "mistralai.extra.run.tools")
    ran: ContextVar[Any] = ContextVar("agentops-mistral-tool")

    async def run(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        token = ran.set(kwargs.get("run_tool", args[1] if len(args) > 1 else None))
        try:
            return await wrapped(*args, **kwargs)
        finally:
            with guard("mistral.tool"):
                ran.reset(token)

    def told(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with guard("mistral.tool"):
            span = args[0] if args else kwargs["span"]
            function = getattr(getattr(ran.get(None), "tool", None), "function", None)
            if isinstance(description := getattr(function, "description", None), str) and description:
                span.set_attribute(semconv.TOOL_DESCRIPTION, description)
        return wrapped(*args, **kwargs)

    patches.wrap(tools, "set_available_attributes", told)
    patches.when_imported(
        "mistralai.extra.run.context", lambda context: patches.wrap(context, "create_function_result", run)
    )


def _stream_events(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return watch_items(wrapped(*args, **kwargs), args[0] if args else kwargs.get("response"))


_PACKAGE = "mistralai.client"
_RUNS = ("run", "run_async", "run_stream", "run_stream_async")
"""Methods that ask again and again, and call functions of the program's in between."""

integration = MistralIntegration(
    "mistral",
    "mistralai.client",
    ">=2.0,<4",
    provider="mistral_ai",
    distribution="mistralai",
    endpoints=ENDPOINTS,
    methods=[
        Method(f"{_PACKAGE}.basesdk", "BaseSDK", name, _asked, http=True) for name in ("do_request", "do_request_async")
    ],
)
