"""Chat and completion models: what a run's start and end tell, as attributes of a model call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from agentops_integrations.langchain import messages, tools
from agentops_integrations.langchain.reply_usage import lifetimes_asked, usage
from agentops_integrations.langchain.run_description import name_of
from agentops_sdk.integration import ended_by_model, mark_cut, semconv, setting, snapshot_source
from agentops_sdk.integration.dialects import number
from agentops_sdk.integration.frameworks import Run, Runs

Json = Mapping[str, Any]
Deferred = Callable[[dict[str, Any]], None]

_COUNTED = (semconv.USAGE_INPUT_TOKENS, semconv.USAGE_OUTPUT_TOKENS, semconv.MODEL_CALLS, semconv.CACHED)

_PROVIDERS = {"azure": "azure.ai.openai", "anthropic": "anthropic", "google_genai": "gcp.gemini", "bedrock":
              "aws.bedrock", "amazon_bedrock": "aws.bedrock", "anthropic-bedrock": "aws.bedrock", "anthropic-mantle":
              "aws.bedrock", "openai-mantle": "aws.bedrock", "google_vertexai": "gcp.vertex_ai", "mistral":
              "mistral_ai", "mistralai": "mistral_ai", "xai": "x_ai"}  # fmt: skip


def begin(
    runs: Runs,
    operation: str,
    serialized: Any,
    conversation: Any,
    run_id: UUID,
    parent_run_id: UUID | None,
    about: dict[str, Any],
    metadata: Json,
    keywords: Json,
) -> Run:
    """Start the call of a model's run; ``told`` is what else its callback was given."""
    params = keywords.get("invocation_params")
    params = params if isinstance(params, dict) else {}
    name = name_of(serialized, keywords.get("name"), "model")
    model = model_name(metadata, params)
    attributes = {semconv.REQUEST_MODEL: model, **request(metadata, params), **about}
    run = runs.begin(
        "llm", name, run_id, parent_run_id, operation=operation, call_name=model or name, attributes=attributes
    )
    run.notes["params"] = params
    run.notes["lifetimes"] = lifetimes_asked(conversation, params.get("tools"))
    work = asked(conversation, params)
    if work is not None:
        run.call.defer(work)
    return run


def end(run: Run, response: Any, *, finished: bool) -> None:
    """What a model's run gave, whole (``finished``) or as far as it came."""
    run.call.update(run.streamed())
    if _is_told_by_another(run, response):
        run.call.set(semconv.MODEL_CALLS, 1)
        run.call.set(semconv.COST_UNKNOWN_REASON, "told with the first of the prompts that were sent together")
    lifetimes = run.notes.get("lifetimes") or frozenset()
    params = run.notes.get("params") or {}
    work = answered(response, params, finished=finished, streamed=run.chunks > 0, lifetimes=lifetimes)
    if work is not None:
        run.call.defer(work)


def _is_told_by_another(run: Run, response: Any) -> bool:
    """Whether the tokens stand elsewhere: of prompts that go out together LangChain tells them with the first."""
    output = getattr(response, "llm_output", None)
    tokens = output.get("token_usage") if isinstance(output, dict) else None
    run.notes["tells_tokens"] = bool(tokens)
    first = run.notes.get("sent_with")
    if first is None:
        return False
    return semconv.MODEL_CALLS in first.call.span.attributes or (not tokens and bool(first.notes.get("tells_tokens")))


def model_name(metadata: Json, params: Json) -> str | None:
    """The model that is asked for."""
    for name in (params.get("model"), params.get("model_name"), metadata.get("ls_model_name")):
        if isinstance(name, str) and name:
            return name
    return None


def request(metadata: Json, params: Json) -> dict[str, Any]:
    """What a run's metadata and parameters tell; plain values only, read in microseconds."""
    provider = metadata.get("ls_provider") or _of_its_type(params.get("_type"))
    stop = params.get("stop") or metadata.get("ls_stop")
    limit = params.get("max_completion_tokens") or params.get("max_tokens") or metadata.get("ls_max_tokens")
    return {
        semconv.PROVIDER_NAME: _PROVIDERS.get(provider, provider) if isinstance(provider, str) else None,
        semconv.REQUEST_TEMPERATURE: number(params.get("temperature", metadata.get("ls_temperature"))),
        semconv.REQUEST_TOP_P: number(params.get("top_p")),
        semconv.REQUEST_MAX_TOKENS: limit if isinstance(limit, int) else None,
        semconv.REQUEST_SEED: params.get("seed") if isinstance(params.get("seed"), int) else None,
        semconv.REQUEST_STOP_SEQUENCES: [stop] if isinstance(stop, str) else _texts(stop),
        semconv.OPENAI_REQUEST_SERVICE_TIER: _tier(provider, params.get("service_tier")),
        semconv.REQUEST_STREAM: True if params.get("stream") is True or params.get("streaming") is True else None,
    }


def _of_its_type(kind: Any) -> str | None:
    """The provider, as a model's type has it: of several prompts at once LangChain tells nothing else."""
    return kind.removesuffix("-chat").removesuffix("-llm") if isinstance(kind, str) and kind else None


def _tier(provider: Any, tier: Any) -> str | None:
    return tier.lower() if provider in ("openai", "azure") and isinstance(tier, str) and tier else None


def _texts(value: Any) -> list[str] | None:
    return list(value) if isinstance(value, list) and value and all(type(item) is str for item in value) else None


def asked(source: Any, params: Json) -> Deferred | None:
    """Input messages and offered tools, from what a run starts with; the snapshot is taken here and now."""
    content = bool(setting("capture_content"))
    conversation = snapshot_source(source) if content else None
    offered = snapshot_source(_offer(params)) if params.get("tools") or params.get("functions") else None
    if conversation is None and offered is None:
        return None

    def work(attributes: dict[str, Any]) -> None:
        if conversation is not None:
            turns = messages.loads(conversation.data)
            turns = turns if isinstance(turns, list) else [turns]
            if semconv.INPUT_MESSAGES not in attributes:
                attributes[semconv.INPUT_MESSAGES] = [messages.message(each) for each in turns]
                mark_cut(attributes, semconv.INPUT_MESSAGES, conversation)
        if offered is not None:
            definitions = tools.definitions(messages.loads(offered.data))
            if semconv.TOOL_DEFINITIONS not in attributes:
                attributes[semconv.TOOL_DEFINITIONS] = definitions
                mark_cut(attributes, semconv.TOOL_DEFINITIONS, offered)

    return work


def _offer(params: Json) -> dict[str, Any]:
    return {name: params[name] for name in ("tools", "functions", "tool_choice") if name in params}


def answered(
    response: Any,
    params: Json,
    *,
    finished: bool,
    streamed: bool = False,
    lifetimes: frozenset[str] = frozenset(),
) -> Deferred | None:
    """Output messages, usage and the choice among tools, from an ``LLMResult``.

    What the provider's own client has told of the same call stands: it knows more. Its usage stands whole.
    """
    generations = getattr(response, "generations", None)
    if not generations:
        return None
    first = generations[0] if isinstance(generations[0], list) else generations
    kept = snapshot_source({"generations": first, "llm_output": getattr(response, "llm_output", None)})
    offered = snapshot_source(_offer(params)) if params.get("tools") or params.get("functions") else None
    content = bool(setting("capture_content"))

    def work(attributes: dict[str, Any]) -> None:
        reply = messages.loads(kept.data)
        asked_for = messages.loads(offered.data) if offered is not None else {}
        # Of a model that made calls of its own, the usage is on those; an answer from a cache used nothing.
        if not any(name in attributes for name in _COUNTED):
            provider = attributes.get(semconv.PROVIDER_NAME)
            for name, value in _usage(reply, provider, streamed, lifetimes).items():
                attributes.setdefault(name, value)
        # The provider's own client has read the reply: what the model decided, or did not, is told.
        client_told = semconv.OUTPUT_MESSAGES in attributes
        for name, value in _reply(reply, asked_for, content, finished).items():
            if not (client_told and name.startswith(semconv.DECISION_EVENT)):
                attributes.setdefault(name, value)
        if content and not client_told:
            mark_cut(attributes, semconv.OUTPUT_MESSAGES, kept)

    return work


def _reply(reply: Any, offer: Json, content: bool, finished: bool) -> dict[str, Any]:
    if not isinstance(reply, Mapping):
        return {}
    generations = [each for each in reply.get("generations") or () if isinstance(each, Mapping)]
    attributes: dict[str, Any] = {}
    outputs, reasons, ends = [], [], []
    for generation in generations:
        answer = generation.get("message", generation.get("text"))
        about = _about(generation, answer)
        reason = about.get("finish_reason") or about.get("stop_reason") or about.get("done_reason")
        reason = reason if isinstance(reason, str) else None
        if reason:
            reasons.append(reason)
        ends.append(ended_by_model(reason) if reason else finished)
        outputs.append(messages.output(answer, reason, finished=ends[-1]))
        attributes.update(_identity(about, answer))
    if reasons:
        attributes[semconv.RESPONSE_FINISH_REASONS] = reasons
    if outputs and content:
        attributes[semconv.OUTPUT_MESSAGES] = outputs
    answer_parts = [part for each in outputs for part in each["parts"]]
    attributes.update(tools.decision(offer, answer_parts, finished=all(ends)))
    return attributes


def _about(generation: Json, answer: Any) -> dict[str, Any]:
    about: dict[str, Any] = {}
    for source in (generation.get("generation_info"), answer.get("response_metadata") if isinstance(answer, Mapping)
                   else None):  # fmt: skip
        if isinstance(source, Mapping):
            about.update(source)
    return about


def _identity(about: Json, answer: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    model = about.get("model_name") or about.get("model")
    if isinstance(model, str):
        attributes[semconv.RESPONSE_MODEL] = model
    identity = about.get("id") or (answer.get("id") if isinstance(answer, Mapping) else None)
    # LangChain makes ids of its own where the provider gave none.
    if isinstance(identity, str) and not identity.startswith(("run-", "run--", "lc_")):
        attributes[semconv.RESPONSE_ID] = identity
    if isinstance(about.get("system_fingerprint"), str):
        attributes[semconv.OPENAI_SYSTEM_FINGERPRINT] = about["system_fingerprint"]
    return attributes


def _usage(reply: Any, provider: Any, streamed: bool, lifetimes: frozenset[str]) -> dict[str, Any]:
    """Usage of the whole result: of several generations each tells it, or the last one does."""
    if not isinstance(reply, Mapping):
        return {}
    attributes: dict[str, Any] = {}
    for generation in reply.get("generations") or ():
        if isinstance(generation, Mapping):
            message = generation.get("message", generation.get("text"))
            output = reply.get("llm_output")
            attributes.update(usage(generation, message, output, provider, streamed=streamed, lifetimes=lifetimes))
    return attributes
