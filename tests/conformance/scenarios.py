"""Programs that make the calls of OpenTelemetry's own conformance scenarios, with the OpenAI client and LangChain.

Each says what its requests and replies reveal beyond what every call of its kind does: the attributes that the
conventions ask for on a condition, or only recommend.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.openai.bodies import (
    CHAT_CHUNKS,
    MESSAGES,
    RESPONSE,
    RESPONSE_EVENTS,
    TOOLS,
    USAGE_CHUNK,
    completion,
)
from tests.wire.http import Reply, sse

__all__ = ["SCENARIOS", "Scenario", "close_clients", "opened", "reply_of"]

MODEL = "gpt-4o-mini"
_USAGE = {
    "prompt_tokens": 25, "completion_tokens": 12, "total_tokens": 37,
    "prompt_tokens_details": {"cached_tokens": 5}, "completion_tokens_details": {"reasoning_tokens": 3},
}  # fmt: skip
_PICTURE = "data:image/png;base64,iVBORw0KGgo="
_SHAPE = {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False,
}  # fmt: skip
_SAMPLING = ("max_tokens", "temperature", "top_p", "frequency_penalty", "presence_penalty", "stop_sequences", "seed")
_SETTINGS: dict[str, Any] = {
    "max_tokens": 100, "temperature": 0.7, "top_p": 0.9, "frequency_penalty": 0.5, "presence_penalty": 0.25,
    "stop": ["END"], "seed": 42,
}  # fmt: skip
_TOOL = {"type": "function", "name": "weather", "description": "Now", "parameters": _SHAPE, "strict": True}
SAID = completion({"role": "assistant", "content": "Rain.", "refusal": None}, usage=_USAGE)
CALLED = completion(
    {
        "role": "assistant", "content": None, "refusal": None,
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
        ],
    },
    "tool_calls", usage=_USAGE,
)  # fmt: skip
STREAMED = sse(*CHAT_CHUNKS, {**USAGE_CHUNK, "usage": _USAGE})
ANSWERED = {**RESPONSE, "output": RESPONSE["output"][2:]}
_EMBEDDED = {
    "object": "list", "model": "text-embedding-3-small", "usage": {"prompt_tokens": 8, "total_tokens": 8},
    "data": [{"object": "embedding", "index": 0, "embedding": [0.1] * 8}],
}  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    """One program.

    Attributes:
        name: what it does.
        package: whose client or framework it uses.
        run: the program; takes the address of the model server.
        replies: what that answers, in order.
        spans: how many spans of which operation it makes.
        reveals: by operation, the attributes that its source tells beyond those that every call of the kind has;
            without ``gen_ai.``, and of a request's settings without ``request.``.
        untold: what every call of the kind has, and this source does not tell.
    """

    name: str
    package: str
    run: Callable[[str], None]
    replies: tuple[Any, ...]
    spans: dict[str, int]
    reveals: dict[str, tuple[str, ...]] = field(default_factory=dict)
    untold: tuple[str, ...] = ()


_open: list[Any] = []


def close_clients() -> None:
    """What the programs leave open."""
    while _open:
        _open.pop().close()


def opened(client: Any) -> Any:
    """A client that :func:`close_clients` closes."""
    _open.append(client)
    return client


def _client(url: str) -> Any:
    import openai

    return opened(openai.OpenAI(base_url=url, api_key="k", max_retries=0))


def _inference(url: str) -> None:
    _client(url).chat.completions.create(model=MODEL, messages=MESSAGES, stream=False, **_SETTINGS)


def _streaming(url: str) -> None:
    for _ in _client(url).chat.completions.create(
        model=MODEL, messages=MESSAGES, stream=True, stream_options={"include_usage": True}, **_SETTINGS
    ):
        pass


def _embeddings(url: str) -> None:
    _client(url).embeddings.create(model="text-embedding-3-small", input="a fox", encoding_format="float", dimensions=8)


def _tool_calling(url: str) -> None:
    client = _client(url)
    first = client.chat.completions.create(model=MODEL, messages=MESSAGES, tools=TOOLS, tool_choice="auto")
    asked = first.choices[0].message
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": json.dumps({"rain": True})} for call in asked.tool_calls
    ]
    client.chat.completions.create(model=MODEL, messages=[*MESSAGES, asked, *results], tools=TOOLS, tool_choice="auto")


def _structured(url: str) -> None:
    _client(url).chat.completions.create(
        model=MODEL, max_tokens=100, temperature=0.5, messages=MESSAGES,
        response_format={"type": "json_schema", "json_schema": {"name": "w", "strict": True, "schema": _SHAPE}},
    )  # fmt: skip


def _multimodal(url: str) -> None:
    _client(url).chat.completions.create(model=MODEL, messages=[{"role": "user", "content": [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "image_url", "image_url": {"url": _PICTURE}},
    ]}])  # fmt: skip


def _conversation(url: str) -> None:
    client = _client(url)
    first = client.responses.create(model=MODEL, input="Remember: blue.")
    client.responses.create(model=MODEL, input="Which colour?", previous_response_id=first.id)


def _responses_tools(url: str) -> None:
    client = _client(url)
    first = client.responses.create(model=MODEL, input="Weather in Rome?", tools=[_TOOL], tool_choice="auto")
    items: list[Any] = [item.model_dump(exclude_none=True) for item in first.output]
    items += [
        {"type": "function_call_output", "call_id": item.call_id, "output": "rain"}
        for item in first.output
        if item.type == "function_call"
    ]
    client.responses.create(model=MODEL, input=items, tools=[_TOOL], tool_choice="auto")


def _responses_streaming(url: str) -> None:
    for _ in _client(url).responses.create(model=MODEL, input="Say this is a test", stream=True):
        pass


def _responses_stream(url: str) -> None:
    with _client(url).responses.stream(model=MODEL, input="Say this is a test") as stream:
        for _ in stream:
            pass
        stream.get_final_response()


def _fetch(url: str) -> None:
    _client(url).responses.retrieve("resp_1")


def _fetch_stream(url: str) -> None:
    for _ in _client(url).responses.retrieve("resp_1", stream=True, starting_after=4):
        pass


def _all_settings(url: str) -> None:
    _client(url).chat.completions.create(
        model=MODEL, messages=MESSAGES, n=2, reasoning_effort="low", tools=TOOLS, **_SETTINGS
    )


def _all_of_a_response(url: str) -> None:
    _client(url).responses.create(
        model=MODEL, input="Say it", instructions="Be brief.", previous_response_id="resp_0", tools=[_TOOL],
        max_output_tokens=100, temperature=0.5, top_p=0.9, reasoning={"effort": "low"},
        prompt={"id": "pmpt_1", "version": "2"}, text={"format": {"type": "json_object"}},
    )  # fmt: skip


# --- LangChain ------------------------------------------------------------------------------------


def _chat(url: str, **options: Any) -> Any:
    import httpx2
    from langchain_openai import ChatOpenAI

    client = opened(httpx2.Client())
    return ChatOpenAI(model=MODEL, base_url=url, api_key="k", max_retries=0, http_client=client, **options)


_ASKED = [("system", "Be brief."), ("human", "Weather in Rome?")]
_FEW: dict[str, Any] = {"temperature": 0.5, "max_tokens": 100}


def _lc_inference(url: str) -> None:
    _chat(url, **_SETTINGS).invoke(_ASKED)


def _lc_streaming(url: str) -> None:
    for _ in _chat(url, stream_usage=True, **_SETTINGS).stream(_ASKED):
        pass


def _weather() -> Any:
    from langchain_core.tools import tool

    @tool
    def weather(city: str) -> str:
        """Get the current weather in a city."""
        return f"rain in {city}"

    return weather


def _lc_tool_calling(url: str) -> None:
    from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage

    model = _chat(url, **_FEW).bind_tools([_weather()])
    messages: list[Any] = [SystemMessage("Be brief."), HumanMessage("Weather in Rome?")]
    messages.append(model.invoke(messages))
    messages += [ToolMessage("rain", tool_call_id=call["id"]) for call in messages[-1].tool_calls]
    model.invoke(messages)


def _lc_multimodal(url: str) -> None:
    from langchain_core.messages import HumanMessage

    for picture in (
        {"type": "image_url", "image_url": {"url": _PICTURE}},
        {"type": "image", "base64": _PICTURE.partition(",")[2], "mime_type": "image/png"},
    ):
        _chat(url, **_FEW).invoke([HumanMessage(content=[{"type": "text", "text": "What is it?"}, picture])])


def _lc_responses(url: str) -> None:
    from langchain_core.messages import HumanMessage

    _chat(url, use_responses_api=True, **_FEW).invoke([HumanMessage(content=[
        {"type": "input_text", "text": "What is it?"}, {"type": "input_image", "image_url": _PICTURE},
    ])])  # fmt: skip


def _lc_workflow(url: str) -> None:
    from langchain_core.prompts import ChatPromptTemplate

    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{question}")])
    (prompt | _chat(url, **_FEW)).with_config(run_name="workflow_of_two").invoke({"question": "Weather?"})


def _agent(url: str, tools: list[Any], **more: Any) -> None:
    from langchain.agents import create_agent

    agent = create_agent(model=_chat(url, **_FEW), tools=tools, system_prompt="Be brief.", **more)
    agent.invoke({"messages": [{"role": "user", "content": "Weather in Rome?"}]})


def _lc_agent(url: str) -> None:
    _agent(url, [], name="weather_assistant")


def _lc_unnamed(url: str) -> None:
    _agent(url, [])


def _lc_automatic(url: str) -> None:
    _agent(url, [_weather()], name="weather_assistant")


def _lc_retrieval(_url: str) -> None:
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever

    class Guide(BaseRetriever):
        def _get_relevant_documents(self, query: str, **_: Any) -> list[Document]:
            return [Document(page_content=f"{query} is wet", id=f"d{n}", metadata={"source": "wiki"}) for n in (1, 2)]

        def _get_ls_params(self, **options: Any) -> Any:
            return {**super()._get_ls_params(**options), "ls_vector_store_provider": "Shelf"}

    Guide().invoke("Rome")


def _lc_store(_url: str) -> None:
    from langchain_core.documents import Document
    from langchain_core.vectorstores import VectorStore

    class Shelf(VectorStore):
        def similarity_search(self, query: str, k: int = 4, **_: Any) -> list[Document]:
            return [Document(page_content=f"{query} is wet", id=f"d{number}") for number in range(k)]

        @classmethod
        def from_texts(cls, texts: Any, embedding: Any, metadatas: Any = None, **_: Any) -> Shelf:
            return cls()

    Shelf().as_retriever(search_kwargs={"k": 1}).invoke("Rome")


_DETAILS = ("usage.cache_read.input_tokens", "usage.reasoning.output_tokens")
_FEW_SET = ("max_tokens", "temperature")
_RUN = ("max_tokens", "temperature", "model", "usage.cache_read.input_tokens")
SCENARIOS = (
    Scenario("inference", "openai", _inference, (SAID,), {"chat": 1}, {"chat": (*_SAMPLING, *_DETAILS)}),
    Scenario(
        "streaming", "openai", _streaming, (STREAMED,), {"chat": 1},
        {"chat": (*_SAMPLING, *_DETAILS, "stream", "response.time_to_first_chunk")},
    ),
    Scenario(
        "embeddings", "openai", _embeddings, (_EMBEDDED,), {"embeddings": 1},
        {"embeddings": ("embeddings.dimension.count", "encoding_formats")},
    ),
    Scenario(
        "tool_calling", "openai", _tool_calling, (CALLED, SAID), {"chat": 2},
        {"chat": ("tool.definitions", *_DETAILS)},
    ),
    Scenario(
        "structured_output", "openai", _structured, (SAID,), {"chat": 1},
        {"chat": (*_FEW_SET, "output.type", *_DETAILS)},
    ),
    Scenario("multimodal", "openai", _multimodal, (SAID,), {"chat": 1}, {"chat": _DETAILS}),
    Scenario("responses_conversation", "openai", _conversation, (ANSWERED, ANSWERED), {"chat": 2}, {"chat": _DETAILS}),
    Scenario(
        "responses_tool_calling", "openai", _responses_tools, (RESPONSE, ANSWERED), {"chat": 2},
        {"chat": ("tool.definitions", *_DETAILS)},
    ),
    Scenario(
        "responses_streaming", "openai", _responses_streaming, (sse(*RESPONSE_EVENTS, done=False),), {"chat": 1},
        {"chat": ("stream", "response.time_to_first_chunk", *_DETAILS)},
    ),
    Scenario(
        "responses_stream", "openai", _responses_stream, (sse(*RESPONSE_EVENTS, done=False),), {"chat": 1},
        {"chat": ("stream", "response.time_to_first_chunk", *_DETAILS)},
    ),
    Scenario(
        "responses_fetch", "openai", _fetch, (ANSWERED,), {"fetch_response": 1},
        {"fetch_response": ("system_instructions", "tool.definitions")},
    ),
    Scenario(
        "responses_fetch_stream", "openai", _fetch_stream, (sse(*RESPONSE_EVENTS, done=False),), {"fetch_response": 1},
        {"fetch_response": ("system_instructions", "tool.definitions", "stream_cursor")},
    ),
    Scenario(
        "all_settings", "openai", _all_settings, (SAID,), {"chat": 1},
        {"chat": (*_SAMPLING, *_DETAILS, "choice.count", "reasoning.level", "tool.definitions")},
    ),
    Scenario(
        "all_of_a_response", "openai", _all_of_a_response, (ANSWERED,), {"chat": 1},
        {
            "chat": (
                *_FEW_SET, *_DETAILS, "top_p", "reasoning.level", "previous_response.id", "prompt.name",
                "prompt.version", "output.type", "system_instructions", "tool.definitions",
            )
        },
    ),
    Scenario("inference", "langchain", _lc_inference, (SAID,), {"chat": 1}, {"chat": (*_SAMPLING, *_DETAILS)}),
    Scenario(
        "streaming", "langchain", _lc_streaming, (STREAMED,), {"chat": 1},
        {"chat": (*_SAMPLING, *_DETAILS, "stream", "response.time_to_first_chunk")},
    ),
    Scenario(
        "tool_calling", "langchain", _lc_tool_calling, (CALLED, SAID), {"chat": 2},
        {"chat": (*_FEW_SET, "tool.definitions", *_DETAILS)},
    ),
    Scenario(
        "multimodal", "langchain", _lc_multimodal, (SAID, SAID), {"chat": 2}, {"chat": (*_FEW_SET, *_DETAILS)},
    ),
    Scenario(
        "multimodal_responses", "langchain", _lc_responses, (ANSWERED,), {"chat": 1},
        {"chat": (*_FEW_SET, *_DETAILS)},
    ),
    Scenario(
        "workflow", "langchain", _lc_workflow, (SAID,), {"invoke_workflow": 1, "chat": 1},
        {"chat": (*_FEW_SET, *_DETAILS), "invoke_workflow": ("workflow.name",)},
    ),
    Scenario(
        "invoke_agent", "langchain", _lc_agent, (SAID,), {"invoke_agent": 1, "chat": 1},
        {"chat": (*_FEW_SET, *_DETAILS), "invoke_agent": ("agent.name", *_RUN, "system_instructions")},
    ),
    Scenario(
        "invoke_agent_unnamed", "langchain", _lc_unnamed, (SAID,), {"invoke_agent": 1, "chat": 1},
        {"chat": (*_FEW_SET, *_DETAILS), "invoke_agent": (*_RUN, "system_instructions")},
    ),
    Scenario(
        "automatic_tool_calling", "langchain", _lc_automatic, (CALLED, SAID),
        {"invoke_agent": 1, "execute_tool": 1, "chat": 2},
        {
            "chat": (*_FEW_SET, "tool.definitions", *_DETAILS),
            "invoke_agent": ("agent.name", *_RUN, "tool.definitions", "system_instructions"),
            "execute_tool": ("agent.name", "tool.call.id", "tool.description", "tool.type"),
        },
    ),
    Scenario(
        "retrieval", "langchain", _lc_retrieval, (), {"retrieval": 1},
        {"retrieval": ("provider.name", "data_source.id")},
    ),
    Scenario(
        "retrieval_from_a_store", "langchain", _lc_store, (), {"retrieval": 1},
        {"retrieval": ("provider.name", "data_source.id", "retrieval.top_k")},
    ),
)  # fmt: skip


def reply_of(answer: Any) -> Reply:
    """A scripted answer as the server takes it."""
    return answer if isinstance(answer, Reply) else Reply(answer)
