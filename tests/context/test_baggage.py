"""Baggage of the program's own stays, ours is added, and a value that cannot be written costs only itself."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import count
from typing import Any
from urllib.parse import unquote_plus

import pytest
from opentelemetry import baggage, context

import agentops_sdk as agentops


@pytest.fixture(autouse=True)
def _running() -> None:
    agentops.init(exporters=["memory"], integrations=[])


def members(header: str) -> dict[str, str]:
    pairs = [member.partition("=") for member in header.split(",")]
    found = {unquote_plus(name): value for name, _, value in pairs}
    assert len(found) == len(pairs), f"a name stands twice: {header}"
    return found


THEIRS = "sentry-trace_id=7f0832d6,sentry-sampled=true,tenant=acme%20inc;ttl=60, plain=1"


@pytest.mark.parametrize("name", ["baggage", "Baggage", "BAGGAGE"])
def test_what_stands_in_the_header_stays_to_the_letter(name: str) -> None:
    headers = {name: THEIRS, "accept": "*/*"}
    with agentops.context(user_id="u-1", tags=["a"]), agentops.span("call"):
        agentops.inject(headers)
    assert [key for key in headers if key.lower() == "baggage"] == [name]
    sent = members(headers[name])
    theirs = ("sentry-trace_id", "sentry-sampled", "tenant", "plain")
    assert [sent[key] for key in theirs] == ["7f0832d6", "true", "acme%20inc;ttl=60", "1"]
    assert sent["user.id"] == "u-1"
    assert len(sent) == 6


def test_headers_that_are_used_again_hold_what_is_current() -> None:
    headers: dict[str, str] = {"baggage": "tenant=acme"}
    for user in ("u-1", "u-2"):
        with agentops.context(user_id=user), agentops.span("call"):
            agentops.inject(headers)
        assert members(headers["baggage"]) == {"tenant": "acme", "user.id": user}


def test_opentelemetrys_own_baggage_goes_along() -> None:
    token = context.attach(baggage.set_baggage("tenant", "of the context"))
    try:
        with agentops.context(user_id="u-1"), agentops.span("call"):
            assert members(agentops.inject({})["baggage"])["tenant"] == "of+the+context"
            assert members(agentops.inject({"baggage": "tenant=first"})["baggage"])["tenant"] == "first"
    finally:
        context.detach(token)


@pytest.mark.parametrize(
    "bad",
    [
        {"user_id": "a\udc80"},
        {"tags": ["x", "\ud800"]},
        {"metadata": {"k": "\udfff"}},
        {"metadata": {"\udcff": "v"}},
    ],
)
def test_one_value_that_has_no_utf8_is_left_out_alone(bad: dict[str, Any]) -> None:
    with agentops.context(session_id="s-1", **bad), agentops.span("call"):
        headers = agentops.inject({"baggage": "tenant=acme"})
    assert members(headers["baggage"]) == {"tenant": "acme", "session.id": "s-1"}
    assert headers["traceparent"].startswith("00-")


def test_too_much_of_ours_never_pushes_out_theirs() -> None:
    theirs = ",".join(f"k{n}={'x' * 100}" for n in range(70))
    with agentops.context(user_id="u-1", metadata={"long": "y" * 5000, "also": "z" * 3000}), agentops.span("call"):
        header = agentops.inject({"baggage": theirs})["baggage"]
    assert header.startswith(theirs)
    assert len(header) <= 8192
    assert "user.id" in members(header)
    assert "long" not in header
    full = ",".join(f"k{n}={'x' * 100}" for n in range(80))
    with agentops.context(user_id="u-1"), agentops.span("call"):
        assert agentops.inject({"baggage": full})["baggage"] == full


def test_a_subprocess_gets_the_programs_own_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAGGAGE", "tenant=acme")
    with agentops.context(user_id="u-1"), agentops.span("call"):
        code = "import os; print(os.environ['BAGGAGE'])"
        out = subprocess.check_output([sys.executable, "-c", code], text=True).strip()
    assert members(out) == {"tenant": "acme", "user.id": "u-1"}
    assert os.environ["BAGGAGE"] == "tenant=acme"


def test_headers_that_are_no_mapping_are_told_and_not_read_through() -> None:
    headers: Any = count()
    with agentops.span("call"):
        assert agentops.inject(headers) is headers
        assert next(headers) == 0
        pairs: Any = [("accept", "*/*")]
        assert agentops.inject(pairs) == [("accept", "*/*")]
