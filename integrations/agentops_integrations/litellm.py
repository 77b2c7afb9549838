"""LiteLLM: chats, completions, responses, Anthropic's messages, embeddings and rerankings, of whichever provider.

Programs hold LiteLLM's functions under several names, and from before we come: ``from litellm import completion`` is
another object than ``litellm.main.completion``. So what is patched lies behind the names: the dispatcher that the
public functions run through, and the function inside of each decorated one. A call that passes several doors is one
call, and so is one that LiteLLM tries again, or answers by way of another of its functions.

Long because it is the whole library: its doors, its words for providers, what it adds to replies.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from types import FunctionType, ModuleType
from typing import Any

import orjson

from agentops_sdk.integration import Patches, Wrapper, current_call, guard, semconv, snapshot, usage_attributes
from agentops_sdk.integration.clients import (
    Asked,
    Attributes,
    Endpoint,
    Endpoints,
    EventText,
    Exchanged,
    Json,
    Method,
    MethodClient,
    address,
)
from agentops_sdk.integration.dialects import (
    ANTHROPIC_MESSAGES,
    OPENAI_CHAT,
    OPENAI_COMPLETIONS,
    OPENAI_EMBEDDINGS,
    OPENAI_RESPONSES,
    RERANK,
    openai_chat,
)

# --- who answers -----------------------------------------------------------------------------------

_PROVIDERS = {
    "ai21_chat": "ai21",
    "aiohttp_openai": "openai",
    "amazon_nova": "aws.nova",
    "anthropic_text": "anthropic",
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "azure_text": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "codestral": "mistral_ai",
    "cohere_chat": "cohere",
    "custom_openai": "openai",
    "dashscope": "alibaba",
    "fireworks_ai": "fireworks",
    "gemini": "gcp.gemini",
    "hosted_vllm": "vllm",
    "litellm_proxy": "litellm",
    "lm_studio": "lmstudio",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "nvidia_nim": "nvidia",
    "ollama_chat": "ollama",
    "sagemaker": "aws.sagemaker",
    "sagemaker_chat": "aws.sagemaker",
    "text-completion-codestral": "mistral_ai",
    "text-completion-openai": "openai",
    "together_ai": "together",
    "vertex_ai": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "watsonx_text": "ibm.watsonx.ai",
    "xai": "x_ai",
    "zai": "z_ai",
}
"""LiteLLM's words to the conventions'; those that are not here are the same."""
_CACHE = "cached_response"
"""What LiteLLM calls the provider of a stream that it has kept."""


def _provider(word: Any) -> str | None:
    if not isinstance(word, str) or not word or word == _CACHE:
        return None
    known = _PROVIDERS.get(word)
    if known is None and word.startswith("vertex_ai"):  # vertex_ai-anthropic_models and its like, of the price table
        known = "gcp.vertex_ai"
    return known or word


_ROUTE = re.compile(r"(?:(?:converse|converse_like|invoke|[a-z]{2}(?:-gov)?-[a-z]+-\d)/)+")
"""Which of Bedrock's APIs and regions to ask, before the model's name."""


def _model_and_provider(model: Any, word: Any) -> tuple[str | None, str | None]:
    """Of a name such as ``groq/llama3``; for one without a prefix, by LiteLLM's own table of models."""
    library = sys.modules.get("litellm")
    if not isinstance(model, str) or library is None:
        return None, _provider(word)
    prefix, slash, rest = model.partition("/")
    if slash and (prefix == word or (not word and prefix in getattr(library, "provider_list", ()))):
        return _ROUTE.sub("", rest) if prefix == "bedrock" else rest, _provider(prefix)
    row = None if word else getattr(library, "model_cost", {}).get(model)
    return model, _provider(word or (row.get("litellm_provider") if isinstance(row, Mapping) else None))


# --- what is asked for -----------------------------------------------------------------------------

_CHAT, _TEXT, _EMBED = "chat/completions", "completions", "embeddings"
_POSITIONAL = {
    _CHAT: ("model", "messages", "timeout", "temperature", "top_p", "n", "stream", "stream_options", "stop"),
    _TEXT: ("prompt", "model"),
    _EMBED: ("model", "input", "dimensions", "encoding_format"),
    "responses": ("input", "model", "include", "instructions", "max_output_tokens"),
    "messages": ("max_tokens", "messages", "model"),
    "rerank": ("model", "query", "documents", "custom_llm_provider", "top_n"),
}
_BODY = frozenset(
    [
        "conversation",
        "dimensions",
        "documents",
        "encoding_format",
        "frequency_penalty",
        "function_call",
        "functions",
        "input",
        "instructions",
        "max_completion_tokens",
        "max_output_tokens",
        "max_tokens",
        "messages",
        "modalities",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "previous_response_id",
        "prompt",
        "query",
        "reasoning",
        "reasoning_effort",
        "response_format",
        "return_documents",
        "seed",
        "service_tier",
        "stop",
        "stop_sequences",
        "store",
        "stream",
        "suffix",
        "system",
        "temperature",
        "text",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_n",
        "top_p",
        "truncation",
        "verbosity",
    ]
)
"""What of the arguments goes into a request. The others are keys, clients and switches."""


_SERVERS = ("api_base", "base_url", "aws_bedrock_runtime_endpoint")


def _asked(path: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Asked:
    arguments = {**dict(zip(_POSITIONAL[path], args, strict=False)), **kwargs}
    model, provider = _model_and_provider(arguments.get("model"), arguments.get("custom_llm_provider"))
    body = {name: value for name, value in arguments.items() if name in _BODY and value is not None}
    if isinstance(body.get("response_format"), type):
        body["response_format"] = {"type": "json_schema"}
    url = next((arguments[name] for name in _SERVERS if arguments.get(name)), None)
    return Asked(path, body, url=url if isinstance(url, str) else "", model=model, provider=provider)


def _asked_of(path: str) -> Callable[..., Asked]:
    return lambda instance, args, kwargs: _asked(path, args, kwargs)


_ROUTES = {"chat_completions": _CHAT, "embeddings": _EMBED, "responses": "responses", "messages": "messages"}


def _dispatched(dispatch: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked | None:
    """Of the dispatcher's ``run(args, kwargs, …)``, whose arguments are those of the public function."""
    path = _ROUTES.get(str(getattr(dispatch.route, "value", dispatch.route)))
    return _asked(path, args[0], args[1]) if path is not None and len(args) > 1 else None


# --- what the replies say --------------------------------------------------------------------------


def _usage(body: Json) -> Json | None:
    """The usage without what LiteLLM adds to it, and with what it leaves out.

    It adds its own price, and numbers for what nobody has counted; it leaves the tokens out that a search of Google's
    has put into the prompt, which it says apart.
    """
    usage = body.get("usage")
    if not isinstance(usage, Mapping):
        return None
    usage = {name: value for name, value in usage.items() if name != "cost"}
    read, details = _below(usage, "prompt_tokens_details"), usage.get("completion_tokens_details")
    # Of Claude, which tells no number, LiteLLM counts the words of the thoughts; these are told of it alone.
    claude = usage.get("cache_creation_input_tokens") is not None or "cache_creation_token_details" in read
    if isinstance(details, Mapping) and (claude or not details.get("reasoning_tokens")):
        usage["completion_tokens_details"] = {**details, "reasoning_tokens": None}
    found, asked = read.get("tool_use_tokens"), usage.get("prompt_tokens")
    if read.get("web_search_requests") and isinstance(found, int) and isinstance(asked, int):
        usage["prompt_tokens"] = asked + found
    return usage


def _below(body: Json, name: str) -> Json:
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}


def _response(body: Json, asked: Json) -> Attributes:
    usage = _below(body, "usage")
    details = _below(usage, "prompt_tokens_details")
    ages = _below(details, "cache_creation_token_details")
    tools = _below(usage, "server_tool_use") or _below(body, "server_tool_use")
    searches = tools.get("web_search_requests") or details.get("web_search_requests")
    return {
        **openai_chat.response({**body, "model": None}, asked),
        semconv.USAGE_CACHE_CREATION_5M: ages.get("ephemeral_5m_input_tokens") or None,
        semconv.USAGE_CACHE_CREATION_1H: ages.get("ephemeral_1h_input_tokens") or None,
        semconv.USAGE_WEB_SEARCHES: searches or None,
    }


def _settle(attributes: Attributes, exchanged: Exchanged) -> bool:
    """The model that answered, without LiteLLM's word before it.

    In streams LiteLLM repeats what was asked for: where a client below has heard a model from the provider, it counts.
    """
    model = exchanged.reply.get("model")
    if isinstance(model, str) and model:
        asked = attributes.get(semconv.REQUEST_MODEL)
        attributes.setdefault(semconv.RESPONSE_MODEL, asked if model.partition("/")[2] == asked else model)
    provider = attributes.get(semconv.PROVIDER_NAME)
    if provider in ("anthropic", "aws.bedrock"):  # streams tell less of whose they are
        exchanged.figures.pop(semconv.USAGE_REASONING, None)
    elif provider == "cohere" and exchanged.figures:
        billed = _billed(exchanged.reply)
        if billed is None:  # more than is billed, by how much nobody tells
            attributes[semconv.COST_ESTIMATED] = True
        else:
            exchanged.figures.clear()
            exchanged.figures.update(billed)
    return True


def _billed(reply: Json) -> Attributes | None:
    """What Cohere bills, by its own reply: LiteLLM hands on the tokens instead."""
    text = reply.get(_ORIGINAL)
    original = orjson.loads(text) if isinstance(text, str) else {}
    usage = _below(original, "usage") or _below(original, "meta")
    return usage_attributes("cohere.chat", usage) if _below(usage, "billed_units") else None


ENDPOINTS = Endpoints(
    [
        replace(OPENAI_CHAT, response=_response, usage=_usage, settle=_settle),
        replace(OPENAI_COMPLETIONS, response=_response, usage=_usage, settle=_settle),
        replace(OPENAI_EMBEDDINGS, usage=_usage),
        replace(OPENAI_RESPONSES, usage=lambda body: _usage({**body, "usage": OPENAI_RESPONSES.usage(body)})),
        ANTHROPIC_MESSAGES,
        replace(RERANK, usage=lambda body: _below(body, "meta"), usage_shape="cohere.rerank"),
    ],
    other=Endpoint(kind="span"),
)


_ORIGINAL = "agentops.original"
"""In the copy of a reply: the text that the provider has sent."""


class _Reply:
    """What comes of one call: it is looked at as it is handed over, on the caller's thread."""

    __slots__ = ("exchange", "originals", "stream")

    def __init__(self) -> None:
        self.exchange: Any = None
        self.stream: Any = None
        self.originals: list[str] = []
        """What the provider has sent, where LiteLLM leaves out what is billed; of several attempts the last counts."""

    def look(self, result: Any) -> None:
        """At the whole reply, or the stream; none of them is read like a file, which is what is asked here."""
        if hasattr(type(result), "__next__") or hasattr(type(result), "__anext__"):
            self.stream = result
        self._told(result)

    def body(self, item: Any) -> bytes:
        """A reply, or an item of a stream, as JSON text."""
        if isinstance(item, bytes | str):  # Anthropic's events, as they came
            return EventText(item.encode() if isinstance(item, str) else item)
        hidden = _hidden(item)
        data = bytes(snapshot(item))
        usage = getattr(item, "usage", None) or hidden.get("usage")
        if self.stream is None:
            unknown = hidden.get("cache_hit") is True
        else:
            self._told(item)
            if usage is None:
                return data
            unknown = not self._is_reported(usage)
        more = [(b"usage", b"null" if unknown else bytes(snapshot(usage)))] if usage is not None else []
        if self.stream is not None:
            more.append((b"server_tool_use", bytes(snapshot(self._server_tool_use()))))
        elif self.originals:
            more.append((_ORIGINAL.encode(), bytes(snapshot(self.originals[-1]))))
        return data[:-1] + b"".join(b',"%b":%b' % each for each in more) + b"}" if data[:1] == b"{" else data

    def _is_reported(self, usage: Any) -> bool:
        """Whether the provider told it. Where it does not, LiteLLM counts, and does not say so."""
        chunks = getattr(self.stream, "chunks", None)
        if type(usage).__name__ == "UnreportedUsage" or _cached(self.stream):
            return False
        return not isinstance(chunks, list) or any(getattr(chunk, "usage", None) for chunk in chunks)

    def _server_tool_use(self) -> Any:
        """How often Claude has searched: LiteLLM leaves it out of the usage at the end of a stream, not of chunks."""
        chunks = getattr(self.stream, "chunks", None)
        usages = [getattr(chunk, "usage", None) for chunk in chunks] if isinstance(chunks, list) else []
        return next((told for each in reversed(usages) if (told := getattr(each, "server_tool_use", None))), None)

    def _told(self, result: Any) -> None:
        """What LiteLLM says beside a reply: who gave it, from where, at which price by its own table."""
        if self.exchange is None:
            return
        call, hidden = self.exchange.call, _hidden(result)
        provider = _provider(hidden.get("custom_llm_provider") or getattr(result, "custom_llm_provider", None))
        if provider is not None:
            call.replace(semconv.PROVIDER_NAME, provider)
        url = hidden.get("api_base")
        if isinstance(url, str) and url:
            call.update(address(url))
        if hidden.get("cache_hit") is True or _cached(result):
            call.set(semconv.CACHED, True)
            return
        cost = hidden.get("response_cost")
        if isinstance(cost, int | float) and cost:
            call.set(_THEIR_COST, float(cost))


_THEIR_COST = f"{semconv.METADATA_PREFIX}litellm.response_cost"


def _hidden(result: Any) -> Mapping[str, Any]:
    hidden = result.get("_hidden_params") if isinstance(result, dict) else getattr(result, "_hidden_params", None)
    return hidden if isinstance(hidden, Mapping) else {}


def _cached(stream: Any) -> bool:
    return getattr(stream, "custom_llm_provider", None) == _CACHE


# --- the doors -------------------------------------------------------------------------------------


class _Closure:
    """The function that a decorated one has closed over, as an attribute: what is set here is what will be called."""

    def __init__(self, function: FunctionType) -> None:
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        self.__name__ = function.__name__
        self._cell = cells[_INNER]
        self.__setattr__(_INNER, self._cell.cell_contents)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == _INNER:
            self._cell.cell_contents = value


@cache
def _closure(function: FunctionType) -> _Closure:
    return _Closure(function)


_INNER = "original_function"
"""What LiteLLM's decorator calls the function that it decorates."""

_FUNCTIONS = (
    ("litellm.main", "completion", _CHAT),
    ("litellm.main", "acompletion", _CHAT),
    ("litellm.main", "text_completion", _TEXT),
    ("litellm.main", "atext_completion", _TEXT),
    ("litellm.main", "embedding", _EMBED),
    ("litellm.main", "aembedding", _EMBED),
    ("litellm.responses.main", "responses", "responses"),
    ("litellm.responses.main", "aresponses", "responses"),
    ("litellm.rerank_api.main", "rerank", "rerank"),
    ("litellm.rerank_api.main", "arerank", "rerank"),
)


class LiteLLMIntegration(MethodClient):
    """The dispatcher, the decorated functions, and what is inside of them."""

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch what is there; whatever is imported later, then."""
        patches.when_imported("litellm.rust_bridge.dispatch", partial(self._patch_dispatcher, patches))
        for owner in dict.fromkeys(row[0] for row in _FUNCTIONS):
            patches.when_imported(owner, partial(self._patch_functions, patches, module))
        patches.when_imported(
            "litellm.llms.cohere.chat.v2_transformation",
            lambda module: patches.wrap(module.CohereV2ChatConfig, "transform_response", _transformed),
        )

    def _patch_dispatcher(self, patches: Patches, module: ModuleType) -> None:
        for name in ("run", "arun"):
            patches.wrap(module.PublicDispatch, name, self._wrapper(Method("", "", name, _dispatched)))

    def _patch_functions(self, patches: Patches, package: ModuleType, module: ModuleType) -> None:
        for owner, name, path in _FUNCTIONS:
            if owner == module.__name__:
                wrapper = self._wrapper(Method(owner, "", name, _asked_of(path)))
                public = vars(module).get(name)
                decorated = _decorated(public)
                # The decorator answers from the cache, and asks again, before it comes to the function inside.
                patches.wrap(package, name, wrapper)
                patches.wrap(module, name, wrapper)
                if decorated is not None:
                    patches.wrap(_closure(decorated), _INNER, wrapper)

    def _wrapper(self, row: Method) -> Wrapper:
        """One of the doors: the first that a call passes is the call's."""

        def call(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            door: Wrapper | None = None
            with guard(f"{self.name}.inside"):
                around = current_call()
                if around is None or around.ended or self.name not in around.reporters:
                    reply = _Reply()
                    door = super(LiteLLMIntegration, self)._wrapper(replace(row, body=reply.body, file=reply.look))
            return wrapped(*args, **kwargs) if door is None else door(wrapped, instance, args, kwargs)

        return call

    def _begin(self, row: Method, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        exchange = super()._begin(row, instance, args, kwargs)
        if exchange is not None:
            reply: _Reply = row.body.__self__  # type: ignore[attr-defined] # set in _wrapper
            reply.exchange = exchange
            # The client below takes the provider from the address.
            provider = exchange.call.span.attributes.get(semconv.PROVIDER_NAME)
            exchange.call.withhold((semconv.PROVIDER_NAME,))
            exchange.call.replace(semconv.PROVIDER_NAME, provider)
            if provider == "cohere":
                exchange.call.carry(_ORIGINALS, reply.originals)
        return exchange


_ORIGINALS = "agentops-litellm-originals"
"""In the context of a call: where what is below it puts what the provider has sent."""


def _transformed(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Cohere's reply, as LiteLLM makes its own of it."""
    with guard("litellm.original"):
        call, response = current_call(), kwargs.get("raw_response")
        originals = call.context.get(_ORIGINALS) if call is not None else None
        if isinstance(originals, list) and response is not None:
            originals.append(response.text)
    return wrapped(*args, **kwargs)


def _decorated(function: Any) -> FunctionType | None:
    """The function that LiteLLM's decorator has made, whoever has put what around it."""
    while function is not None:
        if type(function) is FunctionType and _INNER in function.__code__.co_freevars:
            return function
        function = getattr(function, "__wrapped__", None)
    return None


integration = LiteLLMIntegration(
    "litellm",
    "litellm",
    ">=1.110,<2",
    provider="litellm",
    endpoints=ENDPOINTS,
    methods=(),
)
