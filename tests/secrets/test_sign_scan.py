"""What is found does not depend on how the signs are: in one pass, or each by its letters."""

from __future__ import annotations

import json
import random

import pytest
from tests.secrets.forms import secrets
from tests.secrets.ordinary import ordinary

from agentops_sdk._scrub import secret_search, sign_scan
from agentops_sdk._scrub.redact import Redactor
from agentops_sdk._scrub.secret_search import TooMuchError, search

pytest.importorskip("ahocorasick_rs", reason="the extra `speed` is not installed")

CUTS = 400


def found(text: str) -> object:
    try:
        return search(text, lambda inner: "password" in inner)
    except TooMuchError:
        return "too much"


def test_both_ways_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [form.text for form in secrets(7)] + list(ordinary(7))
    texts += [json.dumps({"messages": [{"content": text}]}) for text in texts[::4]]
    chance = random.Random(7)
    for _ in range(CUTS):  # in the middle of a key, and beside another
        text, other = chance.choice(texts), chance.choice(texts)
        texts.append(text[chance.randrange(len(text)) :] + other[: chance.randrange(len(other))])
    assert sign_scan.hits("password") is not None
    in_one_pass = [found(text) for text in texts]
    monkeypatch.setattr(secret_search, "hits", lambda low: None)
    assert [found(text) for text in texts] == in_one_pass
    assert sum(bool(findings) for findings in in_one_pass) > len(texts) // 3


def test_a_text_that_is_clean_only_because_it_lies_too_deep_is_not_taken_for_clean() -> None:
    redactor = Redactor()
    secret = f"the password is {'hunter2!' * 9}"
    redactor.text(secret, 3)  # in a text in a text in a text
    assert "hunter2" not in redactor.text(secret)[0]
    assert "hunter2" not in redactor.text(secret)[0]
    clean = "nothing to see here, move along, said the officer to the crowd, which did not"
    assert redactor.text(clean) == redactor.text(clean) == (clean, 0)
