"""Puts a wrapper around one attribute of a class or module, and takes exactly that away again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""wrapt's form: ``wrapper(wrapped, instance, args, kwargs)``."""

_MISSING = object()

dormant: list[str] = []
"""Patches that could not be taken out because somebody patched on top of them, for ``status()``."""


def patch(owner: Any, name: str, wrapper: Wrapper) -> Callable[[], bool]:
    """Wrap ``owner.name``; the undo puts the very same object back.

    If somebody else has wrapped the attribute since, the undo leaves theirs in place and our wrapper
    goes dormant: it calls straight through.

    Returns:
        the undo; it returns whether the original is back in place.
    """
    import wrapt

    original = vars(owner).get(name, _MISSING)
    alive = True

    def switch(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not alive:
            return wrapped(*args, **kwargs)
        return wrapper(wrapped, instance, args, kwargs)

    target = getattr(owner, name) if original is _MISSING else original
    ours = wrapt.FunctionWrapper(target, switch)
    # So that one left behind somewhere else can be known again.
    ours._self_agentops = True  # type: ignore[attr-defined]  # noqa: SLF001 - wrapt keeps such names to itself
    setattr(owner, name, ours)

    def undo() -> bool:
        nonlocal alive
        alive = False
        if vars(owner).get(name) is not ours:
            dormant.append(f"{getattr(owner, '__name__', type(owner).__name__)}.{name}")
            return False
        if original is _MISSING:
            delattr(owner, name)
        else:
            setattr(owner, name, original)
        return True

    return undo
