"""Retrieval, a prompt, a model, a parser: ``python examples/langchain_rag.py``."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnablePassthrough
from langchain_openai import ChatOpenAI
from local_model import LocalModel, Reply

import agentops_sdk as agentops
from agentops_sdk.cli import main as show

GUIDE = [
    Document("Lisbon lies where the Tagus meets the Atlantic.", id="lisbon"),
    Document("Porto lies on the Douro and is known for its wine.", id="porto"),
    Document("Faro is the gate to the Algarve.", id="faro"),
]


class Words(BaseRetriever):
    """Finds the documents that share most words with a question."""

    count: int = 1

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        asked = set(query.lower().strip("?").split())
        shared = {found.id: len(asked & set(found.page_content.lower().split())) for found in GUIDE}
        return sorted(GUIDE, key=lambda found: -shared[found.id])[: self.count]


def answer(request: dict[str, Any]) -> Reply:
    """Play a model that answers from what it was given."""
    return Reply(text=str(request["messages"][-1]["content"]).split("\n")[0])


def main() -> None:
    agentops.init()
    with LocalModel(answer) as server:
        model = ChatOpenAI(model="gpt-4o-mini", base_url=server.base_url, api_key="local")  # type: ignore[arg-type]  # pydantic's SecretStr takes text
        prompt = ChatPromptTemplate.from_template("{facts}\nAnswer from these facts: {question}")
        facts = Words() | (lambda found: " ".join(document.page_content for document in found))
        chain = {"facts": facts, "question": RunnablePassthrough()} | prompt | model | StrOutputParser()
        print(chain.invoke("Where lies Lisbon?", {"run_name": "guide"}))
    agentops.shutdown()
    show(["show", "latest"])


if __name__ == "__main__":
    main()
