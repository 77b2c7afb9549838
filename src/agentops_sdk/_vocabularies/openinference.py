"""OpenInference: what Arize Phoenix, and whoever else builds on it, reads beside the GenAI conventions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agentops_sdk import semconv
from agentops_sdk._vocabularies._content import (
    given,
    json_of,
    loaded,
    messages_of,
    parameters,
    plain,
    result,
    text_of_parts,
)

__all__ = ["names"]

_KINDS: Final = {
    "agent": "AGENT", "workflow": "CHAIN", "task": "CHAIN", "tool": "TOOL", "llm": "LLM", "embedding": "EMBEDDING",
    "retriever": "RETRIEVER", "plan": "CHAIN", "guardrail": "GUARDRAIL", "decision": "DECISION",
}  # fmt: skip
_PROVIDERS: Final = {
    "mistral_ai": ("mistralai", "mistralai"), "gcp.gemini": ("google", "vertexai"),
    "gcp.gen_ai": ("google", "vertexai"), "gcp.vertex_ai": ("google", "vertexai"),
    "azure.ai.openai": ("azure", "openai"), "azure.ai.inference": ("azure", None), "aws.bedrock": ("aws", None),
    "x_ai": ("xai", None), "moonshot_ai": ("moonshot", None), "openai": ("openai", "openai"),
    "anthropic": ("anthropic", "anthropic"), "cohere": ("cohere", "cohere"),
}  # fmt: skip
"""Who answered, and whose API it was, by the conventions' name of both."""
_TOKENS: Final = {
    semconv.USAGE_INPUT_TOKENS: "llm.token_count.prompt",
    semconv.USAGE_OUTPUT_TOKENS: "llm.token_count.completion",
    semconv.USAGE_CACHE_READ: "llm.token_count.prompt_details.cache_read",
    semconv.USAGE_CACHE_CREATION: "llm.token_count.prompt_details.cache_write",
    semconv.USAGE_CACHE_WRITE: "llm.token_count.prompt_details.cache_write",
    semconv.USAGE_AUDIO_INPUT: "llm.token_count.prompt_details.audio",
    semconv.USAGE_AUDIO_OUTPUT: "llm.token_count.completion_details.audio",
    semconv.MAIN_NAMES[semconv.USAGE_AUDIO_INPUT]: "llm.token_count.prompt_details.audio",
    semconv.MAIN_NAMES[semconv.USAGE_AUDIO_OUTPUT]: "llm.token_count.completion_details.audio",
    semconv.USAGE_REASONING: "llm.token_count.completion_details.reasoning",
}
_PLAIN: Final = {
    semconv.AGENT_NAME: "agent.name",
    semconv.GRAPH_NODE: "graph.node.id",
    semconv.TOOL_NAME: "tool.name",
    semconv.TOOL_DESCRIPTION: "tool.description",
    semconv.TOOL_CALL_ID: "tool.id",
    semconv.CONVERSATION_ID: "session.id",
    semconv.PROMPT_NAME: "prompt.id",
    semconv.TAGS: "tag.tags",
}
_MODELS: Final = ("llm", "embedding")


def names(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The same span in OpenInference's names."""
    kind = str(attributes.get(semconv.KIND, "span"))
    more: dict[str, Any] = {"openinference.span.kind": _KINDS.get(kind, "CHAIN")}
    if attributes.get(semconv.OPERATION_NAME) == "rerank":
        more["openinference.span.kind"] = "RERANKER"
    for side, value in (("input", given(attributes)), ("output", result(attributes))):
        if value is not None:
            more[f"{side}.value"], is_json = plain(value)
            more[f"{side}.mime_type"] = "application/json" if is_json else "text/plain"
    more.update((short, attributes[name]) for name, short in _PLAIN.items() if attributes.get(name) is not None)
    metadata = {
        name.removeprefix(semconv.METADATA_PREFIX): value
        for name, value in attributes.items()
        if name.startswith(semconv.METADATA_PREFIX)
    }
    if metadata:
        more["metadata"] = json_of(metadata)
    if kind in _MODELS:
        more.update(_model(kind, attributes))
    elif kind == "tool" and (arguments := attributes.get(semconv.TOOL_CALL_ARGUMENTS)) is not None:
        more["tool.parameters"] = arguments
    elif kind == "retriever":
        more.update(_documents(loaded(attributes.get(semconv.RETRIEVAL_DOCUMENTS))))
    return more


def _model(kind: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    asked, answered = attributes.get(semconv.REQUEST_MODEL), attributes.get(semconv.RESPONSE_MODEL)
    family = "llm" if kind == "llm" else "embedding"
    more: dict[str, Any] = {
        f"{family}.model_name": answered or asked,
        "llm.request.model_name": asked,
        "llm.response.model_name": answered,
        f"{family}.invocation_parameters": parameters(attributes),
    }
    provider = attributes.get(semconv.PROVIDER_NAME)
    if provider is not None:
        more["llm.provider"], more["llm.system"] = _PROVIDERS.get(str(provider), (provider, None))
    more.update(_usage(attributes))
    if kind == "embedding":
        texts = given(attributes)
        for index, text in enumerate(texts if isinstance(texts, list) else [texts] if texts is not None else ()):
            more[f"embedding.embeddings.{index}.embedding.text"] = plain(text)[0]
        return more
    system = loaded(attributes.get(semconv.SYSTEM_INSTRUCTIONS))
    before = [{"role": "system", "parts": system}] if isinstance(system, list) and system else []
    for side, messages in (
        ("input", [*before, *messages_of(attributes, semconv.INPUT_MESSAGES)]),
        ("output", messages_of(attributes, semconv.OUTPUT_MESSAGES)),
    ):
        position = 0
        for message in messages:
            for one in _messages(message):
                more.update((f"llm.{side}_messages.{position}.message.{name}", value) for name, value in one.items())
                position += 1
    tools = loaded(attributes.get(semconv.TOOL_DEFINITIONS))
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        more[f"llm.tools.{index}.tool.json_schema"] = json_of(_tool(tool))
    reasons = attributes.get(semconv.RESPONSE_FINISH_REASONS)
    if reasons:
        more["llm.finish_reason"] = str(reasons[0])
    return more


def _usage(attributes: Mapping[str, Any]) -> dict[str, Any]:
    more: dict[str, Any] = {
        short: attributes[name] for name, short in _TOKENS.items() if attributes.get(name) is not None
    }
    told, used = attributes.get(semconv.USAGE_INPUT_TOKENS), attributes.get(semconv.USAGE_OUTPUT_TOKENS)
    if isinstance(told, int):
        more["llm.token_count.total"] = told + (used if isinstance(used, int) else 0)
    if attributes.get(semconv.COST_CURRENCY) == "USD":
        more["llm.cost.total"] = attributes.get(semconv.COST_AMOUNT)
    return more


def _tool(tool: Any) -> Any:
    """A tool as OpenAI's chat has it, which is what OpenInference's readers look for."""
    if not isinstance(tool, dict) or tool.get("type") != "function":
        return tool
    return {"type": "function", "function": {name: value for name, value in tool.items() if name != "type"}}


def _messages(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A message; each result of a tool is one by itself."""
    parts = message.get("parts")
    parts = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    results = [part for part in parts if part.get("type") == "tool_call_response"]
    for part in results:
        yield {
            "role": "tool",
            "content": plain(part.get("response"))[0],
            "tool_call_id": part.get("id"),
        }
    said = [part for part in parts if part.get("type") not in ("tool_call", "tool_call_response")]
    calls = [part for part in parts if part.get("type") == "tool_call"]
    if results and not said and not calls:
        return
    one: dict[str, Any] = {"role": str(message.get("role", "user")), "name": message.get("name")}
    text = text_of_parts(said)
    if text is not None:
        one["content"] = text
    else:
        for index, part in enumerate(said):
            one.update((f"contents.{index}.message_content.{name}", value) for name, value in _part(part).items())
    for index, call in enumerate(calls):
        prefix = f"tool_calls.{index}.tool_call"
        one[f"{prefix}.id"] = call.get("id")
        one[f"{prefix}.function.name"] = call.get("name")
        one[f"{prefix}.function.arguments"] = plain(call.get("arguments"))[0]
    yield one


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    kind, modality = part.get("type"), part.get("modality")
    if kind in ("text", "reasoning", "refusal"):
        shown = "text" if kind == "refusal" else kind
        return {"type": shown, "text": str(part.get("content", ""))}
    where = part.get("uri")
    if kind == "blob" and isinstance(part.get("content"), str):
        where = f"data:{part.get('mime_type') or f'{modality}/*'};base64,{part['content']}"
    if isinstance(where, str) and modality in ("image", "audio", "video", "document"):
        return {"type": modality, f"{modality}.{modality}.url": where}
    return {"type": "text", "text": json_of(part)}


def _documents(documents: Any) -> dict[str, Any]:
    more: dict[str, Any] = {}
    for index, document in enumerate(documents if isinstance(documents, list) else ()):
        if not isinstance(document, dict):
            continue
        prefix = f"retrieval.documents.{index}.document"
        rest = {name: value for name, value in document.items() if name not in ("id", "score", "content", "text")}
        content = document.get("content", document.get("text"))
        more[f"{prefix}.id"] = document.get("id")
        more[f"{prefix}.score"] = document.get("score")
        more[f"{prefix}.content"] = None if content is None else plain(content)[0]
        more[f"{prefix}.metadata"] = json_of(rest) if rest else None
    return more
