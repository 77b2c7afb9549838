"""Tokens that nobody reported: counted only with what is on disk, estimated otherwise, never fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentops_sdk._usage import encodings, image_tokens, token_count, token_heuristic
from agentops_sdk._usage.enrich import enrich
from agentops_sdk.cli import main
from agentops_sdk.integration import semconv

CACHED = encodings.is_cached("o200k_base")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Any use of the network is a red test, also one that somebody swallows."""
    touched: list[str] = []

    def refuse(*args: Any, **_: Any) -> None:
        touched.append(str(args[-1]))
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield touched
    assert touched == []


@pytest.fixture
def nothing_cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    return tmp_path


def call(text: str = "How are you?", answer: str = "Fine, thank you.", model: str = "gpt-4o", **extra: Any) -> Any:
    attributes = {
        semconv.KIND: "llm",
        semconv.OUTCOME: "ok",
        semconv.PROVIDER_NAME: "openai",
        semconv.RESPONSE_MODEL: model,
        semconv.INPUT_MESSAGES: json.dumps([{"role": "user", "parts": [{"type": "text", "content": text}]}]),
        semconv.OUTPUT_MESSAGES: json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": answer}]}]),
    }
    return attributes | {getattr(semconv, name): value for name, value in extra.items()}


def test_without_an_encoding_it_is_an_estimate_and_no_network(nothing_cached: Path, offline: list[str]) -> None:
    attributes = call()
    started = time.perf_counter()
    enrich(attributes)
    assert time.perf_counter() - started < 30  # tiktoken alone would wait for minutes
    assert attributes[semconv.USAGE_SOURCE] == "estimated"
    assert attributes[semconv.USAGE_INPUT_TOKENS] > 0
    assert attributes[semconv.COST_ESTIMATED] is True
    assert list(nothing_cached.iterdir()) == []


def test_a_damaged_file_is_not_used_and_not_deleted(nothing_cached: Path, offline: list[str]) -> None:
    path = encodings.cached_file("o200k_base")
    assert path is not None
    path.write_bytes(b"IQ== 0\n")
    assert not encodings.is_cached("o200k_base")
    attributes = call()
    enrich(attributes)
    assert attributes[semconv.USAGE_SOURCE] == "estimated"
    assert path.read_bytes() == b"IQ== 0\n"


def test_a_cache_switched_off_is_no_reason_to_download(monkeypatch: pytest.MonkeyPatch, offline: list[str]) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    assert encodings.loaded("o200k_base") is None
    attributes = call()
    enrich(attributes)
    assert attributes[semconv.USAGE_SOURCE] == "estimated"


def test_the_file_is_where_tiktoken_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"
    name = hashlib.sha1(url.encode()).hexdigest()
    assert name == "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    monkeypatch.setenv("DATA_GYM_CACHE_DIR", str(tmp_path))
    assert encodings.cached_file("cl100k_base") == tmp_path / name
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "other"))
    assert encodings.cached_file("cl100k_base") == tmp_path / "other" / name


def test_our_hashes_are_tiktokens() -> None:
    public = pytest.importorskip("tiktoken_ext.openai_public", reason="tiktoken is not installed")
    source = Path(public.__file__).read_text("utf-8")
    for name, expected in encodings.ENCODINGS.items():
        assert f"{name}.tiktoken" in source
        assert expected in source


@pytest.mark.skipif(not CACHED, reason="the encoding o200k_base is not in tiktoken's cache (agentops tokenizers fetch)")
def test_with_the_encoding_it_is_counted_to_the_token(offline: list[str]) -> None:
    attributes = call("Hello", "Hi")
    enrich(attributes)
    assert attributes[semconv.USAGE_SOURCE] == "counted"
    assert attributes[semconv.USAGE_INPUT_TOKENS] == 3 + 1 + 1 + 3  # message, role, word, reply
    assert attributes[semconv.USAGE_OUTPUT_TOKENS] == 1
    special = call("<|endoftext|>")
    enrich(special)
    assert special[semconv.USAGE_SOURCE] == "counted"
    hidden = call(model="o3")
    enrich(hidden)
    assert hidden[semconv.USAGE_SOURCE] == "estimated"  # its reasoning is paid for and not to be seen


def test_an_embedding_of_tokens_is_counted_and_one_of_text_estimated(nothing_cached: Path, offline: list[str]) -> None:
    attributes = {semconv.KIND: "embedding", semconv.OUTCOME: "ok", semconv.REQUEST_MODEL: "text-embedding-3-small"}
    attributes |= {semconv.PROVIDER_NAME: "openai", semconv.INPUT: json.dumps([1, 2, 3, 4])}
    enrich(attributes)
    assert attributes[semconv.USAGE_INPUT_TOKENS] == 4
    assert semconv.USAGE_OUTPUT_TOKENS not in attributes
    assert attributes[semconv.COST_AMOUNT] == 8e-08


def test_pictures_and_speech_made_are_not_counted_as_text(nothing_cached: Path) -> None:
    attributes = call(OUTPUT_TYPE="image")
    enrich(attributes)
    assert semconv.USAGE_OUTPUT_TOKENS not in attributes
    assert attributes[semconv.COST_UNKNOWN_REASON]


def png(width: int, height: int) -> str:
    return base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\0" * 9).decode()


def test_pictures_by_the_documented_rules() -> None:
    assert image_tokens.tokens("gpt-4o", png(1024, 1024)) == 765
    assert image_tokens.tokens("gpt-4o", png(2048, 4096)) == 1105
    assert image_tokens.tokens("gpt-4o", "not a picture") == 765
    assert image_tokens.tokens("claude-sonnet-4-5", png(1000, 1000)) == 1334
    assert image_tokens.tokens("gemini-2.5-flash", png(300, 300)) == 258
    jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08" + struct.pack(">HH", 200, 100) + b"\0" * 20
    assert image_tokens.size(base64.b64encode(jpeg).decode()) == (100, 200)
    gif = b"GIF89a" + struct.pack("<HH", 7, 9) + b"\0" * 8
    assert image_tokens.size("data:image/gif;base64," + base64.b64encode(gif).decode()) == (7, 9)
    for broken in (None, 3, "", "====", png(0, 5), "é" * 50, base64.b64encode(b"\xff\xd8\xff").decode()):
        assert image_tokens.size(broken) is None


def test_the_rule_of_thumb_is_linear_and_never_zero() -> None:
    assert token_heuristic.tokens("") == 0
    for text in (" ", "a", "\n", "\0", "é", "漢", "🙂", "_", "\ud800"):
        assert token_heuristic.tokens(text) >= 1
    started = time.process_time()
    assert token_heuristic.tokens("word " * 200_000 + " " * 200_000 + "é" * 200_000) > 200_000
    assert time.process_time() - started < 20


PIECES = re.compile(
    r"(?P<word>[A-Za-z]+)|(?P<digits>\d+)|(?P<wide>[\u2e80-\u9fff\uac00-\ud7af])"
    r"|(?P<end>\s*[\r\n]\s*|[ \t]{2,})|(?P<space>\s)|(?P<letters>[^\W\d_A-Za-z]+)|(?P<mark>[^\w\s]+|_+)"
)
WEIGHTS: dict[str, Callable[[int], float]] = {
    "word": lambda length: 1 if length <= 8 else length / 5, "digits": lambda length: -(-length // 3),
    "wide": lambda length: 0.9, "end": lambda length: 0.7, "space": lambda length: 0,
    "letters": lambda length: max(1.0, length / 3.2), "mark": lambda length: max(0.8, length / 2.2),
}  # fmt: skip


def test_the_rule_of_thumb_weighs_one_piece_after_the_other() -> None:
    pick = random.Random(3)
    for alphabet in ("abc XY \t\n\r019 _-.,:{}\x0b", "abc X 1_.\n é中文한글ñß²٣ \x1c"):
        for _ in range(3_000):
            text = "".join(pick.choice(alphabet) * pick.choice((1, 1, 2, 11)) for _ in range(pick.randrange(1, 40)))
            found = ((piece.lastgroup or "", len(piece[0])) for piece in PIECES.finditer(text))
            weight = sum(WEIGHTS[kind](length) for kind, length in found)
            assert abs(token_heuristic.tokens(text) - weight) <= max(0.51, 1 - weight), repr(text)
    indented = "word\u3000\n\u3000word"  # what is blank around the end of a line is a part of it
    assert token_heuristic.tokens(indented) == 3


def test_what_is_sent_again_is_counted_once(nothing_cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    rule = token_heuristic.tokens

    def tokens(text: str, model: str = "") -> int:
        counted.append(text)
        return rule(text, model)

    monkeypatch.setattr(token_count, "_known", {})
    monkeypatch.setattr(token_heuristic, "tokens", tokens)
    said = [f"What was said in turn {turn}, and never before." for turn in range(4)]
    for model in ("gpt-4o", "claude-sonnet-4-5"):
        for turns in range(1, 5):
            parts = [{"type": "text", "content": text} for text in said[:turns]]
            attributes = {
                semconv.KIND: "llm", semconv.REQUEST_MODEL: model,
                semconv.INPUT_MESSAGES: [{"role": "user", "parts": [part]} for part in parts],
                semconv.OUTPUT_MESSAGES: [{"role": "assistant", "parts": [{"type": "text", "content": "Yes."}]}],
            }  # fmt: skip
            token_count.work_out(attributes)
            apart = sum(3 + rule("user", model) + rule(text, model) for text in said[:turns]) + 3
            assert attributes[semconv.USAGE_INPUT_TOKENS] == apart + token_heuristic.family(model).prompt
            assert attributes[semconv.USAGE_SOURCE] == "estimated"
        assert sorted(text for text in counted if text in said) == said
        counted.clear()


def test_the_command_lists_and_fetches_nothing_by_itself(
    nothing_cached: Path, offline: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tokenizers", "list"]) == 0
    assert capsys.readouterr().out == "cl100k_base  not fetched\no200k_base  not fetched\n"


def test_a_fetch_that_fails_says_so(
    nothing_cached: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(encodings, "_URL", "http://127.0.0.1:9/{}.tiktoken")
    assert main(["tokenizers", "fetch"]) == 1
    assert "cl100k_base could not be fetched" in capsys.readouterr().err
    assert list(nothing_cached.iterdir()) == []
