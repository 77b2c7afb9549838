"""Google's Gen AI client, for Gemini and Vertex AI: content and its streams, embeddings; everything else by its path.

Where the client calls the functions of its caller by itself, it sends several requests for one call. Each is a span,
below one of their own that has no tokens: the reply tells those of the last request only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from agentops_integrations.google_genai import (
    content,
    interaction_sockets,
    interactions,
    live,
    live_music,
    predictions,
)
from agentops_sdk.integration import Patches, semconv
from agentops_sdk.integration.clients import (
    Asked,
    Attributes,
    Endpoint,
    Endpoints,
    Exchanged,
    GeneratedClient,
    Json,
    Method,
    MethodClient,
    generic_request,
    generic_response,
)

# --- embeddings ------------------------------------------------------------------------------------


def _embed_request(body: Json) -> Attributes:
    each = content.mappings(body.get("requests") or [body])
    texts = [
        "".join(str(part.get("text") or "") for part in content.mappings((one.get("content") or {}).get("parts") or []))
        for one in each
    ]
    count = content.get(each[0], "outputDimensionality") if each else None
    return {
        semconv.EMBEDDINGS_DIMENSION_COUNT: count if isinstance(count, int) else None,
        semconv.INPUT: texts[0] if len(texts) == 1 else texts,
    }


def _embed_response(body: Json, asked: Json) -> Attributes:
    vectors = content.mappings(body.get("embeddings") or body.get("embedding") or [])
    values = vectors[0].get("values") if vectors else None
    return {semconv.EMBEDDINGS_DIMENSION_COUNT: len(values) if isinstance(values, list) and values else None}


# --- the table -------------------------------------------------------------------------------------

_MODEL = re.compile(r"([^/:]+):\w+$")


def _asked(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked:
    arguments = dict(zip(("http_method", "path", "request_dict", "http_options"), args, strict=False)) | kwargs
    path = str(arguments.get("path") or "").partition("?")[0]
    match = _MODEL.search(path)
    body = arguments.get("request_dict")
    body = (
        {name: value for name, value in body.items() if not name.startswith("_")} if isinstance(body, Mapping) else {}
    )
    url = _base_url(arguments.get("http_options")) or _base_url(getattr(client, "_http_options", None))
    vertex = getattr(client, "vertexai", False)
    return Asked(
        predictions.row_path(path, body),
        body,
        url=url or "",
        method=str(arguments.get("http_method") or "post"),
        model=match[1] if match else None,
        provider="gcp.vertex_ai" if vertex else "gcp.gemini",
    )


def _base_url(options: Any) -> str | None:
    url = options.get("base_url") if isinstance(options, Mapping) else getattr(options, "base_url", None)
    return url if isinstance(url, str) else None


def _calls_functions(models: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked | None:
    """One call of ``generate_content`` whose functions the client will call by itself."""
    config = kwargs.get("config")
    tools = _field(config, "tools")
    automatic = _field(config, "automatic_function_calling")
    if not isinstance(tools, list) or _field(automatic, "disable"):
        return None
    if not any(callable(tool) or hasattr(tool, "call_tool") for tool in tools):
        return None
    model = kwargs.get("model")
    client = getattr(models, "_api_client", None)
    return Asked(
        _AUTOMATIC,
        url=_base_url(getattr(client, "_http_options", None)) or "",
        model=model if isinstance(model, str) else None,
        provider="gcp.vertex_ai" if getattr(client, "vertexai", False) else "gcp.gemini",
    )


def _field(config: Any, name: str) -> Any:
    return content.get(config, name) if isinstance(config, Mapping) else getattr(config, name, None)


def _counts_nothing(attributes: Attributes, exchanged: Exchanged) -> bool:
    return False


_AUTOMATIC = "automatic_function_calling"

ENDPOINTS = Endpoints(
    [
        Endpoint(
            path="[^/]*:(?:streamG|g)enerateContent", operation="generate_content",
            request=content.request, response=content.response, fold=content.fold, usage=content.usage,
            usage_shape="gemini.generate",
            end_mark=re.compile(rb'"finishReason"\s*:\s*(?:"(?!FINISH_REASON_UNSPECIFIED)|[1-9])'),
            failed=content.failed, failure_mark=content.FAILURE,
        ),
        Endpoint(
            path="[^/]*:(?:embedContent|batchEmbedContents)", kind="embedding", operation="embeddings",
            request=_embed_request, response=_embed_response, usage=content.usage, usage_shape="gemini.generate",
        ),
        *predictions.ROWS,
        Endpoint(
            path="[^/]*:(?:countTokens|computeTokens)", kind="span", operation="count_tokens",
            span_name="count_tokens", request=content.request, settle=_counts_nothing,
            response=lambda body, asked: {semconv.OUTPUT: dict(body)},
        ),
        *(
            Endpoint(
                path=f"[^/]*:{name}", kind="span", operation=f"models.{name}", span_name=f"models.{name}",
                request=generic_request, response=generic_response, usage=content.usage, usage_shape="gemini.generate",
            )
            for name in ("batchGenerateContent", "asyncBatchEmbedContent")
        ),
        *interactions.ROWS,
        Endpoint(
            path=_AUTOMATIC, kind="span", operation=_AUTOMATIC, span_name=_AUTOMATIC,
            request=lambda body: {}, response=lambda body, asked: {}, fold=lambda events: {}, settle=_counts_nothing,
        ),
    ],
    other=Endpoint(kind="span", usage=content.usage, usage_shape="gemini.generate"),
    verbs=("cancel", "run", "pause", "resume", "rotate"),
    prefixes=("upload", "{api_version}"),
    collections=(
        "agents", "batchPredictionJobs", "batches", "cachedContents", "credentials", "documents", "environments",
        "fileSearchStores", "files", "locations", "models", "operations", "projects", "publishers", "triggers",
        "tunedModels", "tuningJobs", "tunings", "voices",
    ),
)  # fmt: skip

_CLIENT, _MODELS = "google.genai._api_client", "google.genai.models"

# Before version 3, interactions had a client of another generator.
_INTERACTIONS_2 = "google.genai._interactions"
_SECOND = GeneratedClient(
    "google_genai", "google.genai", ">=2.0,<4", provider="gcp.gemini", endpoints=ENDPOINTS, package=_INTERACTIONS_2
)


class GoogleGenAIIntegration(MethodClient):
    """Both clients of the library, and the streams of the second one."""

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch the methods, and what reads the events of a stream."""
        super().install(module, patches)
        interactions.install(patches)
        interaction_sockets.install(patches)
        live.install(patches)
        live_music.install(patches)
        patches.when_imported(f"{_INTERACTIONS_2}._base_client", lambda base: _SECOND.install(base, patches))


integration = GoogleGenAIIntegration(
    "google_genai",
    "google.genai",
    ">=2.0,<4",
    provider="gcp.gemini",
    distribution="google-genai",
    endpoints=ENDPOINTS,
    methods=[
        *(
            Method(_CLIENT, "BaseApiClient", name, _asked, body=lambda reply: reply.body)
            for name in ("request", "request_streamed", "async_request", "async_request_streamed")
        ),
        *(
            Method(_MODELS, owner, name, _calls_functions, body=lambda reply: {})
            for owner in ("Models", "AsyncModels")
            for name in ("generate_content", "generate_content_stream")
        ),
        *interactions.METHODS,
    ],
)
