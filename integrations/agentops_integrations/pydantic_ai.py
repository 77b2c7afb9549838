"""Pydantic AI, through the spans that it makes itself: agents, model calls and tools, adopted as ours."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from agentops_sdk.integration import guard, setting

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches

_SCOPE = "pydantic-ai"


class PydanticAIIntegration:
    """Hands every agent a tracer of ours, unless the program's own instrumentation goes somewhere else."""

    name = "pydantic_ai"
    target = "pydantic_ai"
    distribution = "pydantic-ai-slim"
    requires = ">=2.60,<3"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Look at the settings that each run of an agent is instrumented by, and each request without an agent."""
        patches.when_imported(
            "pydantic_ai.agent", lambda agent: patches.wrap(agent.Agent, "_resolve_instrumentation_settings", _resolve)
        )
        patches.when_imported(
            "pydantic_ai.models.instrumented",
            lambda models: patches.wrap(models, "instrument_model", _instrument_model),
        )


def _instrument_model(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("pydantic_ai.model"):
        from pydantic_ai.models.instrumented import InstrumentationSettings

        values = dict(zip(("model", "instrument"), args, strict=False)) | kwargs
        instrument = values["instrument"]
        settings = InstrumentationSettings() if instrument is True else instrument or None
        args, kwargs = (values["model"], _adopted(settings)), {}
    return wrapped(*args, **kwargs)


def _resolve(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    settings = wrapped(*args, **kwargs)
    adopted = settings
    with guard("pydantic_ai.settings"):
        adopted = _adopted(settings)
    return adopted


def _adopted(settings: Any) -> Any:
    """The settings with a tracer of ours: none are the defaults, and those of another provider stay as they are."""
    from pydantic_ai.models.instrumented import InstrumentationSettings

    from agentops_sdk.integration.frameworks import AdoptingTracer, is_global

    content = bool(setting("capture_content"))
    if settings is None:
        ours = InstrumentationSettings(include_content=content, include_model_request_parameters=False)
        ours.tracer = AdoptingTracer(_SCOPE)
        return ours
    if not is_global(settings.tracer):
        return settings
    ours = copy.copy(settings)
    ours.tracer = AdoptingTracer(_SCOPE, content=settings.include_content)
    ours.include_content = settings.include_content and content
    return ours


integration = PydanticAIIntegration()
