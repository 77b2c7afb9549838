"""Each integration as one of OpenTelemetry's instrumentors: what ``opentelemetry-instrument`` finds and begins.

It has the methods of ``BaseInstrumentor`` and does not inherit from it: its package is no dependency of ours. Spans go
to the program's TracerProvider, which is there by then, and to our own sinks.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Self, cast

from agentops_sdk._host.guard import guard

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

    from agentops_sdk.integration import Integration

__all__ = ["Instrumentor"]

_logger = logging.getLogger("agentops_sdk")


class Instrumentor:
    """One integration by its name, such as ``Instrumentor("openai")``; each name has one instance.

    Raises:
        ConfigError: no integration has that name.
    """

    integration: Integration
    _instances: dict[str, Instrumentor] = {}  # noqa: RUF012 - of the class, as with OpenTelemetry's own

    def __new__(cls, name: str) -> Self:
        if name not in cls._instances:
            new = super().__new__(cls)
            new.integration = _integration(name)
            new._active = False
            cls._instances[name] = new
        return cast("Self", cls._instances[name])

    _active: bool

    @property
    def is_instrumented_by_opentelemetry(self) -> bool:
        """Whether :meth:`instrument` was called, and :meth:`uninstrument` not since."""
        return self._active

    def instrumentation_dependencies(self) -> Collection[str]:
        """The library, and its versions, as ``pip`` writes them."""
        distribution = getattr(self.integration, "distribution", None) or self.integration.target.partition(".")[0]
        return (f"{distribution} {self.integration.requires}",)

    def instrument(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: Any = None,
        logger_provider: Any = None,
        skip_dep_check: bool = False,
        raise_exception_on_conflict: bool = False,
        **others: Any,
    ) -> None:
        """Record calls to the library, now or once it is imported; begins recording if nothing has.

        Settings come from the environment and from files, as by ``init()`` without arguments; ``AGENTOPS_INTEGRATIONS``
        can leave the library out.

        Args:
            tracer_provider: where spans go; the global one when not given. Of the first one that is instrumented it
                holds for all.
            meter_provider: the same for metrics.
            logger_provider: the same for events.
            skip_dep_check: whoever calls has looked whether the library is here.
            raise_exception_on_conflict: raise where it is not, instead of logging it.
            others: what other instrumentors understand.

        Raises:
            ModuleNotFoundError: the library is not installed, or too old, and the caller wants to hear of it.
        """
        if self._active:
            _logger.warning("agentops_sdk: %s is instrumented already", self.integration.name)
            return
        obstacle = self._obstacle()
        if obstacle is None:
            self._active = True
            if self.integration.name in _wanted():
                with guard("instrumentors.instrument"):
                    from agentops_sdk._pipeline import process_runtime

                    process_runtime.add_integration(self.integration, tracer_provider, meter_provider, logger_provider)
        elif raise_exception_on_conflict:
            raise ModuleNotFoundError(obstacle, name=self.integration.target)
        elif not skip_dep_check:
            _logger.error("agentops_sdk: %s", obstacle)

    def uninstrument(self, **others: Any) -> None:
        """Take the patches out again. With the last one that was instrumented, what it had begun ends."""
        if not self._active:
            _logger.warning("agentops_sdk: %s is not instrumented", self.integration.name)
            return
        self._active = False
        with guard("instrumentors.uninstrument"):
            from agentops_sdk._pipeline import process_runtime

            process_runtime.remove_integration(self.integration.name)

    def _obstacle(self) -> str | None:
        with guard("instrumentors.look"):
            from agentops_sdk._pipeline.registry import Installed

            state = Installed(self.integration).look()
            if state.state in ("not installed", "version too old"):
                return f"{self.integration.name} is not instrumented: {state.reason}"
        return None


@functools.cache
def _integrations() -> dict[str, Integration]:
    from agentops_sdk._pipeline.registry import find_integrations

    return find_integrations()


@functools.cache
def _wanted() -> Collection[str]:
    """Names of the integrations that the environment and files allow."""
    from agentops_sdk.config import resolve

    named = resolve({}).integrations
    return _integrations() if named is None else named


def _integration(name: str) -> Integration:
    from agentops_sdk.errors import ConfigError

    integrations = _integrations()
    if name not in integrations:
        raise ConfigError("integration", name, "one of " + ", ".join(sorted(integrations)))
    return integrations[name]


def __getattr__(name: str) -> Callable[[], Instrumentor]:
    """What an entry point names: ``agentops_sdk.instrumentors:openai``, which makes the instrumentor when called."""
    if name.startswith("_"):
        raise AttributeError(name)
    return functools.partial(Instrumentor, name)
