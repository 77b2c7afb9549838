"""Programs of chains as people write them. Each takes a factory of chat models and runs to its end."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from typing import Any

from examples.local_model import Reply, ToolCall

import agentops_sdk as agentops

Chat = Callable[..., Any]


def documents() -> list[Any]:
    from langchain_core.documents import Document

    return [
        Document("Lisbon lies on the Tagus.", id="lisbon", metadata={"source": "guide.txt"}),
        Document("Porto lies on the Douro.", id="porto", metadata={"source": "guide.txt"}),
    ]


def retriever() -> Any:
    """Two documents, found by how many letters they share with the question."""
    from langchain_core.embeddings import Embeddings
    from langchain_core.retrievers import BaseRetriever

    class Letters(Embeddings):
        def embed_query(self, text: str) -> list[float]:
            return [float(text.lower().count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"]

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [self.embed_query(text) for text in texts]

    class Nearest(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Any]:
            letters, found = Letters(), documents()
            asked, known = letters.embed_query(query), letters.embed_documents([d.page_content for d in found])
            near = [sum(map(operator.mul, asked, vector)) for vector in known]
            return [found[near.index(max(near))]]

    return Nearest()


def rag(chat: Chat) -> None:
    """Retrieve, fill a prompt, ask, parse."""
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_core.runnables import RunnablePassthrough

    prompt = ChatPromptTemplate.from_template("Answer from {context}: {question}")
    chain = {"context": retriever(), "question": RunnablePassthrough()} | prompt | chat() | StrOutputParser()
    assert chain.invoke("Where is Lisbon?").startswith("You said: Answer from")


def streaming_chat(chat: Chat) -> None:
    """Tokens as they come, from a chain."""
    from langchain_core.output_parsers import StrOutputParser

    chain = chat() | StrOutputParser()
    assert "".join(chain.stream("hello there")) == "You said: hello there"


async def async_streaming_chat(chat: Chat) -> None:
    from langchain_core.output_parsers import StrOutputParser

    chain = chat() | StrOutputParser()
    assert "".join([piece async for piece in chain.astream("hello there")]) == "You said: hello there"


async def streamed_events(chat: Chat) -> None:
    """``astream_events`` puts a handler of its own beside ours."""
    from langchain_core.prompts import ChatPromptTemplate

    chain = ChatPromptTemplate.from_template("Say {word}") | chat()
    kinds = [event["event"] async for event in chain.astream_events({"word": "hi"}, version="v2")]
    assert "on_chat_model_stream" in kinds


def batch(chat: Chat) -> None:
    """Three inputs at once are three traces."""
    assert len(chat().batch(["one", "two", "three"])) == 3


def parallel_branches(chat: Chat) -> None:
    """A map of chains below one span of the program's own."""
    from langchain_core.runnables import RunnableParallel

    with agentops.span("both", kind="task"):
        both = RunnableParallel(first=chat(), second=chat()).invoke("hello")
    assert set(both) == {"first", "second"}


def fallbacks(chat: Chat) -> None:
    """The first model is refused, the second one answers."""

    def script(request: dict[str, Any]) -> Reply:
        return Reply(status=429, text="slow down") if request["model"] == "gpt-4o" else Reply(text="fine")

    chain = chat(script, model="gpt-4o").with_fallbacks([chat(script)])
    assert chain.invoke("hello").content == "fine"


def structured_output_with_retry(chat: Chat) -> None:
    """The first answer does not fit the schema; the whole chain is tried again."""
    from pydantic import BaseModel

    answers = iter([{"name": "Lisbon", "people": "many"}, {"name": "Lisbon", "people": 567_131}])

    class City(BaseModel):
        name: str
        people: int

    def script(request: dict[str, Any]) -> Reply:
        return Reply(tool_calls=(ToolCall("City", next(answers)),))

    chain = chat(script).with_structured_output(City, method="function_calling")
    found = chain.with_retry(stop_after_attempt=2, wait_exponential_jitter=False).invoke("How big is Lisbon?")
    assert found.people == 567_131


def router_of_lambdas(chat: Chat) -> None:
    """A function picks the chain that runs."""
    from langchain_core.runnables import RunnableLambda

    model = chat()

    def choose(question: str) -> Any:
        return model if "?" in question else RunnableLambda(lambda text: text.upper())

    assert RunnableLambda(choose).invoke("really?").content == "You said: really?"


def own_spans_and_direct_calls(chat: Chat) -> None:
    """A tool that opens a span, calls OpenAI directly and a model through LangChain: each below the other."""
    import openai
    from langchain_core.tools import tool

    model = chat()

    @agentops.track
    def look_up(city: str) -> str:
        client = openai.OpenAI(base_url=model.openai_api_base, api_key="local")
        asked = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": city}])
        return str(asked.choices[0].message.content) + str(model.invoke("and?").content)

    @tool
    def describe(city: str) -> str:
        """Describe a city."""
        return look_up(city)

    assert "Lisbon" in describe.invoke({"city": "Lisbon"})


def message_history(chat: Chat) -> None:
    """Two turns of one conversation, remembered."""
    from langchain_core.chat_history import InMemoryChatMessageHistory
    from langchain_core.runnables.history import RunnableWithMessageHistory

    memory = InMemoryChatMessageHistory()
    chain = RunnableWithMessageHistory(chat(), lambda session_id: memory)
    for text in ("hello", "again"):
        chain.invoke(text, {"configurable": {"session_id": "s1"}})
    assert len(memory.messages) == 4


def failing_chain(chat: Chat) -> None:
    """A step of the program's own raises."""
    from langchain_core.runnables import RunnableLambda

    def divide(message: Any) -> float:
        return operator.truediv(1, 0)

    try:
        (chat() | RunnableLambda(divide)).invoke("hello")
    except ZeroDivisionError:
        return
    raise AssertionError


async def cancelled(chat: Chat) -> None:
    """A run that is cancelled while the model answers."""
    from langchain_core.output_parsers import StrOutputParser

    reached = asyncio.Event()
    loop = asyncio.get_running_loop()

    def script(request: dict[str, Any]) -> Reply:
        loop.call_soon_threadsafe(reached.set)
        import time

        time.sleep(0.3)
        return Reply(text="too late")

    running = asyncio.create_task((chat(script) | StrOutputParser()).ainvoke("hello"))
    await reached.wait()
    running.cancel()
    try:
        await running
    except asyncio.CancelledError:
        return
    raise AssertionError


def abandoned_stream(chat: Chat) -> None:
    """The reader of a stream walks away after its first piece."""
    from langchain_core.output_parsers import StrOutputParser

    pieces = (chat() | StrOutputParser()).stream("one two three four five")
    next(piece for piece in pieces if piece)
    pieces.close()


async def abandoned_async_stream(chat: Chat) -> None:
    from langchain_core.output_parsers import StrOutputParser

    pieces = (chat() | StrOutputParser()).astream("one two three four five")
    async for piece in pieces:
        if piece:
            break
    await pieces.aclose()
    while agentops.status().spans["open"]:  # the event loop closes the generators inside in its next rounds
        await asyncio.sleep(0)


def own_chat_model(chat: Chat) -> None:
    """A model of the program's own that asks OpenAI twice: two calls, and neither is the other."""
    import openai
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatGeneration, ChatResult

    client = openai.OpenAI(base_url=chat().openai_api_base, api_key="local")

    class SecondOpinion(BaseChatModel):
        @property
        def _llm_type(self) -> str:
            return "second-opinion"

        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
            texts = []
            for name in ("gpt-4o", "gpt-4o-mini"):
                asked = [{"role": "user", "content": messages[-1].content}]
                texts.append(client.chat.completions.create(model=name, messages=asked).choices[0].message.content)
            return ChatResult(generations=[ChatGeneration(message=AIMessage(" / ".join(map(str, texts))))])

    assert "/" in SecondOpinion().invoke("well?").content


async def async_retrieval(chat: Chat) -> None:
    """The same retriever as above, awaited."""
    assert (await retriever().ainvoke("Where is Lisbon?"))[0].id == "lisbon"


def completion_model(chat: Chat) -> None:
    """A model of the old kind: a text in, a text out, streamed."""
    from langchain_core.language_models.llms import LLM

    class Parrot(LLM):
        model: str = "parrot-1"

        @property
        def _llm_type(self) -> str:
            return "parrot"

        def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            with agentops.span("squawk"):
                return prompt

    assert Parrot().invoke("hello") == "hello"
    assert len(Parrot().batch(["a", "b"])) == 2


PROGRAMS = [
    rag,
    streaming_chat,
    async_streaming_chat,
    streamed_events,
    batch,
    parallel_branches,
    fallbacks,
    structured_output_with_retry,
    router_of_lambdas,
    own_spans_and_direct_calls,
    message_history,
    failing_chain,
    cancelled,
    abandoned_stream,
    abandoned_async_stream,
    own_chat_model,
    async_retrieval,
    completion_model,
]
