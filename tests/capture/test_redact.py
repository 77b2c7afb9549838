"""Secrets go, prose and code stay, JSON stays JSON, and no input makes it slow."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentops_sdk as agentops
from agentops_sdk._scrub.redact import Redactor
from agentops_sdk.exporters.memory import MemoryExporter

pytestmark = pytest.mark.once

# Put together here, so that no scanner of repositories takes them for real ones.
A40 = "a1B2c3D4e5" * 4
SECRETS = {
    "openai-key": ["sk-" + A40 + "abcdefgh", "sk-" + "proj-" + A40, "sk-" + "svcacct-ab_cd-" + A40],
    "anthropic-key": ["sk-" + "ant-api03-" + A40],
    "aws-key": ["AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "1234567890ABCDEF"],
    "google-key": ["AIza" + A40[:35], "ya29." + A40, "GOCSPX" + "-" + A40],
    "github-token": ["ghp_" + A40, "gho_" + A40, "github_" + "pat_" + A40],
    "gitlab-token": ["glpat" + "-" + A40],
    "slack-token": ["xoxb" + "-123456789012-" + A40, "hooks.slack.com/" + "services/T000/B000/" + A40],
    "stripe-key": ["sk_" + "live_" + A40, "rk_" + "test_" + A40, "whsec" + "_" + A40],
    "huggingface-token": ["hf_" + A40],
    "provider-key": ["gsk_" + A40 + "abcdefgh", "xai-" + A40, "r8_" + A40, "SG." + A40[:22] + "." + A40],
    "jwt": ["eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0." + A40],
    "private-key": ["-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\nIBAAK==\n-----END RSA " + "PRIVATE KEY-----",
                    "-----BEGIN " + "PRIVATE KEY-----\ncut off her"],
    "bearer-token": ["Bearer " + A40, "authorization: bearer " + A40],
    "basic-credentials": ["Basic " + "dXNlcjpwYXNzd29yZA=="],
    "url-password": ["postgresql://app:" + "hunter2@db.internal/x", "redis://:" + "hunter2@cache:6379/0"],
    "secret": ["password=" + "hunter2", "PASSWORD = '" + "hunter two'", "api_key: " + "abc123def456",
               "OPENAI_API_KEY=" + "abcd1234efgh", '"client_secret": "' + 'x"', "?access_token=" + "abcdef123&x=1",
               'db_password="' + 'tr0ub4dor&3"', "aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENG/bPx"],
}  # fmt: skip


def cases() -> list[Any]:
    return [pytest.param(label, text, id=f"{label}-{n}") for label, texts in SECRETS.items()
            for n, text in enumerate(texts)]  # fmt: skip


@pytest.mark.parametrize(("label", "text"), cases())
def test_secrets_go_wherever_they_stand(label: str, text: str) -> None:
    mark = f"[redacted:{label}]"
    around = ["{}", "the key is {} and that is it", "first line\n{}\nlast line", "({}),", "x={};"]
    for frame in around:
        shown, count = Redactor().text(frame.format(text))
        assert mark in shown, shown
        assert count >= 1
    for nested in ({"content": text}, [{"role": "user", "content": f"line\n{text}"}], {"a": {"b": [text, 1, None]}}):
        whole = json.dumps(nested)
        shown, count = Redactor().text(whole)
        assert mark in shown
        json.loads(shown)
        twice = json.dumps({"arguments": whole})  # JSON inside of JSON, as tool calls have it
        shown, _ = Redactor().text(twice)
        assert mark in shown
        json.loads(json.loads(shown)["arguments"])


def test_names_of_json_members() -> None:
    given_ = {"password": 'a"b\\c', "user": {"API-Key": "k1", "apiKey": "k2", "name": "Ann"}, "secret": "é\n",
              "access_token": 123456, "note": "fine"}  # fmt: skip
    for separators in ((",", ":"), (", ", ": ")):
        shown, count = Redactor().text(json.dumps(given_, separators=separators))
        found = json.loads(shown)
        assert found["note"] == "fine"
        assert found["user"]["name"] == "Ann"
        secrets = [found["password"], *[found["user"][k] for k in ("API-Key", "apiKey")], found["secret"],
                   found["access_token"]]  # fmt: skip
        assert secrets == ["[redacted:secret]"] * 5
        assert count == 5


HARMLESS = [
    "password: required, at least eight characters",
    "Enter your password: ",
    "The secret: practice every day.",
    "My secret = love",
    "api_key=os.environ['OPENAI_API_KEY']",
    "api_key=config.api_key",
    "api_key=settings.openai.api_key, model=model",
    "client = OpenAI(api_key=get_key())",
    "password = ${DB_PASSWORD}",
    "Authorization: Bearer <your token>",
    "api_key: '***'",
    "def login(user: str, password: str, api_key=None) -> Token: ...",
    "max_tokens=100, total_tokens: 1234567",
    "the risk-averse, disk-based task-oriented approach of scikit-learn",
    "sk-circle-fade-dot-animation-container",
    "basic understanding of authentication",
    "a bearer of good news and bearer bonds",
    "https://example.com/a:b@c/d?x=1",
    "git@github.com:org/repo.git",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "id 550e8400-e29b-41d4-a716-446655440000",
    '{"type": "password", "required": true}',
    '{"logprobs": [{"token": "sk", "logprob": -0.1}]}',
    "pwd=/home/user/project",
    "call_abc123def456ghi789 chatcmpl-9aBcDeFgHiJkLmNoPqRsTuVwXyZ12345 resp_0123456789abcdef0123456789abcdef",
    "SELECT secret FROM vault WHERE key = 12",
    "eyJust kidding.eyJ",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_prose_and_code_stay(text: str) -> None:
    assert Redactor().text(text) == (text, 0)
    assert Redactor().text(json.dumps({"content": text})) == (json.dumps({"content": text}), 0)


def test_attributes_events_and_lists() -> None:
    key = SECRETS["openai-key"][0]
    attributes: dict[str, Any] = {
        "a": f"see {key}", "stop": ["x", f"use {key}"], "n": 3, "http.request.header.authorization": "anything",
        "http.request.header.x-api-key": ["abc"], "gen_ai.usage.input_tokens": 7, "password": "",
    }  # fmt: skip
    assert Redactor().redact(attributes) == 4
    assert attributes["a"] == "see [redacted:openai-key]"
    assert list(attributes["stop"]) == ["x", "use [redacted:openai-key]"]
    assert attributes["http.request.header.authorization"] == "[redacted:secret]"
    assert list(attributes["http.request.header.x-api-key"]) == ["[redacted:secret]"]
    assert attributes["n"] == 3
    assert Redactor().redact(attributes) == 0  # what is redacted is not a secret


def test_patterns_of_the_user() -> None:
    redactor = Redactor(patterns=[r"\bACME-\d{6}\b", r'":\s*"'])
    assert redactor.text("order ACME-123456 of ACME-12") == ("order [redacted:custom] of ACME-12", 1)
    # A pattern that tears JSON apart: it is applied to the strings inside instead.
    shown, _ = redactor.text('{"order": "ACME-123456"}')
    assert json.loads(shown) == {"order": "[redacted:custom]"}
    with pytest.raises(agentops.ConfigError, match="redact_patterns"):
        Redactor(patterns=["("])


def test_what_leaves_the_building() -> None:
    key = SECRETS["anthropic-key"][0]
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], redact_patterns=["ACME-[0-9]+"])

    @agentops.tool
    def fetch(url: str, password: str) -> dict[str, str]:
        agentops.current_span().event("note", {"key": key})
        agentops.current_span().set("order", "ACME-7")
        raise ValueError(f"no access with {key}")

    with pytest.raises(ValueError, match="no access"):
        fetch("https://me:hunter2@example.com/", password="hunter3")
    assert agentops.flush()
    (span,) = exporter.finished_spans()
    everything = repr((span.attributes, span.events[0].attributes, span.events[1].attributes, span.status.description))
    assert key not in everything
    assert "hunter2" not in everything
    assert "hunter3" not in everything
    assert span.attributes["order"] == "[redacted:custom]"
    assert span.status.description == "no access with [redacted:anthropic-key]"


@settings(max_examples=300, deadline=None)
@given(st.recursive(st.one_of(st.text(), st.sampled_from([t for ts in SECRETS.values() for t in ts]), st.integers(),
       st.none()), lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(
           st.sampled_from(["password", "api_key", "note", 'quo"te', "back\\slash"]), inner, max_size=4)),
       max_leaves=12))  # fmt: skip
def test_json_stays_json(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False), json.dumps(json.dumps(value))):
        shown, _ = Redactor().text(text)
        json.loads(shown)


PIECES = ["sk-", "eyJ", "eyJa.", "password", "password=", 'password":"', "bearer ", "Bearer a", "://a:", "://", "@",
          "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "secret  ", "basic AAAAAAAA ", "\\", "password\\\\", "ghp_",
          "secret: ", "password=aaaa", "api_key: 1", "password='", "AIza", "xox", "SG.", "a" * 16 + ".", "key=", "\n",
          '"', "{", "authorization: ", "AKIA", 'password = \\"', "secret='(", "password=aaaaaaaa(",
          "<password>", "--password x ", '{"name": "password", "value": "',
          "the password is ", "password:\n - a\n",
          '{"password": {', '"password": [', "curl -u a:b ", "-u ", 'password","', 'name="password" ', "eyJhbGciOiJI",
          "api key: ",
          "cookie: a=b; ", "?sig=", "hook", "a.aaaaaa.", "SK", "AAAA", "token=", '"auth": {"', "password = x\n",
          "x(password=a, ",
          "name: password\n value: ", '\\"password\\": [', '\\\\\\"password\\\\\\":\\\\\\"',
          "secret `x",
          "login x password ", "key ", "pin ",
          "_", "-", ".", '-----BEGIN PRIVATE KEY-----"," ', "Q~", "W3s", "f("]  # fmt: skip


MINUTE = 60.0
"""Of CPU time. Each takes a second or so, most of it far less; in quadratic time it would take many minutes."""
LENGTH = 100_000


def seconds(text: str) -> float:
    before = time.process_time()
    Redactor().text(text)
    return time.process_time() - before


@pytest.mark.parametrize("piece", PIECES)
def test_much_of_anything_ends(piece: str) -> None:
    assert seconds(piece * (LENGTH // len(piece))) < MINUTE


def test_much_of_a_mixture_ends() -> None:
    chance = random.Random(7)
    assert seconds("".join(chance.choice(PIECES) for _ in range(LENGTH // 10))) < MINUTE


def test_what_was_searched_may_be_let_go_of_while_another_thread_asks_for_it() -> None:
    class Ending(Redactor):
        """The slice of spans for which texts are kept ends right after somebody has seen that some are."""

        left: list[dict[tuple[int, str], str]] = []

        @property
        def kept(self) -> dict[tuple[int, str], str] | None:
            return self.left.pop() if self.left else None

        @kept.setter
        def kept(self, value: object) -> None: ...

    redactor, text = Ending(), "nothing but plain words in here " * 4
    redactor.room = 1_000
    for _ in range(2):
        redactor.left = [{}]
        assert redactor.text(text) == (text, 0)
    redactor.left = [{}]
    assert not redactor.was_searched(text)


def test_texts_that_were_searched_are_known_in_the_next_slice_and_let_go_of_where_there_is_no_room() -> None:
    redactor, texts = Redactor(), [f"plain words, number {number}; " * 6_000 for number in range(12)]
    redactor.kept = redactor.texts
    assert redactor.text(texts[0]) == (texts[0], 0)
    redactor.kept = None
    assert not redactor.was_searched(texts[0])
    redactor.kept = redactor.texts
    assert redactor.was_searched(texts[0])
    assert not redactor.was_searched(texts[0].replace("plain", "other"))
    for text in texts:
        assert redactor.text(text) == (text, 0)
        assert sum(map(len, redactor.texts.values())) <= 1_048_576
    assert redactor.was_searched(texts[-1])
    assert not redactor.was_searched(texts[0])
    secret = texts[0] + f"sk-proj-{'aB3' * 20}"
    for _ in range(2):
        assert redactor.text(secret)[1] == 1
        assert not redactor.was_searched(secret)
