"""Steps that libraries put between a program's own ones are internal, whatever they are called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.langchain.forest import tree

import agentops_sdk as agentops

Spans = Callable[[], tuple[Any, ...]]

LIBRARY = '''
from functools import partial
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda


def _check_weather(message):
    return message


async def _acheck_weather(message):
    return message


def _check_pieces(pieces):
    yield from pieces


async def _acheck_pieces(pieces):
    async for piece in pieces:
        yield piece


def _scaled(message, factor):
    return message


class _Normalizer(Runnable):
    def invoke(self, input, config=None, **kwargs):
        return self._call_with_config(lambda message: message, input, config)


class _Checker:
    def __call__(self, message):
        return message

    def _look(self, message):
        return message


def _refuse(message):
    raise ValueError("refused")


def shorten(message):
    """Offered to programs as a step."""
    return message


STEPS = {
    "function": RunnableLambda(_check_weather),
    "both": RunnableLambda(_check_weather, afunc=_acheck_weather),
    "named": RunnableLambda(_check_weather, name="weather"),
    "configured": RunnableLambda(_check_weather).with_config(run_name="weather"),
    "generator": RunnableGenerator(_check_pieces, _acheck_pieces),
    "partial": RunnableLambda(partial(_scaled, factor=2), name="scaled"),
    "class": _Normalizer(),
    "object": RunnableLambda(_Checker(), name="checker"),
    "method": RunnableLambda(_Checker()._look),
}
'''


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A library that is installed: a module in a folder called ``site-packages``."""
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "acme_weather.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(installed))
    yield importlib.import_module("acme_weather")
    del sys.modules["acme_weather"]


def _own_step(message: Any) -> Any:
    """Private, but the program's."""
    return message


def _chain(chat: Any, step: Any) -> Any:
    from langchain_core.runnables import RunnableLambda

    return chat() | step | RunnableLambda(_own_step)


EXPECTED = "invoke_workflow RunnableSequence\n  chat gpt-4o-mini  [tokens]\n  _own_step\n"
STREAMED = EXPECTED.replace("[tokens]", "[tokens]  [streamed]")

KINDS = ["function", "both", "named", "configured", "generator", "partial", "class", "object", "method"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_private_step_of_a_library_is_internal(kind: str, library: Any, chat: Any, spans: Spans) -> None:
    chain = _chain(chat, library.STEPS[kind])
    chain.invoke("hello")
    await chain.ainvoke("hello")
    chain.batch(["hello"])
    await chain.abatch(["hello"])
    ended = spans()
    assert tree(ended) == EXPECTED * 4
    assert sum(1 for span in ended if span.attributes.get("agentops.internal")) == 4  # folded, not lost


@pytest.mark.parametrize("kind", ["function", "generator", "class"])
async def test_so_it_is_in_a_stream(kind: str, library: Any, chat: Any, spans: Spans) -> None:
    chain = _chain(chat, library.STEPS[kind])
    list(chain.stream("hello"))
    [piece async for piece in chain.astream("hello")]
    # A chain that streams runs its steps at once: their order in the tree is chance.
    assert sorted(tree(spans()).splitlines()) == sorted((STREAMED * 2).splitlines())


def test_a_step_of_the_framework_is_internal_unless_somebody_names_it(chat: Any, spans: Spans) -> None:
    from langchain_core.messages import convert_to_openai_messages
    from langchain_core.runnables import RunnableLambda

    _chain(chat, RunnableLambda(convert_to_openai_messages)).invoke("hello")
    _chain(chat, RunnableLambda(convert_to_openai_messages).with_config(run_name="for openai")).invoke("hello")
    assert tree(spans()) == EXPECTED + EXPECTED.replace("  _own", "  for openai\n  _own")


def test_what_a_program_picks_from_a_library_is_its_own_step(library: Any, chat: Any, spans: Spans) -> None:
    import copy

    from langchain_core.runnables import RunnableLambda

    _chain(chat, RunnableLambda(library.shorten)).invoke("hello")
    _chain(chat, RunnableLambda(copy.copy)).invoke("hello")
    assert tree(spans()) == "".join(EXPECTED.replace("  _own", f"  {name}\n  _own") for name in ("shorten", "copy"))


def test_a_private_step_that_fails_stays_in_sight(
    library: Any, chat: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from langchain_core.runnables import RunnableLambda

    from agentops_sdk.cli import main

    monkeypatch.chdir(tmp_path)
    agentops.init(integrations=["langchain"])
    try:
        with pytest.raises(ValueError, match="refused"):
            _chain(chat, RunnableLambda(library._refuse)).invoke("hello")
    finally:
        agentops.shutdown()
    assert main(["show", "latest"]) == 0
    assert "_refuse" in capsys.readouterr().out
