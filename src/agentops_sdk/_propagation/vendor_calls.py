"""What a vendor's servers are not told: inside a call to them, no trace headers and no baggage leave the program.

HTTP instrumentations, and clients that trace themselves, write into a request what OpenTelemetry's current context
holds: the trace, and baggage that may name users and sessions and came with a request of somebody else's. Inside a call
to a vendor that context keeps its span, so that spans of theirs still nest, holds no baggage, and the global propagator
writes nothing. A tool that is called in there is the program's own again. ``vendor_propagation`` switches this off.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from opentelemetry.context import Context, attach, get_current
from opentelemetry.propagators import textmap

from agentops_sdk import _recorder_port
from agentops_sdk._host.guard import guard
from agentops_sdk._host.patches import Patches
from agentops_sdk._propagation.context_keys import VENDOR_KEY, release, whole

__all__ = ["enter", "install", "leave"]

_SELF_TRACED = {"anthropic._base_client": (("SyncAPIClient", False), ("AsyncAPIClient", True))}
"""Clients that send the trace along by themselves, also where nobody records them: classes, and whether async."""


def enter(entries: dict[str, Any]) -> None:
    """Make a context's entries, before they are one, what they are inside a call to a vendor."""
    if _recorder_port.active.settings.vendor_propagation or entries.get(VENDOR_KEY) is not None:
        return
    outside: dict[str, Any] = {}
    loaded = sys.modules.get("opentelemetry.baggage")  # where nobody has loaded that, nobody has set any
    key = getattr(loaded, "_BAGGAGE_KEY", None)
    if loaded is not None and (key is None or key in entries):
        from opentelemetry import baggage  # where another thread is just loading it, it is waited for

        context = Context(entries)
        if outside := dict(baggage.get_all(context)):
            entries.update(baggage.clear(context))
    entries[VENDOR_KEY] = outside


def leave(entries: dict[str, Any]) -> None:
    """Make a context's entries what they are in a piece of the program that a call to a vendor has called back."""
    outside = entries.get(VENDOR_KEY)
    if outside is None:
        return
    if outside:
        from opentelemetry import baggage

        context = Context(entries)
        for name, value in outside.items():
            context = baggage.set_baggage(name, value, context)
        entries.update(context)
    entries[VENDOR_KEY] = None


def install() -> Patches:
    """Quieten the global propagator inside of vendors' calls, whichever the program sets; the patches undo it."""
    patches = Patches("vendor_calls")
    patches.when_imported(
        "opentelemetry.propagate", lambda module: patches.wrap_function(module, "get_global_textmap", _propagator)
    )
    for name in _SELF_TRACED:
        patches.when_imported(name, lambda module: _wrap_clients(patches, module))
    return patches


class _Quiet(textmap.TextMapPropagator):
    """The propagator as it is inside a call to a vendor: it reads, and writes nothing."""

    def __init__(self, propagator: textmap.TextMapPropagator) -> None:
        self._propagator = propagator

    def extract(
        self,
        carrier: textmap.CarrierT,
        context: Context | None = None,
        getter: textmap.Getter[textmap.CarrierT] = textmap.default_getter,
    ) -> Context:
        return self._propagator.extract(carrier, context, getter)

    def inject(
        self,
        carrier: textmap.CarrierT,
        context: Context | None = None,
        setter: textmap.Setter[textmap.CarrierT] = textmap.default_setter,
    ) -> None:
        """Nothing leaves."""

    @property
    def fields(self) -> set[str]:
        return self._propagator.fields


def _propagator(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Asked for each time that something is to be written, so a propagator that is set later is quiet too."""
    propagator = wrapped(*args, **kwargs)
    return propagator if whole(get_current()).get(VENDOR_KEY) is None else _Quiet(propagator)


def _wrap_clients(patches: Patches, module: ModuleType) -> None:
    for name, waits in _SELF_TRACED[module.__name__]:
        patches.wrap(getattr(module, name), "request", _request_async if waits else _request)


def _request(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    token = None
    with guard("vendor_calls.enter"):
        token = _attach()
    try:
        return wrapped(*args, **kwargs)
    finally:
        if token is not None:
            release(token)


async def _request_async(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    token = None
    with guard("vendor_calls.enter"):
        token = _attach()
    try:
        return await wrapped(*args, **kwargs)
    finally:
        if token is not None:
            release(token)


def _attach() -> Any:
    entries = dict(whole(get_current()))
    enter(entries)
    return attach(Context(entries))
