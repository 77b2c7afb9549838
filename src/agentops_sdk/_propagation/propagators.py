"""In which header fields a trace is carried from service to service: W3C's, unless ``OTEL_PROPAGATORS`` says otherwise.

Processes that the program starts itself are always told in W3C's form: both ends are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.context import Context

from agentops_sdk._propagation import w3c_headers
from agentops_sdk._propagation.context_keys import whole
from agentops_sdk.config import warn_once
from agentops_sdk.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.propagators.textmap import TextMapPropagator

    from agentops_sdk.config import Settings

__all__ = ["USUAL", "fields", "look", "read", "use", "write"]

USUAL: Final = ("tracecontext", "baggage")
_FIELDS: Final = {"tracecontext": ("traceparent", "tracestate"), "baggage": ("baggage",)}

_names: tuple[str, ...] = USUAL
_w3c: frozenset[str] = frozenset(w3c_headers.FIELDS)
_others: tuple[TextMapPropagator, ...] = ()


def look(settings: Settings) -> None:
    """Insist that the propagators that the program itself names can be had; changes nothing.

    Raises:
        ConfigError: no installed package has one of that name.
    """
    if settings.propagators == USUAL or settings.deployed("propagators"):
        return
    for name in _spelled(settings.propagators):
        if name not in _FIELDS and _installed(name) is None:
            raise ConfigError("propagators", name, _expected(name))


def use(names: Sequence[str], source: str = "propagators") -> None:
    """Carry traces by the propagators of these names from now on; one that is not installed is told of, once.

    Args:
        names: as the setting has them.
        source: what named them, such as a variable of the environment.
    """
    global _names, _w3c, _others
    if tuple(names) == _names:
        return
    known = _spelled(names)
    others = {name: _installed(name) for name in known if name not in _FIELDS}
    for name in (name for name, propagator in others.items() if propagator is None):
        warn_once(f"{source}: propagators is {name!r}; expected {_expected(name)}. It is ignored.")
    _names = tuple(names)
    _w3c = frozenset(field for name in known for field in _FIELDS.get(name, ()))
    _others = tuple(propagator for propagator in others.values() if propagator is not None)


def _spelled(names: Sequence[str]) -> list[str]:
    return [] if "none" in names else [name.strip().lower() for name in names]


def _expected(name: str) -> str:
    return f"tracecontext, baggage, none, or one whose package is installed, such as opentelemetry-propagator-{name}"


def _installed(name: str) -> TextMapPropagator | None:
    from importlib.metadata import entry_points

    for entry in entry_points(group="opentelemetry_propagator", name=name):
        propagator: TextMapPropagator = entry.load()()
        return propagator
    return None


def fields() -> dict[str, str]:
    """Names of the header fields that are read: each in lower case, and as its propagator spells it."""
    known = {field: field for field in _w3c}
    return known | {field.lower(): field for propagator in _others for field in propagator.fields}


def write(context: Context, present: str = "") -> dict[str, str]:
    """Header fields that carry ``context``; ``present`` is baggage that stands in the header already and stays."""
    carried = w3c_headers.write(context, present)
    if _names != USUAL:
        carried = {name: value for name, value in carried.items() if name in _w3c}
        for propagator in _others:
            propagator.inject(carried, whole(context))
    return carried


def read(carried: Mapping[str, str], context: Context | None = None) -> Context:
    """``context`` with what header fields carry; the first propagator that finds a trace is believed."""
    if _names == USUAL:
        return w3c_headers.read(carried, context)
    before = trace.get_current_span(context)
    context = w3c_headers.read({name: value for name, value in carried.items() if name in _w3c}, context)
    for propagator in _others:
        if trace.get_current_span(context) is before:
            context = propagator.extract(carried, context)
    return context
