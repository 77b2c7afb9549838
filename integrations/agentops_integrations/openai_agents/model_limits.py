"""Asks about limits before a model is asked: what the SDK's processors raise it swallows, so its models are watched."""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import Any

from agentops_sdk.integration import Patches, guard, refusal_async
from agentops_sdk.integration.frameworks import Run, Runs

_SITE = "openai_agents.limits"

_MODELS = (
    ("agents.models.openai_responses", "OpenAIResponsesModel", ("_fetch_response",)),
    ("agents.models.openai_responses", "OpenAIResponsesWSModel", ("_fetch_response",)),
    ("agents.models.openai_chatcompletions", "OpenAIChatCompletionsModel", ("_fetch_response",)),
    ("agents.extensions.models.litellm_model", "LitellmModel", ("_fetch_response",)),
    (
        "agents.extensions.models.any_llm_model",
        "AnyLLMModel",
        ("_fetch_responses_response", "_fetch_chat_response"),
    ),
)
"""Where each of the SDK's models sends its request, inside of the call's span."""


def install(patches: Patches, runs: Runs) -> None:
    """Have each of the SDK's models ask before it sends a request."""

    async def asked(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        run: Run | None = None
        with guard(_SITE):
            run = runs.current()
        if run is not None and run.kind == "llm" and (refused := await refusal_async(_SITE, run.call)) is not None:
            raise refused
        return await wrapped(*args, **kwargs)

    def wrap(owner: str, names: tuple[str, ...], module: ModuleType) -> None:
        cls = getattr(module, owner, None)
        for name in names if cls is not None else ():  # each came with a version of its own
            patches.wrap(cls, name, asked)

    for module, owner, names in _MODELS:
        patches.when_imported(module, partial(wrap, owner, names))
