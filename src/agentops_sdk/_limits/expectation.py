"""What a model call is expected to use, before it is made: as calls of the model did before it, else by its request.

Caller's thread. Rates are looked up once for each model; the first look loads the price table, unless the client's
import has had it loaded.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from agentops_sdk import semconv
from agentops_sdk._host.bounded_map import BoundedMap
from agentops_sdk._usage import user_prices
from agentops_sdk._usage.cost_of_call import own_rates
from agentops_sdk._usage.price_arithmetic import NoPriceError, Rates
from agentops_sdk._usage.price_table import rates_of

__all__ = ["Expectation", "StreamRates", "dear", "expected", "learn", "learned", "stream_rates"]

_USUAL_ANSWER = 500  # tokens, where neither the request nor a call before says more
_LONG_ANSWER = 4_096  # where nobody knows the model either: many at once must not pass a limit together
_USUAL_REQUEST = 500
_TO_A_TOKEN = 4  # bytes
_MEDIUM = 1_500
"""Tokens of a picture, a recording or a file, which say nothing by their length: about what a large picture takes."""
_LONG = 1_000  # characters; a text of which so many are those of base64 in one piece is no text
_BASE64 = re.compile(r"[A-Za-z0-9+/=_\r\n-]*")
_MEDIA = (
    re.compile(rb'"(?:data:[^",]{1,100},)?([A-Za-z0-9+/=_-]{1000,})"'),
    re.compile(r'"(?:data:[^",]{1,100},)?([A-Za-z0-9+/=_-]{1000,})"'),
)
_MOST_VALUES = 20_000
_MOST_TOKENS = ("max_completion_tokens", "max_output_tokens", "max_tokens", "maxTokens")
_PER_INPUT, _PER_OUTPUT = 10 / 1e6, 40 / 1e6
"""What a token of a model without a price is taken to cost, in US dollars: what the dear ones do."""
_CHAIN = "fallback:"
"""How pydantic-ai names models that are tried one after the other, and their providers."""
_CLOSE = 0.01  # a difference that is nothing to learn from
_WEIGHT = 0.3  # of the last call in what is expected of the next


class Expectation(NamedTuple):
    """What one call may use.

    Attributes:
        tokens: input and output.
        cost: in ``currency``; where no price is known, by rates of dear models.
        currency: of the cost.
        priced: whether the model has a price.
    """

    tokens: float
    cost: float
    currency: str
    priced: bool

    def is_met_by(self, tokens: float | None, cost: float | None) -> bool:
        """Whether a call used what was expected, or told nothing to learn from."""
        if tokens is None or cost is None:
            return True
        return abs(cost - self.cost) <= _CLOSE * self.cost and abs(tokens - self.tokens) <= _CLOSE * self.tokens


class StreamRates(NamedTuple):
    """What a stream costs while it is read.

    Attributes:
        input_tokens: of its request, by its length.
        per_input: money for each of them.
        per_output: money for each token of text that comes.
        currency: of the money.
        priced: whether the model has a price.
        per_audio: money for each token of sound.
    """

    input_tokens: float
    per_input: float
    per_output: float
    currency: str
    priced: bool = True
    per_audio: float = 0.0


def stream_rates(attributes: Mapping[str, Any], request: Any) -> StreamRates:
    """Of the stream that answers ``request``; where no price is known, those of dear models."""
    asked, _ = _sizes(request)
    rates = _rates(attributes.get(semconv.REQUEST_MODEL), attributes.get(semconv.PROVIDER_NAME))
    if rates is None:
        return StreamRates(asked, _PER_INPUT, _PER_OUTPUT, "USD", False, _PER_OUTPUT)
    values = rates.values
    text = values.get("output", 0)
    sound = values.get("audio_output", text)
    return StreamRates(asked, float(values.get("input", 0)), float(text), rates.currency, True, float(sound))


learned: BoundedMap[tuple[Any, Any], Expectation] = BoundedMap(1_000)
"""By the model that is asked for and its provider: what its calls have used of late."""


def expected(attributes: Mapping[str, Any], request: Any) -> Expectation:
    """What the first call of a model may use; ``request`` is its body, where that is known."""
    model, provider = attributes.get(semconv.REQUEST_MODEL), attributes.get(semconv.PROVIDER_NAME)
    asked, answer = _sizes(request)
    rates = _rates(model, provider)
    if answer is None:
        answer = attributes.get(semconv.REQUEST_MAX_TOKENS, _LONG_ANSWER if rates is None else _USUAL_ANSWER)
    if attributes.get(semconv.KIND) == "embedding":
        answer = 0
    if rates is None:
        return Expectation(asked + answer, dear(asked, answer), "USD", False)
    values = rates.values
    cost = asked * float(values.get("input", 0)) + answer * float(values.get("output", 0))
    return Expectation(asked + answer, cost + float(values.get("request", 0)), rates.currency, True)


def dear(asked: float, answered: float) -> float:
    """What so many tokens of a model without a price are taken to cost, in US dollars."""
    return asked * _PER_INPUT + answered * _PER_OUTPUT


def learn(attributes: Mapping[str, Any], tokens: float | None, cost: float | None) -> None:
    """A call of a model ended, with these attributes, and used that much. Consumer thread."""
    if tokens is None or cost is None or not tokens:
        return
    key = attributes.get(semconv.REQUEST_MODEL), attributes.get(semconv.PROVIDER_NAME)
    currency = attributes.get(semconv.COST_CURRENCY, "USD")
    before = learned.get(key)
    if before is not None and before.currency == currency:
        tokens = before.tokens + _WEIGHT * (tokens - before.tokens)
        cost = before.cost + _WEIGHT * (cost - before.cost)
    learned[key] = Expectation(tokens, cost, currency, True)


def _rates(model: Any, provider: Any) -> Rates | None:
    if type(model) is not str or not model:
        return None
    if model.startswith(_CHAIN):
        return _dearest(model.removeprefix(_CHAIN).split(","), str(provider).removeprefix(_CHAIN).split(","))
    name = user_prices.aliased(model)
    rates = own_rates(name, provider) or _in_table(name, provider)
    if rates is None and user_prices.callback is not None:
        return Rates({})  # it is asked once the counts are known
    return rates


def _dearest(models: list[str], providers: list[str]) -> Rates | None:
    """Of models that are tried in turn: any of them may answer, so all must have a price, in one currency."""
    if len(models) != len(providers):
        providers = [""] * len(models)
    rates = [_rates(name, provider or None) for name, provider in zip(models, providers, strict=True)]
    known = [each for each in rates if each is not None]
    if len(known) < len(rates) or len({each.currency for each in known}) > 1:
        return None
    return max(known, key=lambda each: float(each.values.get("output", 0)))


@functools.lru_cache(1_000)
def _in_table(model: str, provider: str | None) -> Rates | None:
    try:
        return rates_of(model, provider, tier=None, geo=None, at=None, input_tokens=0)
    except NoPriceError:
        return None


def _forget() -> None:
    """What models cost has changed: what their calls have cost so far says nothing of the next one."""
    learned.clear()
    _in_table.cache_clear()


user_prices.on_change = _forget


def _sizes(request: Any) -> tuple[int, Any]:
    """Tokens that a request is about to send, by its length, and the most that it asks for.

    Plain values only are looked at: nothing of the user's runs.
    """
    if type(request) in (bytes, str):
        size = len(request)
        if size > _LONG:
            media = _MEDIA[type(request) is str].findall(request)
            for medium in media:
                text = medium if type(medium) is str else medium[-_LONG:].decode("ascii")
                size -= len(medium) - _MEDIUM * _TO_A_TOKEN if _is_medium(text[-_LONG:]) else 0
        return size // _TO_A_TOKEN, None
    if type(request) is not dict:
        return _USUAL_REQUEST, None
    most = next((request[name] for name in _MOST_TOKENS if type(request.get(name)) is int), None)
    size = count = 0
    waiting: list[Any] = [request]
    while waiting and count < _MOST_VALUES:
        value = waiting.pop()
        kind = type(value)
        count += 1
        if kind is str:
            size += len(value) if len(value) <= _LONG or not _is_medium(value[-_LONG:]) else _MEDIUM * _TO_A_TOKEN
        elif kind is bytes:
            size += _MEDIUM * _TO_A_TOKEN
        elif kind is dict:
            waiting += value.values()
        elif kind in (list, tuple):
            waiting += value
    return size // _TO_A_TOKEN + 1, most


def _is_medium(end: str) -> bool:
    """Whether a long text that ends so is a file in base64: letters of both kinds, and nothing between words."""
    return _BASE64.fullmatch(end) is not None and not end.islower() and not end.isupper()
