"""Chat and completion models: what a run's start and end tell, as attributes of a model call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from agentops_integrations.langchain import messages, tools
from agentops_integrations.langchain.chains import name_of
from agentops_integrations.langchain.runs import Run, Runs
from agentops_sdk.integration import ended_by_model, semconv, setting, snapshot

Json = Mapping[str, Any]
Deferred = Callable[[dict[str, Any]], None]

_PROVIDERS = {"azure": "azure.ai.openai", "anthropic": "anthropic", "google_genai": "gcp.gemini", "bedrock":
              "aws.bedrock", "amazon_bedrock": "aws.bedrock", "google_vertexai": "gcp.vertex_ai", "mistral":
              "mistral_ai", "mistralai": "mistral_ai", "xai": "x_ai"}  # fmt: skip


def begin(
    runs: Runs,
    operation: str,
    serialized: Any,
    given: Any,
    run_id: UUID,
    parent_run_id: UUID | None,
    about: dict[str, Any],
    metadata: Json,
    told: Json,
) -> Run:
    """Start the call of a model's run; ``told`` is what else its callback was given."""
    params = told.get("invocation_params")
    params = params if isinstance(params, dict) else {}
    name = name_of(serialized, told.get("name"), "model")
    model = model_name(metadata, params)
    attributes = {semconv.REQUEST_MODEL: model, **request(metadata, params), **about}
    run = runs.begin(
        "llm", name, run_id, parent_run_id, operation=operation, call_name=model or name, attributes=attributes
    )
    run.notes["params"] = params
    work = asked(given, params)
    if work is not None:
        run.call.defer(work)
    return run


def end(run: Run, response: Any, *, finished: bool) -> None:
    """What a model's run gave, whole (``finished``) or as far as it came."""
    if run.chunks:
        run.call.update(
            {
                semconv.REQUEST_STREAM: True,
                semconv.STREAM_CHUNKS: run.chunks,
                semconv.RESPONSE_TIME_TO_FIRST_CHUNK: (run.first_ns - run.started_ns) / 1e9,
            }
        )
    work = answered(response, run.notes.get("params") or {}, finished=finished)
    if work is not None:
        run.call.defer(work)


def model_name(metadata: Json, params: Json) -> str | None:
    """The model that is asked for."""
    for name in (params.get("model"), params.get("model_name"), metadata.get("ls_model_name")):
        if isinstance(name, str) and name:
            return name
    return None


def request(metadata: Json, params: Json) -> dict[str, Any]:
    """What a run's metadata and parameters tell; plain values only, read in microseconds."""
    provider = metadata.get("ls_provider")
    stop = params.get("stop") or metadata.get("ls_stop")
    limit = params.get("max_completion_tokens") or params.get("max_tokens") or metadata.get("ls_max_tokens")
    return {
        semconv.PROVIDER_NAME: _PROVIDERS.get(provider, provider) if isinstance(provider, str) else None,
        semconv.REQUEST_TEMPERATURE: _number(params.get("temperature", metadata.get("ls_temperature"))),
        semconv.REQUEST_TOP_P: _number(params.get("top_p")),
        semconv.REQUEST_MAX_TOKENS: limit if isinstance(limit, int) else None,
        semconv.REQUEST_SEED: params.get("seed") if isinstance(params.get("seed"), int) else None,
        semconv.REQUEST_STOP_SEQUENCES: [stop] if isinstance(stop, str) else _texts(stop),
        semconv.REQUEST_STREAM: True if params.get("stream") is True or params.get("streaming") is True else None,
    }


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _texts(value: Any) -> list[str] | None:
    return list(value) if isinstance(value, list) and value and all(type(item) is str for item in value) else None


def asked(given: Any, params: Json) -> Deferred | None:
    """Input messages and offered tools, from what a run starts with; the snapshot is taken here and now."""
    content = bool(setting("capture_content"))
    conversation = snapshot(given) if content else None
    offered = snapshot(_offer(params)) if params.get("tools") or params.get("functions") else None
    if conversation is None and offered is None:
        return None

    def work(attributes: dict[str, Any]) -> None:
        if conversation is not None:
            found = messages.loads(conversation)
            found = found if isinstance(found, list) else [found]
            attributes.setdefault(semconv.INPUT_MESSAGES, messages.dumps([messages.message(each) for each in found]))
        if offered is not None:
            definitions = tools.definitions(messages.loads(offered))
            attributes.setdefault(semconv.TOOL_DEFINITIONS, messages.dumps(definitions))

    return work


def _offer(params: Json) -> dict[str, Any]:
    return {name: params[name] for name in ("tools", "functions", "tool_choice") if name in params}


def answered(response: Any, params: Json, *, finished: bool) -> Deferred | None:
    """Output messages, usage and the choice among tools, from an ``LLMResult``.

    What the provider's own client has told of the same call stands: it knows more.
    """
    generations = getattr(response, "generations", None)
    if not generations:
        return None
    first = generations[0] if isinstance(generations[0], list) else generations
    told = snapshot({"generations": first, "llm_output": getattr(response, "llm_output", None)})
    offered = snapshot(_offer(params)) if params.get("tools") or params.get("functions") else None
    content = bool(setting("capture_content"))

    def work(attributes: dict[str, Any]) -> None:
        reply = messages.loads(told)
        asked_for = messages.loads(offered) if offered is not None else {}
        # The provider's own client has read the reply: what the model decided, or did not, is told.
        client_told = semconv.OUTPUT_MESSAGES in attributes
        for name, value in _reply(reply, asked_for, content, finished).items():
            if client_told and name.startswith(semconv.DECISION_EVENT):
                continue
            if not (semconv.MODEL_CALLS in attributes and name.startswith("gen_ai.usage.")):
                attributes.setdefault(name, value)

    return work


def _reply(reply: Any, offer: Json, content: bool, finished: bool) -> dict[str, Any]:
    if not isinstance(reply, Mapping):
        return {}
    generations = [each for each in reply.get("generations") or () if isinstance(each, Mapping)]
    made: dict[str, Any] = {}
    outputs, reasons, ends = [], [], []
    for generation in generations:
        given = generation.get("message", generation.get("text"))
        about = _about(generation, given)
        reason = about.get("finish_reason") or about.get("stop_reason") or about.get("done_reason")
        reason = reason if isinstance(reason, str) else None
        if reason:
            reasons.append(reason)
        ends.append(ended_by_model(reason) if reason else finished)
        outputs.append(messages.output(given, reason, finished=ends[-1]))
        made.update(_identity(about, given))
        made.update(_usage(given))
    if semconv.USAGE_INPUT_TOKENS not in made:
        made.update(_usage_of_output(reply.get("llm_output")))
    if reasons:
        made[semconv.RESPONSE_FINISH_REASONS] = reasons
    if outputs and content:
        made[semconv.OUTPUT_MESSAGES] = messages.dumps(outputs)
    said = [part for each in outputs for part in each["parts"]]
    made.update(tools.decision(offer, said, finished=all(ends)))
    return made


def _about(generation: Json, given: Any) -> dict[str, Any]:
    about: dict[str, Any] = {}
    for source in (generation.get("generation_info"), given.get("response_metadata") if isinstance(given, Mapping)
                   else None):  # fmt: skip
        if isinstance(source, Mapping):
            about.update(source)
    return about


def _identity(about: Json, given: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    model = about.get("model_name") or about.get("model")
    if isinstance(model, str):
        made[semconv.RESPONSE_MODEL] = model
    identity = about.get("id") or (given.get("id") if isinstance(given, Mapping) else None)
    # LangChain makes ids of its own where the provider gave none.
    if isinstance(identity, str) and not identity.startswith(("run-", "run--", "lc_")):
        made[semconv.RESPONSE_ID] = identity
    if isinstance(about.get("system_fingerprint"), str):
        made[semconv.OPENAI_SYSTEM_FINGERPRINT] = about["system_fingerprint"]
    return made


def _usage(given: Any) -> dict[str, Any]:
    usage = given.get("usage_metadata") if isinstance(given, Mapping) else None
    if not isinstance(usage, Mapping) or usage.get("total_cost") == 0:
        return {}  # a total cost of nothing is how LangChain marks an answer from its cache
    inside, outside = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    return _whole(
        {
            semconv.USAGE_INPUT_TOKENS: usage.get("input_tokens"),
            semconv.USAGE_OUTPUT_TOKENS: usage.get("output_tokens"),
            semconv.USAGE_CACHE_READ: inside.get("cache_read"),
            semconv.USAGE_CACHE_CREATION: inside.get("cache_creation"),
            semconv.USAGE_REASONING: outside.get("reasoning"),
            semconv.USAGE_AUDIO_INPUT: inside.get("audio") or None,
            semconv.USAGE_AUDIO_OUTPUT: outside.get("audio") or None,
        }
    )


def _usage_of_output(output: Any) -> dict[str, Any]:
    """Of completion models, which have no message to carry it."""
    usage = output.get("token_usage") if isinstance(output, Mapping) else None
    if not isinstance(usage, Mapping):
        return {}
    return _whole(
        {
            semconv.USAGE_INPUT_TOKENS: usage.get("prompt_tokens"),
            semconv.USAGE_OUTPUT_TOKENS: usage.get("completion_tokens"),
        }
    )


def _whole(figures: Json) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if isinstance(value, int) and not isinstance(value, bool)}
