"""Processes that share a folder, or a server, tell each other which breakers have opened and which are closed again.

Each judges by its own calls, and makes its own probes: what they come to holds for all that have the same rule.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentops_sdk._host.guard import guard
from agentops_sdk._limits import breakers

if TYPE_CHECKING:
    from agentops_sdk._limits.breaker_places import BreakerPlace
    from agentops_sdk._limits.breakers import BreakerRule, Key

__all__ = ["after_fork", "look", "share", "take"]

_TEXTS = ("provider", "model", "rule", "reason", "token")
_place: BreakerPlace | None = None
_where: Path | str | None = None
_known: dict[str, tuple[Key, str]] = {}
"""What stood there at the last look: model and token, by the name of the fact."""
_lock = threading.Lock()


def share(where: Path | str | None) -> None:
    """Tell, and be told, there from now on: by a folder, the address of a server, or by none."""
    global _place, _where
    if where == _where:
        return
    _known.clear()
    _where, _place = where, None
    breakers.on_change = None if where is None else _tell
    breakers.on_rule = None if where is None else look_anew
    look()


def look_anew() -> None:
    """There is a further rule: what was passed over before may be of interest now."""
    look(anew=True)


def look(*, anew: bool = False) -> None:
    """Take in what others have told, every so often; where there are no rules, nothing is asked for."""
    global _place
    if _where is None or not breakers.rules:
        return
    with guard("breakers.look"):
        if _place is None:
            from agentops_sdk._limits.breaker_places import BreakerFolder, RedisBreakers

            _place = BreakerFolder(_where, take) if isinstance(_where, Path) else RedisBreakers(_where, take)
        _place.look(anew=anew)


def after_fork() -> None:
    """In a child: a thread that is not here may have held the lock."""
    global _lock, _place
    _lock = threading.Lock()
    _known.clear()
    if _place is not None:
        _place = _place.of_child()


def take(facts: Mapping[str, Mapping[str, Any]], now: float) -> None:
    """These breakers are open in some process, by the name of the fact; what is gone is closed. A thread of ours."""
    with _lock:
        gone = [_known.pop(name) for name in _known.keys() - facts.keys()]
    for key, token in gone:
        breakers.closed_elsewhere(key, token)
    for name, fact in facts.items():
        texts = [fact.get(field) for field in _TEXTS]
        at = fact.get("at")
        if not (all(isinstance(each, str) for each in texts) and isinstance(at, int | float)):
            continue  # somebody else's, or damaged
        provider, model, which, reason, token = map(str, texts)
        with _lock:
            _known[name] = (provider, model), token
        rule = next((each for each in tuple(breakers.rules) if each.text == which), None)
        age = max(0.0, now - at)
        if rule is not None and age < rule.cooldown + rule.condition.over:  # an older one says nothing of now
            breakers.opened_elsewhere((provider, model), rule, reason, token, age)


def _tell(key: Key, rule: BreakerRule, reason: str, token: str) -> None:
    fact = dict(zip(_TEXTS, (*key, rule.text, reason, token), strict=True))
    if _place is not None:
        with guard("breakers.tell"):
            _place.tell("\0".join((*key, rule.text)), fact if token else None)
