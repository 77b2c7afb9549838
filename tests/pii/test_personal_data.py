"""Personal data: what is found and what is not, what takes its place, and that nothing else changes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.pii.texts import FALSE, TRUE

import agentops_sdk as agentops
from agentops_sdk import pii_rules
from agentops_sdk._scrub.personal_data import WITHHELD
from agentops_sdk._scrub.policy import Policy
from agentops_sdk.config import resolve
from agentops_sdk.errors import ConfigError
from agentops_sdk.exporters.memory import MemoryExporter

pytestmark = pytest.mark.once

PAGE = Path(__file__).parents[2] / "docs" / "personal-data.md"
SECRET = "sk-proj-" + "Ab3dEf6hIj9lMn2pQr5tUv8xYz1aBc4dEf7gHi0jKl3mNo6p"
KEY = {"pii_key": b"a key of the tests"}


def policy(pii: Any, **settings: Any) -> Policy:
    return Policy(resolve({"pii": pii, **KEY, **settings}))


def content(text: str) -> dict[str, Any]:
    return {"gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": text}]}]}


def test_the_table_and_the_figures_that_the_page_tells() -> None:
    found = policy(["all"], redact=False)
    shown = {text: found.text(text) for _, _, text in TRUE}
    missed = [text for kind, data, text in TRUE
              if any(datum in shown[text] for datum in data) or f"[redacted:{kind}]" not in shown[text]]  # fmt: skip
    touched = [text for text in FALSE if found.text(text) != text]
    figures = f"{len(TRUE) - len(missed)} of {len(TRUE)} found, {len(touched)} of {len(FALSE)} other texts touched"
    print(figures, missed, touched)
    assert (len(TRUE), len(FALSE)) == (200, 200)
    assert (missed, touched) == ([], [])
    assert figures in PAGE.read_text()
    assert {kind for kind, _, _ in TRUE} == set(pii_rules.NAMES)


@pytest.mark.parametrize(("text", "shown"), [
    ("4111 1111 1111 1111 12/27 123", "[redacted:card] 12/27 123"),
    ("2026-11-29 4111 1111 1111 1111", "2026-11-29 [redacted:card]"),
    ("2 4111111111111111 9", "2 [redacted:card] 9"),
    ("+44 20 7946 0958 4111 1111 1111 1111", "[redacted:phone] [redacted:card]"),
    ("+14155552671 +14155552672", "[redacted:phone] [redacted:phone]"),
    ("7 +44 20 7946 0958", "7 [redacted:phone]"),
    ("DE89 3704 0044 0532 0130 00 GB29 NWBK 6016 1331 9268 19", "[redacted:iban] [redacted:iban]"),
])  # fmt: skip
def test_what_stands_beside_another_number_is_found(text: str, shown: str) -> None:
    assert policy(["all"], redact=False).text(text) == shown


def test_what_a_generator_yields_in_pieces_is_looked_at_together(seen: Any) -> None:
    agentops.init(pii=["email", lambda text: text.replace("Miller", "[name]")])

    @agentops.task
    def words(*pieces: str) -> Any:
        yield from pieces
        return "whole"

    list(words("to b", "ob", "@exam", "ple.com ", "Mil", "ler"))
    list(words("bob@example.com", " ", "ann@example.com"))
    list(words(*(SECRET[at : at + 24] for at in range(0, len(SECRET), 24))))
    together, apart, secret = (json.loads(span.attributes["agentops.output"]) for span in seen.all())
    assert together == {"yielded": ["to [redacted:email] [name]"], "returned": "whole"}
    assert apart == {"yielded": ["[redacted:email]", " ", "[redacted:email]"], "returned": "whole"}
    assert secret == {"yielded": ["[redacted:openai-key]"], "returned": "whole"}


def test_json_keeps_its_structure_and_its_numbers() -> None:
    hidden = {"note": "mail\nbob@example.com\t4111111111111111 é", "phone_number": 4155552671, "card": 4111111111111111,
              "ns": 1764412345678901234, "f": 1.10, "deep": json.dumps({"to": "bob@example.com", "n": 1e-7}),
              "bob@example.com": None, "id": "550e8400-e29b-41d4-a716-446655440000"}  # fmt: skip
    shown = policy(["all"]).apply({"agentops.input": hidden, "gen_ai.usage.input_tokens": 4111111111111111})
    assert shown["gen_ai.usage.input_tokens"] == 4111111111111111
    found = json.loads(shown["agentops.input"])
    assert found["note"] == "mail\n[redacted:email]\t[redacted:card] é"
    assert (found["phone_number"], found["card"]) == ("[redacted:phone]", "[redacted:card]")
    assert (found["ns"], found["f"], found["id"]) == (hidden["ns"], 1.1, hidden["id"])
    assert json.loads(found["deep"]) == {"to": "[redacted:email]", "n": 1e-7}
    assert "[redacted:email]" in found


def test_whole_numbers_of_the_users_are_looked_at_and_figures_are_not() -> None:
    card, phone = 4111111111111111, 4155552671
    kept = {
        "gen_ai.usage.input_tokens": card, "agentops.run.output_tokens": card, "jsonrpc.request.id": card,
        "order": card + 1, "small": 411111, "contact": phone, "ratio": 4111111111111111.5, "flag": True,
        "gen_ai.request.stop_sequences": [card],
    }  # fmt: skip
    given = {
        **kept, "card": card, "as_float": float(card), "cards": [card, 5], "customer.phone": phone,
        "mobile_number": [phone], "agentops.metadata.pay": card,
        "gen_ai.tool.call.arguments": f'{{"n":{card},"f":{card}.0,"tel":{phone},"id":{card + 1},"other":{phone}}}',
    }  # fmt: skip
    shown = policy(["card", "phone"]).apply(given)
    assert {name: shown[name] for name in kept} == kept
    assert {name: shown[name] for name in given if name not in kept} == {
        "card": "[redacted:card]", "as_float": "[redacted:card]", "cards": ["[redacted:card]", "5"],
        "customer.phone": "[redacted:phone]", "mobile_number": ["[redacted:phone]"],
        "agentops.metadata.pay": "[redacted:card]",
        "gen_ai.tool.call.arguments": '{"n":"[redacted:card]","f":"[redacted:card]","tel":"[redacted:phone]",'
                                      f'"id":{card + 1},"other":{phone}}}',
    }  # fmt: skip
    assert policy(["card:last4"]).apply({"card": card}) == {"card": "[card:…1111]"}
    assert policy(["email"]).apply(given) == given


def test_modes() -> None:
    text = "bob@example.com BOB@example.com ann@example.com 4111 1111 1111 1111"

    def shown(mode: str) -> str:
        return str(policy({"email": mode, "card": mode}).text(text))

    assert shown("redact") == "[redacted:email] [redacted:email] [redacted:email] [redacted:card]"
    assert shown("drop").strip() == ""
    assert shown("keep last 4") == "[email:…ecom] [email:…ecom] [email:…ecom] [card:…1111]"
    bob, again, ann, card = shown("hash").split()
    assert bob == again != ann
    assert card.startswith("[card:")
    other = Policy(resolve({"pii": {"email": "hash"}, "pii_key": b"another key"})).text("bob@example.com")
    assert other not in (None, bob)


def test_names_tags_events_links_messages_and_users(seen: Any) -> None:
    agentops.init(pii="email", hash_user_id=True, **KEY)
    with agentops.context(user_id="alice", tags=["bob@example.com"], metadata={"to": "bob@example.com"}):
        headers = agentops.inject({})
        with pytest.raises(ValueError, match="bob"), agentops.span("to bob@example.com") as span:
            span.set("bob@example.com", "is the name")
            headers = agentops.inject({})
            raise ValueError("no mail for bob@example.com")
    (ended,) = seen.all()
    text = ended.to_json() + headers["baggage"]
    assert "bob@" not in text
    assert "alice" not in text
    assert ended.attributes["user.id"].startswith("[user:")
    assert ended.attributes["user.id"].strip("[]").partition(":")[2] in headers["baggage"]


@pytest.mark.guard_swallows
@pytest.mark.parametrize("kind", ["raises", "hangs", "exits", "no text"])
def test_a_function_that_fails_withholds_and_is_counted(kind: str) -> None:
    forever = threading.Event()
    functions: dict[str, Callable[[str], Any]] = {
        "raises": lambda text: 1 / 0,
        "hangs": lambda text: forever.wait(60) and text,
        "exits": lambda text: exit(1),
        "no text": lambda text: None,
    }
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], pii=[functions[kind], "email"], pii_timeout=0.05)
    for _ in range(5):
        with agentops.span("one", kind="tool") as span:
            span.set("note", "Bob Miller")
            span.set("gen_ai.usage.input_tokens", 12)
    assert agentops.flush()
    spans = exporter.finished_spans()
    assert len(spans) == 5
    for ended in spans:
        assert "Miller" not in ended.to_json()
        assert ended.attributes["note"] == WITHHELD
        assert (ended.attributes["gen_ai.usage.input_tokens"], ended.attributes["agentops.kind"]) == (12, "tool")
    assert sum(agentops.status().withheld.values()) >= 5
    forever.set()


def test_functions_run_off_the_programs_thread_and_others_get_nothing_they_should_have_seen() -> None:
    threads = set()

    def names(text: str) -> str:
        threads.add(threading.current_thread().name)
        return text.replace("Bob", "[name]")

    theirs, ours = InMemorySpanExporter(), MemoryExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    from opentelemetry import trace
    from opentelemetry.util._once import Once

    before = trace._TRACER_PROVIDER
    trace._TRACER_PROVIDER_SET_ONCE, trace._TRACER_PROVIDER = Once(), provider
    try:
        agentops.init(exporters=[ours], integrations=[], pii=names)
        with agentops.span("one") as span:
            span.set("note", "Bob is here")
        agentops.flush()
    finally:
        agentops.shutdown()
        trace._TRACER_PROVIDER = before
    assert threads == {"agentops-pii"}
    assert theirs.get_finished_spans()[0].attributes["note"] == WITHHELD
    assert ours.finished_spans()[0].attributes["note"] == "[name] is here"


def test_an_engine_by_its_method_as_presidio_has_it() -> None:
    class Result:
        def __init__(self, start: int, end: int) -> None:
            self.entity_type, self.start, self.end, self.score = "PERSON", start, end, 0.9

    class Engine:
        supported_languages = ["en"]

        def analyze(self, *, text: str, language: str) -> list[Result]:
            at = text.find("Bob Miller")
            return [Result(at, at + 10), Result(at + 4, at + 10)] if at >= 0 else []

    assert (
        policy([Engine(), "email"]).text("ask Bob Miller, bob@example.com") == "ask [redacted:person], [redacted:email]"
    )


def test_what_is_wrong_is_said_where_it_is_written_and_a_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (["emial"], ["email:shout"], [3], 3):
        with pytest.raises(ConfigError, match="pii"):
            resolve({"pii": wrong})
    with pytest.raises(ConfigError) as error:
        resolve({"pii_key": "my very own secret"})
    assert "secret" not in str(error.value)
    monkeypatch.setenv("AGENTOPS_PII", "emial")
    with pytest.warns(UserWarning, match="capture_content is taken to be False"):
        assert resolve({}).capture_content is False
    agentops.init(exporters=["memory"], integrations=[], pii_key=b"0123456789", pii=["email"])
    assert "0123456789" not in agentops.status().model_dump_json()
