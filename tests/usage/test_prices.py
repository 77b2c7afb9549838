"""Costs against prices written down by hand, one by one, and the rules around them."""

from __future__ import annotations

import copy
import decimal
import threading
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from genai_prices import data_snapshot
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ConditionalPrice, ModelPrice, TimeOfDateConstraint
from tests.usage.published import CORRECTED, ROWS

from agentops_sdk import ConfigError, prices
from agentops_sdk._usage import price_table


@pytest.fixture(autouse=True)
def _no_prices_left() -> Any:
    prices.clear()
    yield
    prices.clear()


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("row", ROWS, ids=[row[1] for row in ROWS])
def test_a_call_costs_what_its_provider_published(row: tuple[str, str, str, str, str | None, str, str]) -> None:
    provider, model, date, given, cached, made, _ = row
    read = 20_011 if cached else 0
    output = 3_007 if made else 0
    cost = prices.cost(
        model, provider, input_tokens=120_013, cache_read_input_tokens=read, output_tokens=output, at=day(date)
    )
    by_hand = (120_013 - read) * Decimal(given) + read * Decimal(cached or 0) + output * Decimal(made or 0)
    assert cost.amount == by_hand / 1_000_000, cost
    assert cost.source == ("overlay" if model in CORRECTED else "genai-prices")
    assert sum(cost.breakdown.values()) == cost.amount


def test_the_table_is_as_wide_as_promised() -> None:
    assert len(ROWS) >= 40
    assert len({provider for provider, *_ in ROWS}) >= 6
    assert all(source.startswith("https://") for *_, source in ROWS)


# Claude's cache: written for five minutes at 1.25, for an hour at 2, read at 0.1 of the input.
@pytest.mark.parametrize(("model", "given", "made"), [("claude-sonnet-4-6", "3", "15"), ("claude-haiku-4-5", "1", "5")])
def test_cache_creation_by_its_lifetime(model: str, given: str, made: str) -> None:
    cost = prices.cost(
        model,
        "anthropic",
        input_tokens=10_000,
        cache_read_input_tokens=4_000,
        cache_creation_input_tokens=3_000,
        cache_creation_1h_input_tokens=1_000,
        output_tokens=500,
    )
    rate, out = Decimal(given), Decimal(made)
    by_hand = 3_000 * rate + 4_000 * rate / 10 + 2_000 * rate * Decimal("1.25") + 1_000 * rate * 2 + 500 * out
    assert cost.amount == by_hand / 1_000_000


def test_a_long_prompt_costs_the_higher_rate_for_all_of_it() -> None:
    short = prices.cost("gemini-2.5-pro", "gcp.gemini", input_tokens=200_000, output_tokens=1_000)
    long = prices.cost("gemini-2.5-pro", "gcp.gemini", input_tokens=200_001, output_tokens=1_000)
    assert short.amount == Decimal("0.26")  # 200,000 × 1.25 + 1,000 × 10
    assert long.amount == Decimal("0.5150025")  # 200,001 × 2.50 + 1,000 × 15


@pytest.mark.parametrize(
    ("model", "provider", "tier", "at", "input_rate", "output_rate"),
    [
        ("gpt-4o", "openai", "priority", "2026-11-01", "4.25", "17"),
        ("gpt-4o", "openai", "batch", "2025-08-01", "1.25", "5"),
        ("gpt-5", "openai", "flex", "2026-11-01", "0.625", "5"),
        ("gpt-5.5", "openai", "priority", "2026-11-01", "12.50", "75"),
        ("text-embedding-3-small", "openai", "batch", "2026-11-01", "0.01", "0"),
        ("claude-opus-4-1-20250805", "anthropic", "batch", "2025-08-15", "7.50", "37.50"),
        ("claude-haiku-4-5", "anthropic", "batch", "2026-11-01", "0.50", "2.50"),
        ("gemini-2.5-flash", "gcp.gemini", "batch", "2026-11-01", "0.15", "1.25"),
        ("gemini-3-flash-preview", "gcp.vertex_ai", "on_demand_flex", "2026-11-01", "0.25", "1.50"),
        ("gpt-4o", "openai", "default", "2026-11-01", "2.50", "10"),
        ("gpt-4o", "openai", "auto", "2026-11-01", "2.50", "10"),
    ],
)
def test_a_service_tier_has_its_own_price(
    model: str, provider: str, tier: str, at: str, input_rate: str, output_rate: str
) -> None:
    made = 1_000 if Decimal(output_rate) else 0
    cost = prices.cost(model, provider, input_tokens=10_000, output_tokens=made, service_tier=tier, at=day(at))
    assert cost.amount == (10_000 * Decimal(input_rate) + made * Decimal(output_rate)) / 1_000_000, cost


def test_a_tier_without_a_published_price_is_unknown() -> None:
    for model, provider, tier in (
        ("gpt-4o", "openai", "flex"),
        ("gpt-4o", "openai", "scale"),
        ("claude-sonnet-4-6", "anthropic", "priority"),
        ("gemini-2.0-flash", "gcp.gemini", "priority"),
        ("mistral.ministral-3-8b-instruct", "aws.bedrock", "flex"),
        ("gemini-3-flash-preview", "gcp.vertex_ai", "flex-of-tomorrow"),
    ):
        cost = prices.cost(model, provider, input_tokens=10, service_tier=tier)
        assert cost.amount is None
        assert cost.unknown_reason
    flex = prices.cost(
        "gemini-3-flash-preview", "gcp.vertex_ai", input_tokens=10, service_tier="flex", at=day("2026-03-01")
    )
    assert flex.amount is None  # the tier came a month later


def test_audio_is_never_priced_as_text() -> None:
    known = prices.cost("gpt-4o-audio-preview", "openai", input_tokens=1_000, audio_input_tokens=900, output_tokens=0)
    assert known.amount == (100 * Decimal("2.50") + 900 * 40) / 1_000_000
    assert known.source == "overlay"
    unknown = prices.cost("gpt-4o", "openai", input_tokens=1_000, audio_input_tokens=900)
    assert unknown.amount is None
    assert unknown.unknown_reason == "no price for audio input tokens"


def test_pictures_made_have_their_own_rate_or_none() -> None:
    cost = prices.cost(
        "gemini-2.5-flash-image", "gcp.gemini", input_tokens=100, output_tokens=1_310, image_output_tokens=1_290
    )
    assert cost.amount == (100 * Decimal("0.30") + 20 * Decimal("2.50") + 1_290 * 30) / 1_000_000
    assert prices.cost("gpt-4o", "openai", output_tokens=100, image_output_tokens=100).amount is None


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("models/gpt-4o", "openai"),
        ("openai/gpt-4o", "openai"),
        ("openai/gpt-4o", "litellm"),
        ("openai/gpt-4o", None),
        ("azure/gpt-4o", "azure.ai.openai"),
        ("gpt-4o-2024-11-20", "azure.ai.openai"),
        ("GPT-4o", "OpenAI"),
    ],
)
def test_the_names_a_model_goes_by(model: str, provider: str | None) -> None:
    assert prices.cost(model, provider, input_tokens=1_000_000).amount == Decimal("2.5")


def test_a_googles_path_and_a_bedrock_profile() -> None:
    path = "projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash"
    assert prices.cost(path, "gcp.vertex_ai", input_tokens=1_000_000).amount == Decimal("0.3")
    profile = "us.anthropic.claude-3-5-sonnet-20240620-v1:0"
    assert prices.cost(profile, "aws.bedrock", input_tokens=1_000_000).amount == 3


def test_nobody_knows_is_never_nothing() -> None:
    for model, provider in (("our-own", None), ("our-own", "openai"), ("gpt-4o", "ollama"), ("tts-1", "openai")):
        cost = prices.cost(model, provider, input_tokens=10)
        assert cost.amount is None
        assert cost.unknown_reason
        assert str(cost).startswith("unknown: ")


def test_a_million_costs_add_up_to_the_last_digit() -> None:
    one = prices.cost("gpt-4o-mini", "openai", input_tokens=7, cache_read_input_tokens=3, output_tokens=1).amount
    assert one == Decimal("0.000001425")  # 4 × 0.15 + 3 × 0.075 + 1 × 0.60 per million
    total = Decimal(0)
    drifting = 0.0
    for _ in range(1_000_000):
        total += one
        drifting += float(one)
    assert total == Decimal("1.425")
    assert drifting != 1.425  # what floats would have made of it


def test_the_programs_decimal_context_does_not_touch_a_price() -> None:
    with decimal.localcontext(decimal.Context(prec=2, traps=[decimal.Inexact])):
        assert prices.cost("gpt-4o-mini", "openai", input_tokens=1_234_567).amount == Decimal("0.18518505")


def test_your_own_price_comes_first() -> None:
    prices.set("my-model", input=1.5, output="6", cache_read="0.15", request="0.001")
    cost = prices.cost(
        "my-model", "anything", input_tokens=1_000_000, cache_read_input_tokens=500_000, output_tokens=1_000
    )
    assert (cost.amount, cost.source) == (
        Decimal("0.75") + Decimal("0.075") + Decimal("0.006") + Decimal("0.001"),
        "user",
    )
    prices.set("gpt-4o", provider="azure.ai.openai", input=2, output=8, currency="eur", version="contract 7")
    mine = prices.cost("gpt-4o", "azure.ai.openai", input_tokens=1_000_000)
    assert (mine.amount, mine.currency, mine.version) == (2, "EUR", "contract 7")
    assert prices.cost("gpt-4o", "openai", input_tokens=1_000_000).amount == Decimal("2.5")


def test_your_price_without_an_output_rate_is_no_free_output() -> None:
    prices.set("my-model", input=1)
    assert prices.cost("my-model", input_tokens=10).amount is not None
    assert prices.cost("my-model", input_tokens=10, output_tokens=1).unknown_reason == "no price for output tokens"


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_a_prices_file(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"prices{suffix}"
    if suffix == ".toml":
        file.write_text(
            'version = "2026"\n[aliases]\nprod = "gpt-4o"\n'
            '[models."house-7b"]\ninput = 0.1\noutput = 0.3\n[models.tiny]\nper = "1K"\ninput = 0.0001\n'
        )
    else:
        file.write_text(
            '{"version": "2026", "aliases": {"prod": "gpt-4o"}, "models":'
            ' {"house-7b": {"input": 0.1, "output": 0.3}, "tiny": {"per": "1K", "input": 0.0001}}}'
        )
    assert prices.load(file) == 2
    cost = prices.cost("House-7B", input_tokens=3, output_tokens=0)
    assert (cost.amount, cost.source, cost.version) == (Decimal("0.0000003"), "user", "2026")
    assert prices.cost("tiny", input_tokens=1_000).amount == Decimal("0.0001")
    assert prices.cost("prod", "azure.ai.openai", input_tokens=1_000_000).amount == Decimal("2.5")


@pytest.mark.parametrize(
    "text",
    ["not json", "[]", '{"models": 3}', '{"models": {"a": {"input": -1}}}', '{"models": {"a": {"sugar": 1}}}',
     '{"models": {"a": {}}}', '{"models": {"a": 1}}', '{"typo": {}}', '{"models": {"a": {"input": "NaN"}}}'],
)  # fmt: skip
def test_a_bad_prices_file_changes_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "prices.json"
    file.write_text(text)
    with pytest.raises(ConfigError):
        prices.load(file)
    with pytest.raises(ConfigError):
        prices.load(tmp_path / "missing.toml")
    assert prices.cost("a", input_tokens=1).amount is None


def test_a_callback_is_asked_first() -> None:
    asked: list[Any] = []

    def callback(model: str, provider: str | None, counts: dict[str, Any]) -> Decimal | None:
        asked.append((model, provider, counts))
        return Decimal("0.5") if model == "gpt-4o" else None

    prices.set_callback(callback)
    cost = prices.cost("gpt-4o", "openai", input_tokens=5)
    assert (cost.amount, cost.source) == (Decimal("0.5"), "callback")
    assert asked == [("gpt-4o", "openai", {"input": 5})]
    assert prices.cost("gpt-4o-mini", "openai", input_tokens=5).source == "genai-prices"
    prices.set_callback(lambda *_: "a fortune")
    assert prices.cost("gpt-4o", input_tokens=5).amount is None
    prices.set_callback(None)
    assert prices.cost("gpt-4o", input_tokens=5).source == "genai-prices"


@pytest.mark.parametrize("bad", [-1, 1.5, "12", None, True, 10**30])
def test_a_count_that_is_none_makes_an_unknown_cost(bad: Any) -> None:
    cost = prices.cost("gpt-4o", input_tokens=bad)
    assert cost.amount is None
    assert cost.unknown_reason == "input_tokens is not a whole number from 0 to 9007199254740992"


def test_a_name_or_date_that_is_none_makes_an_unknown_cost() -> None:
    assert prices.cost("").unknown_reason == "model is not a name"
    assert prices.cost("gpt-4o", "").unknown_reason == "provider is not a name"
    assert prices.cost("gpt-4o", at="today").unknown_reason == "at is not a datetime"  # type: ignore[arg-type]  # wrong on purpose


def test_bad_arguments_are_told_by_name() -> None:
    for call, name in (
        (lambda: prices.set("m", input=-1), "input"),
        (lambda: prices.set("m", input="cheap"), "input"),
        (lambda: prices.set("m", input=float("nan")), "input"),
        (lambda: prices.set("m", sugar=1), "sugar"),
        (lambda: prices.set("m"), "prices"),
        (lambda: prices.set("", input=1), "model"),
        (lambda: prices.set("m", input=1, per="1G"), "per"),
        (lambda: prices.set("m", input=1, currency="Euro"), "currency"),
        (lambda: prices.alias("", "gpt-4o"), "name"),
        (lambda: prices.set_callback(3), "callback"),  # type: ignore[arg-type]  # wrong on purpose
    ):
        with pytest.raises(ConfigError) as caught:
            call()
        assert caught.value.name == name


def test_what_was_looked_up_before_costs_the_same() -> None:
    """A price is remembered with all that it depends on: the prompt's length, the tier, the table, the hour."""
    lengths = (10, 300_000, 200_000, 200_001, 10, 300_000)
    models = (("claude-sonnet-4-5", "anthropic"), ("gemini-2.5-pro", None), ("gpt-4o", "openai"), ("nobody-9", "x"))
    asked = [(*model, tier, length) for model in models for tier in (None, "batch") for length in lengths]

    def costs(*, anew: bool) -> list[prices.Price]:
        found = []
        for model, provider, tier, length in asked:
            if anew:
                price_table._known.clear()
            found.append(prices.cost(model, provider, input_tokens=length, output_tokens=5, service_tier=tier))
        return found

    price_table._known.clear()
    assert costs(anew=False) == costs(anew=False) == costs(anew=True)
    assert len(price_table._known) == 1  # the last one: it is filled, and was empty for each


def test_an_updated_table_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    before = prices.cost("gpt-4o", "openai", input_tokens=10)
    snapshot = copy.deepcopy(get_snapshot())
    for provider in snapshot.providers:
        for model in provider.models:
            if isinstance(model.prices, ModelPrice) and isinstance(model.prices.input_mtok, Decimal):
                model.prices.input_mtok *= 2
    monkeypatch.setattr(data_snapshot, "_custom_snapshot", snapshot)
    after = prices.cost("gpt-4o", "openai", input_tokens=10)
    assert before.amount is not None
    assert after.amount == 2 * before.amount


def test_what_is_looked_up_while_the_table_is_updated_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = price_table._looked_up
    dearer = copy.deepcopy(get_snapshot())
    _, model = dearer.find_provider_model("gpt-4o", None, "openai", None)
    assert isinstance(model.prices, ModelPrice)
    model.prices.input_mtok = Decimal(1_000_000)

    def updated_meanwhile(*args: Any) -> Any:
        rates = look_up(*args)
        monkeypatch.setattr(price_table, "_looked_up", look_up)
        monkeypatch.setattr(data_snapshot, "_custom_snapshot", dearer)
        other = threading.Thread(target=lambda: prices.cost("gpt-4o-mini", "openai", input_tokens=1))
        other.start()
        other.join()
        return rates

    price_table._known.clear()
    monkeypatch.setattr(price_table, "_looked_up", updated_meanwhile)
    prices.cost("gpt-4o", "openai", input_tokens=10)
    assert prices.cost("gpt-4o", "openai", input_tokens=10).amount == 10


def test_a_price_that_changes_within_the_day_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = copy.deepcopy(get_snapshot())
    _, model = snapshot.find_provider_model("gpt-4o", None, "openai", None)
    assert isinstance(model.prices, ModelPrice)
    cheap = copy.copy(model.prices)
    cheap.input_mtok = Decimal(1)
    night = TimeOfDateConstraint(time(0, tzinfo=UTC), time(12, tzinfo=UTC))
    model.prices = [ConditionalPrice(prices=model.prices), ConditionalPrice(constraint=night, prices=cheap)]
    monkeypatch.setattr(data_snapshot, "_custom_snapshot", snapshot)
    for hour, amount in ((3, "1"), (13, "2.5")):
        now = datetime(2026, 3, 1, hour, tzinfo=UTC)
        monkeypatch.setattr(price_table, "datetime", SimpleNamespace(now=lambda tz, now=now: now))
        assert prices.cost("gpt-4o", "openai", input_tokens=1_000_000).amount == Decimal(amount)
