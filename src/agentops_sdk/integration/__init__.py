"""The contract for authors of integrations: everything an integration needs and may import.

An integration is one object with a name, the library it is for, and an ``install`` that patches the library through
the :class:`Patches` it is handed, which undo it as well. Ours are files in ``agentops_integrations``; other people's
register the object (or its class) under the entry-point group ``agentops_sdk.integrations``.

``install`` runs right after the library is imported, whether that is before or after ``init()``. Nothing else may
import the library. What happens in a wrapper goes through :func:`around`, which asks about limits as well; a hook that
runs before the work of a call asks with :func:`refusal`, or awaits :func:`refusal_async`, and raises what that gives,
outside of any guard; what is made elsewhere is asked about by a :class:`PlannedCall`. User data is copied by
:func:`snapshot` and worked on in ``call.defer(...)``, which runs on the consumer thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, Protocol, runtime_checkable

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._capture.call import NULL_CALL, Call, NullCall, outcome_of
from agentops_sdk._capture.current import current_call, enclosing_llm_call, name_model, own_model_calls
from agentops_sdk._capture.decision_attributes import ANSWERED, decision_attributes
from agentops_sdk._capture.model_choice import ended_by_model, model_choice
from agentops_sdk._capture.planned_call import PlannedCall
from agentops_sdk._capture.start import start
from agentops_sdk._host.admission import StreamMeter, may_refuse, refusal, refusal_async, stream_meter
from agentops_sdk._host.bounded_map import BoundedMap
from agentops_sdk._host.guard import guard
from agentops_sdk._host.intercept import Accept, Begin, Begun, around, around_async
from agentops_sdk._host.patches import Patches, Wrapper
from agentops_sdk._propagation.context_keys import release
from agentops_sdk._snapshot.snapshot import Source, mark_cut, snapshot, snapshot_source
from agentops_sdk._track.function_call import tracked_in

__all__ = [
    "ANSWERED",
    "NULL_CALL",
    "Accept",
    "Begin",
    "Begun",
    "BoundedMap",
    "Call",
    "Integration",
    "NullCall",
    "Patches",
    "PlannedCall",
    "Source",
    "StreamMeter",
    "Wrapper",
    "around",
    "around_async",
    "current_call",
    "decision_attributes",
    "enclosing_llm_call",
    "ended_by_model",
    "guard",
    "mark_cut",
    "may_refuse",
    "measure",
    "model_choice",
    "name_model",
    "outcome_of",
    "own_model_calls",
    "refusal",
    "refusal_async",
    "release",
    "semconv",
    "setting",
    "snapshot",
    "snapshot_source",
    "start",
    "stream_meter",
    "summed_cost",
    "tool_answers",
    "tracked_in",
    "usage_attributes",
]


@runtime_checkable
class Integration(Protocol):
    """What the registry requires of an integration."""

    name: str
    """What a user writes in ``init(integrations=[...])``."""

    target: str
    """Import name of the library; its import triggers :meth:`install`."""

    requires: str
    """Versions it is tested with: ``>=`` and ``<`` clauses, such as ``">=1.50,<4"``."""

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch the library, given its imported top-level module.

        May raise: whatever ``patches`` holds by then is undone, and ``status()`` says ``failed``.
        """
        ...


def setting(name: str) -> Any:
    """The value of a setting, now: live settings may change while the program runs.

    ``capture_content`` is whether content is recorded anywhere: it may be on events alone.
    """
    if name == "capture_content":
        return _recorder_port.active.settings.records_content
    return getattr(_recorder_port.active.settings, name)


def tool_answers() -> Callable[[str, Any], Mapping[str, Any] | None] | None:
    """Who answers in the place of tools that run elsewhere, while a run is replayed; ``None`` in other programs.

    It is given a tool's name and its arguments, and returns the ``text`` of the recorded result and whether it
    ``is_error``, or an ``error`` of a code and a message; ``None`` where the tool is to run. It raises where the run
    asked for something else: let that pass.
    """
    return _recorder_port.tool_answer


def measure(metric: str, value: float, attributes: Mapping[str, Any]) -> None:
    """Tell of something that no span measures, such as how long a session lasted.

    Args:
        metric: its name in ``agentops_sdk.semconv_metrics``, in the pin state.
        value: in the metric's unit.
        attributes: those that its series differ by are taken, the others left.
    """
    if _recorder_port.measure is not None:
        _recorder_port.measure(metric, value, attributes)


def usage_attributes(shape: str, usage: Any) -> dict[str, Any]:
    """Token attributes from a provider's raw usage object; ``agentops_sdk._usage.provider_usage`` has the shapes."""
    from agentops_sdk._usage.provider_usage import usage_attributes as convert

    return convert(shape, usage)


def summed_cost(calls: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Attributes of what several model calls used and cost that one reply tells, each priced by itself."""
    from agentops_sdk._usage.summed_cost import summed_cost as convert

    return convert(calls)
