"""Programs of the kinds people really write, each with its expected tree in ``trees/``."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.langchain import programs_chains, programs_graphs
from tests.langchain.forest import tree
from tests.openai.spans import check_schemas

import agentops_sdk as agentops

PROGRAMS = [*programs_chains.PROGRAMS, *programs_graphs.PROGRAMS]


SYNC = [program for program in PROGRAMS if not inspect.iscoroutinefunction(program)]
ASYNC = [program for program in PROGRAMS if inspect.iscoroutinefunction(program)]

pytestmark = [  # what people use is on its way out in LangChain, too
    pytest.mark.filterwarnings("ignore::langgraph.warnings.LangGraphDeprecatedSinceV10"),
    pytest.mark.filterwarnings("ignore::langchain_core._api.deprecation.LangChainDeprecationWarning"),
]


@pytest.mark.parametrize("program", SYNC, ids=lambda program: program.__name__)
def test_program(
    program: Callable[[Any], Any], chat: Any, spans: Callable[[], Any], matches: Callable[[str, str], None]
) -> None:
    with _what_is_installed():
        program(chat)
    _check(program.__name__, spans(), matches)


@pytest.mark.parametrize("program", ASYNC, ids=lambda program: program.__name__)
async def test_async_program(
    program: Callable[[Any], Any], chat: Any, spans: Callable[[], Any], matches: Callable[[str, str], None]
) -> None:
    with _what_is_installed():
        await program(chat)
    _check(program.__name__, spans(), matches)


@contextlib.contextmanager
def _what_is_installed() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        if (error.name or "agentops").startswith("agentops"):
            raise
        pytest.skip(f"not with these versions of the libraries: {error.msg[:80]}")


def _check(name: str, ended: Any, matches: Callable[[str, str], None]) -> None:
    assert agentops.status().spans["open"] == 0
    for span in ended:
        check_schemas(dict(span.attributes))
    matches(name, tree(ended))
