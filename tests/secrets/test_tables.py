"""Both tables, whole: no secret gets out, no ordinary text is touched; and the figures that the documentation tells."""
# ruff: noqa: E501 - a row of a table stands on a line

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.secrets.forms import Form, secrets
from tests.secrets.ordinary import CODE, PROSE, ordinary

from agentops_sdk import _scrub
from agentops_sdk._lazy_pattern import LazyPattern
from agentops_sdk._scrub.policy import Policy
from agentops_sdk._scrub.redact import Redactor
from agentops_sdk._scrub.secret_rules import TOKENS, Token
from agentops_sdk.config import resolve

SEEDS = (1, 2, 3)
PAGE = Path(__file__).parents[2] / "docs" / "content.md"


def shown(text: str) -> str:
    return Redactor().text(text)[0]


def leaks(form: Form, text: str) -> bool:
    """Whether the secret is in ``text``, or more than half of it."""
    half = max(7, len(form.secret) * 6 // 10)
    return form.secret[:half] in text or form.secret[-half:] in text


@pytest.mark.parametrize("seed", SEEDS)
def test_no_secret_gets_out(seed: int) -> None:
    missed = [form for form in secrets(seed) if leaks(form, shown(form.text))]
    assert missed == []


@pytest.mark.parametrize("seed", SEEDS)
def test_ordinary_texts_stay_byte_for_byte(seed: int) -> None:
    touched = [text for text in ordinary(seed) if shown(text) != text]
    assert touched == []


@pytest.mark.parametrize("text", CODE[:20] + PROSE[:20])
def test_they_stay_inside_of_messages_too(text: str) -> None:
    message = json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"Look:\n{text}\nfine?"}]}])
    assert shown(message) == message


def test_no_secret_gets_out_of_json_in_json_and_json_stays_json() -> None:
    for form in secrets(4):
        whole = json.dumps({"messages": [{"role": "tool", "content": form.text}]})
        cleaned = shown(whole)
        content = json.loads(cleaned)["messages"][0]["content"]
        assert not leaks(form, content), form
        twice = shown(json.dumps({"arguments": whole}))
        assert not leaks(form, json.loads(json.loads(twice)["arguments"])["messages"][0]["content"]), form


def test_json_stays_json() -> None:
    for form in secrets(5):
        try:
            before = json.loads(form.text)
        except ValueError:
            continue
        after = json.loads(shown(form.text))
        assert type(after) is type(before)
        if isinstance(before, dict):
            assert list(after) == list(before), form


def test_the_figures_of_the_documentation() -> None:
    """Recall and false alarms over both tables; what is printed stands in ``docs/content.md``."""
    forms, texts = secrets(), ordinary()
    found = sum(not leaks(form, shown(form.text)) for form in forms)
    alarms = sum(shown(text) != text for text in texts)
    figures = f"{found} of {len(forms)} secrets found, {alarms} of {len(texts)} ordinary texts touched"
    print(figures)
    assert figures in PAGE.read_text(encoding="utf-8")
    assert len(forms) >= 300
    assert len(texts) >= 450


def test_each_kind_of_key_has_an_example_here() -> None:
    marks = {match for form in secrets() for match in re.findall(r"\[redacted:([a-z0-9-]+)\]", shown(form.text))}
    without = {token.label for token in TOKENS} - marks
    assert without <= RARE, "add a key to forms.vendor_keys"


RARE = {
    "inference-key", "wandb-key", "cloudflare-key", "tencent-key", "onepassword-token", "typeform-token",
    "contentful-token", "payment-key", "twitter-token", "mapbox-token", "paypal-token", "cohere-key",
}  # fmt: skip


# --- where they may stand on a span -------------------------------------------------------------------


def applied(**attributes: object) -> dict[str, object]:
    return Policy(resolve({})).apply({name.replace("__", "."): value for name, value in attributes.items()})


SECRET = "hunter" + "2hunter2"


@pytest.mark.parametrize(
    "name",
    ["password", "db.password", "dbPassword", "agentops.metadata.api key", "agentops.metadata.client_secret",
     "http.request.header.cookie", "http.request.header.x-api-key", "set-cookie", "user.passwd", "AWS_SECRET_ACCESS_KEY"],
)  # fmt: skip
def test_attributes_under_the_name_of_a_secret(name: str) -> None:
    for value in (SECRET, [SECRET, "second1234"], json.dumps({"a": SECRET}), json.dumps([SECRET])):
        assert SECRET not in json.dumps(applied(**{name: value}))
    if "cookie" not in name:
        assert "12345678" not in json.dumps(applied(**{name: 12345678}))


def test_secrets_in_names() -> None:
    key = "gh" + "p_" + "a1B2c3D4e5" * 4
    kept = applied(**{f"agentops.metadata.{key}": 1, "fine": 2})
    assert kept == {"agentops.metadata.[redacted:github-token]": 1, "fine": 2}


def test_counts_of_tokens_and_other_figures_stay() -> None:
    figures = {
        "gen_ai.usage.input_tokens": 12345678, "max_tokens": 4096, "total_tokens": 12345678, "token_count": 99999999,
        "gen_ai.token.type": "input", "pin": 13, "next_page_token": "CAUQAA", "key": "value", "agentops.tags": ["token"],
        "agentops.decision.chosen": "reset password", "primary_key": 12345678,
    }  # fmt: skip
    assert applied(**figures) == figures


def test_a_private_key_as_a_list_of_lines() -> None:
    lines = [
        "-----BEGIN " + "PRIVATE KEY-----",
        "a1B2c3D4" * 8,
        "e5F6g7H8" * 8,
        "-----END " + "PRIVATE KEY-----",
        "after",
    ]
    kept = applied(rows=lines)["rows"]
    assert isinstance(kept, list | tuple)
    assert "a1B2c3D4" not in json.dumps(list(kept))
    assert "e5F6g7H8" not in json.dumps(list(kept))
    assert kept[-1] == "after"


def test_lists_whose_words_were_seen_before() -> None:
    policy = Policy(resolve({}))
    lines = ["-----BEGIN " + "PRIVATE KEY-----", "MIIEow", "IBAAKQ", "-----END " + "PRIVATE KEY-----"]
    for line in lines:
        policy.apply({"line": line})
    for _ in range(2):  # the second time, names and words are known
        kept = policy.apply({"rows": lines, "tags": ["line", "tag"], "gen_ai.retrieval.documents": []})
        assert kept["tags"] == ["line", "tag"]
        assert kept["gen_ai.retrieval.documents"] == "[]"
        assert "MIIEow" not in json.dumps(list(kept["rows"]))


def test_pieces_keep_their_number_and_what_is_around() -> None:
    form = Form("", "the key is " + "sk" + "-" + "a1B2c3D4e5" * 4 + ", keep it", "")
    pieces = [form.text[at : at + 3] for at in range(0, len(form.text), 3)]
    cleaned, count = Redactor().pieces(pieces)
    assert (len(cleaned), count) == (len(pieces), 1)
    assert "".join(cleaned) == "the key is [redacted:openai-key], keep it"


@pytest.mark.parametrize(
    "opening", ['{"password": ', '"secrets": [', '{\\"api_keys\\": {', '{"password": {"type": "string", "x": ']
)
def test_structures_that_nest_without_end_hide_nothing(opening: str) -> None:
    quote = '\\"' if "\\" in opening else '"'
    text = opening * 20_000 + f"{quote}default{quote}: {quote}{SECRET}{quote}"
    assert SECRET not in shown(text)


# --- what it costs --------------------------------------------------------------------------------------


def unbounded(tree: Any, inside: bool = False) -> bool:
    """Whether something repeats without bound in what repeats without bound, and gives back what it took."""
    for operation, argument in tree:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            endless = argument[1] >= 1_000_000 and len(argument[2]) >= 1
            if (endless and inside) or unbounded(argument[2], inside or endless):
                return True
        elif name == "BRANCH":
            if any(unbounded(branch, inside) for branch in argument[1]):
                return True
        elif name == "SUBPATTERN":
            if unbounded(argument[3], inside):
                return True
        elif name in ("ASSERT", "ASSERT_NOT"):
            if unbounded(argument[1], inside):
                return True
        elif name == "ATOMIC_GROUP" and unbounded(argument, inside):
            return True
    return False


def patterns(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, LazyPattern):
        yield value.compiled()
    elif isinstance(value, Token):
        yield value.pattern
    elif isinstance(value, tuple | list):
        for member in value:
            yield from patterns(member)
    elif isinstance(value, dict):
        yield from patterns(list(value.values()))


def test_no_pattern_repeats_without_bound_in_what_does() -> None:
    """Such a pattern takes exponential time over a text that was made for it."""
    assert unbounded(re._parser.parse(r"(?:a+b?)+c"))  # type: ignore[attr-defined]  # no public way to the parser
    all_of_them = [
        pattern
        for module in pkgutil.iter_modules(_scrub.__path__)
        for pattern in patterns(list(vars(importlib.import_module(f"{_scrub.__name__}.{module.name}")).values()))
    ]
    assert len(all_of_them) > 150
    # One that ends with the text is searched in the few characters before a name.
    endless = {
        pattern.pattern
        for pattern in all_of_them
        if not pattern.pattern.endswith(r"\Z")
        and unbounded(re._parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))  # type: ignore[attr-defined]  # no public way to the parser
    }
    assert endless == set()
