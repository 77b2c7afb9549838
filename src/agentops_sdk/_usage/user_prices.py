"""The user's own prices: set in code, loaded from a file, or asked of a callback."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation, localcontext
from pathlib import Path
from typing import Any

from agentops_sdk._usage.model_names import provider_id
from agentops_sdk._usage.price_arithmetic import EXACT, RATES, Rates
from agentops_sdk.errors import ConfigError

Callback = Callable[[str, str | None, dict[str, int | Decimal]], Any]
"""``(model, provider, counts) -> amount``; None passes on to the next source of prices."""

_PER = {"1": Decimal(1), "1K": Decimal(1000), "1M": Decimal(1_000_000)}
_SINGLE = frozenset(
    ("request", "web_searches", "search_units", "file_searches", "pages", "annotated_pages", "audio_seconds")
)
"""Rates that are told per piece, whatever ``per`` says of tokens."""

_prices: dict[tuple[str | None, str], Rates] = {}
_aliases: dict[str, str] = {}
callback: Callback | None = None
on_change: Callable[[], None] | None = None
"""Called after what models cost has changed."""


def changed() -> None:
    """What models cost is not what it was."""
    if on_change is not None:
        on_change()


def are_set() -> bool:
    """Whether there is any price of the user's."""
    return bool(_prices)


def put(
    model: str,
    values: Mapping[str, Any],
    *,
    provider: str | None = None,
    per: str = "1M",
    currency: str = "USD",
    version: str = "",
) -> None:
    """Set one model's prices.

    Raises:
        ConfigError: a rate is unknown or no finite number from zero on, or nothing is priced.
    """
    rates = _checked(model, values, per=per, currency=currency, version=version)
    _prices[_provider(provider), _name("model", model)] = rates
    changed()


def _provider(name: str | None) -> str | None:
    if name is not None:
        _name("provider", name)
    return provider_id(name)


def _name(what: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(what, value, "a name")
    return value.strip().lower()


def _checked(model: Any, values: Mapping[str, Any], *, per: Any, currency: Any, version: Any) -> Rates:
    _name("model", model)
    if per not in _PER:
        raise ConfigError("per", per, 'how many tokens a rate is for: "1", "1K" or "1M"')
    if not isinstance(currency, str) or len(currency) != 3 or not currency.isalpha():
        raise ConfigError("currency", currency, 'a three-letter ISO 4217 code, such as "USD"')
    if not isinstance(version, str):
        raise ConfigError("version", version, "text that names this price list")
    checked: dict[str, Decimal] = {}
    for name, value in values.items():
        if name not in RATES:
            raise ConfigError(name, value, "one of " + ", ".join(RATES))
        if value is not None:
            checked[name] = _rate(name, value, Decimal(1) if name in _SINGLE else _PER[per])
    if not checked:
        raise ConfigError("prices", None, "at least one rate, such as input=2.5")
    return Rates(checked, currency.upper(), "user", version)


def _rate(name: str, value: Any, per: Decimal) -> Decimal:
    expected = "a price: a finite number, zero or more"
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ConfigError(name, value, expected)
    try:
        rate = Decimal(str(value))
    except InvalidOperation:
        raise ConfigError(name, value, expected) from None
    if not rate.is_finite() or rate < 0:
        raise ConfigError(name, value, expected)
    with localcontext(EXACT):
        return rate / per


def alias(name: str, model: str) -> None:
    """Price ``name``, such as a deployment's, as ``model``."""
    _aliases[_name("name", name)] = _name("model", model)
    changed()


def load(path: str | Path) -> int:
    """Read a prices file, JSON or TOML by its suffix; all of it or, on an error, nothing. Returns how many prices.

    Raises:
        ConfigError: the file cannot be read or holds something that cannot be a price.
    """
    data = _read(Path(path))
    shared = {"currency": data.get("currency", "USD"), "version": data.get("version", "")}
    models, aliases = data.get("models", {}), data.get("aliases", {})
    for name, table in (("models", models), ("aliases", aliases)):
        if not isinstance(table, Mapping):
            raise ConfigError(name, table, "a table of names")
    unknown = set(data) - {"currency", "version", "models", "aliases"}
    if unknown:
        raise ConfigError(min(unknown), data[min(unknown)], "one of currency, version, models, aliases")
    new_prices: dict[tuple[str | None, str], Rates] = {}
    for model, entry in models.items():
        if not isinstance(entry, Mapping):
            raise ConfigError(f"models.{model}", entry, "a table of rates")
        settings = {"per": "1M", **shared, **{k: entry[k] for k in ("per", "currency", "version") if k in entry}}
        values = {k: v for k, v in entry.items() if k not in ("provider", "per", "currency", "version")}
        key = _provider(entry.get("provider")), _name("model", model)
        new_prices[key] = _checked(model, values, **settings)
    named = {_name("aliases", name): _name(f"aliases.{name}", model) for name, model in aliases.items()}
    _prices.update(new_prices)
    _aliases.update(named)
    changed()
    return len(new_prices)


def _read(path: Path) -> dict[str, Any]:
    expected = "a readable prices file, .json or .toml"
    if path.suffix.lower() not in (".json", ".toml"):
        raise ConfigError("path", str(path), expected)
    try:
        text = path.read_text("utf-8")
        # Decimal all the way: 0.15 must not pass through a float.
        if path.suffix.lower() == ".toml":
            data: Any = tomllib.loads(text, parse_float=Decimal)
        else:
            data = json.loads(text, parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise ConfigError("path", str(path), f"{expected} ({type(error).__name__}: {error})") from None
    if not isinstance(data, dict):
        raise ConfigError("path", str(path), "a table with models")
    return data


def clear() -> None:
    """Forget every price, alias and callback that was set."""
    _prices.clear()
    _aliases.clear()
    ask(None)


def ask(function: Callback | None) -> None:
    """Ask this function first from now on."""
    global callback
    callback = function
    changed()


def aliased(model: str) -> str:
    """The model that a deployment's name stands for, or the name itself."""
    return _aliases.get(model.lower(), model)


def find(model: str, provider: str | None) -> Rates | None:
    """The user's price of a model: the one for this provider, else the one for any."""
    name = model.lower()
    return _prices.get((provider, name)) or _prices.get((None, name))
