"""What a stream that is being read has used so far, and whether a limit ends it.

Caller's thread. Nothing is parsed: the text in what came is found by its names, and four bytes of it are taken for a
token, at least one for each piece; Gemini's streams say in each event what they have used, thinking that is not shown
included. What a stream really used is worked out when it has ended, as of any other.
"""

from __future__ import annotations

import re
import time
from base64 import b64decode
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from agentops_sdk import semconv
from agentops_sdk._capture.decision_attributes import decision_attributes, options_json
from agentops_sdk._limits.account import lock
from agentops_sdk.errors import LimitExceeded

if TYPE_CHECKING:
    from agentops_sdk._capture.call import Call
    from agentops_sdk._limits.charge import Charge
    from agentops_sdk._limits.expectation import StreamRates
    from agentops_sdk.limit_rules import Rule

__all__ = ["StreamMeter"]

_LINE = re.compile(rb"[^\r\n]+")
_TEXT = re.compile(
    rb'"(?:content|text|delta|arguments|partial_json|thinking|reasoning|reasoning_content|refusal|response)"'
    rb'\s*:\s*"((?:[^"\\]|\\.)+)'
)
_REPEATS = re.compile(rb'"(?:type|event_type)"\s*:\s*"(?:response\.(?![\w.]*delta")|stream-end|message-end)')
"""Events that say once more, as a whole, what came in pieces."""
_REPORTED = tuple(
    re.compile(rb'"%b"\s*:\s*(\d+)' % name)
    for name in (b"candidatesTokenCount", b"responseTokenCount", b"thoughtsTokenCount")
)
_FRAMES = re.compile(rb'"bytes"\s*:\s*"([A-Za-z0-9+/]+=*)"')
"""Events of Bedrock's ``InvokeModelWithResponseStream``, which hold those of the model."""
_TO_A_TOKEN = 4  # bytes
_CHOICES = options_json(("finish", "cut"))[1]


def _estimate(data: bytes) -> int:
    """Tokens of the text in what came."""
    return sum(
        max(1, len(text) // _TO_A_TOKEN)
        for line in _LINE.findall(data)
        if not _REPEATS.search(line)
        for text in _TEXT.findall(line)
    )


class StreamMeter:
    """Of one stream under limits that end streams.

    Args:
        call: that the stream answers.
        charges: on the accounts of those limits.
        rates: what it costs.

    Attributes:
        charge: of the limit that has been passed, once one has.
        tokens: used so far, input and output, as estimated.
    """

    __slots__ = ("_call", "_charges", "_cost", "_is_released", "_rates", "charge", "tokens")

    def __init__(self, call: Call, charges: Sequence[Charge], rates: StreamRates) -> None:
        self._call = call
        self._charges = charges
        self._rates = rates
        self.tokens = 0.0
        self._cost = 0.0
        self._is_released = False
        self.charge: Charge | None = None
        self._use(rates.input_tokens, rates.input_tokens * rates.per_input)

    def feed(self, data: bytes) -> None:
        """This came, and is about to be handed to the caller."""
        tokens: float = _estimate(data)
        for frame in _FRAMES.findall(data):
            with suppress(ValueError):  # one that came in two pieces
                tokens += _estimate(b64decode(frame))
        reported = sum(int(counts[-1]) for name in _REPORTED if (counts := name.findall(data)))
        tokens = max(tokens, reported - (self.tokens - self._rates.input_tokens))
        self._came(tokens, tokens * self._rates.per_output)

    def heard(self, tokens: float) -> None:
        """Sound of about so many tokens came."""
        self._came(tokens, tokens * self._rates.per_audio)

    def _came(self, tokens: float, cost: float) -> None:
        self._use(tokens, cost)
        if self.charge is None:
            self.charge = next((charge for charge in self._charges if self._is_passed(charge)), None)

    def _use(self, tokens: float, cost: float) -> None:
        self.tokens += tokens
        self._cost += cost
        with lock.held:
            for _, rule, account, _ in () if self._is_released else self._charges:
                account.streamed += tokens if rule.measure == "tokens" else cost if rule.measure == "cost" else 0.0

    def _is_passed(self, charge: Charge) -> bool:
        _, rule, account, _ = charge
        most = rule.most + account.extra
        if rule.measure == "seconds":
            return time.monotonic() - account.started >= most
        if rule.measure == "cost" and rule.currency != self._rates.currency:
            return False
        return account.spent + account.streamed > most

    def release(self) -> None:
        """The stream is over: what it used is counted otherwise from now on. Under the lock."""
        if self._is_released:
            return
        self._is_released = True
        for _, rule, account, _ in self._charges:
            used = self.tokens if rule.measure == "tokens" else self._cost if rule.measure == "cost" else 0.0
            account.streamed = max(0.0, account.streamed - used) if account.open > 1 else 0.0

    def used(self, rule: Rule) -> float:
        """What has come so far, as it counts under a limit of tokens or cost."""
        if rule.measure == "tokens":
            return self.tokens
        return self._cost if rule.currency == self._rates.currency else 0.0

    def cut(self) -> LimitExceeded | None:
        """The stream ends here: said on its span. What its caller gets to see of that; ``None`` for a plain end."""
        assert self.charge is not None
        scope, rule, account, _ = self.charge
        most = rule.most + account.extra
        used = account.spent + account.streamed
        if rule.measure == "seconds":
            used = time.monotonic() - account.started
        error = LimitExceeded(
            f"the limit of {rule} is reached by a stream, which was cut: {used:.6g} of {most:.12g} {rule.unit} used, "
            f"as estimated",
            limit=rule.name,
            most=most,
            spent=used,
            unknown=account.unknown,
            unit=rule.unit,
            per=rule.per,
            trace_id=self._call.trace_id,
        )
        self._call.update({semconv.LIMIT: str(rule), semconv.LIMIT_ACTION: "cut", semconv.LIMIT_SPENT: used})
        self._call.event(
            semconv.DECISION_EVENT,
            decision_attributes("cut", name="limit", options=_CHOICES, reason=str(error), by="code", policy=str(rule)),
        )
        if scope.policy.on_stream == "cut":
            return error
        self._call.settled = "cancelled"  # a framework above sees a plain end
        return None
