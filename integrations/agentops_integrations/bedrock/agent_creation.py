"""``bedrock-agent`` and AgentCore's control plane: agents that are made, of all that is administered there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_integrations.bedrock.agent_runtime import model_of
from agentops_sdk.integration import semconv
from agentops_sdk.integration.clients import Asked, Attributes, Endpoint, Json
from agentops_sdk.integration.dialects import hosted_agents, text_value

_MADE_BY = {"bedrock-agent": ("CreateAgent",), "bedrock-agentcore-control": ("CreateHarness", "CreateAgentRuntime")}
"""By service, what makes an agent; the rest of these services is administration."""


def _creation(body: Json) -> Attributes:
    attributes = hosted_agents.creation(body)
    return {**attributes, semconv.REQUEST_MODEL: model_of(attributes[semconv.REQUEST_MODEL])}


def _core_creation(body: Json) -> Attributes:
    """AgentCore's harness is a model and its instructions; its runtime, an agent in a container of the program's."""
    configured = next((each for each in (body.get("model") or {}).values() if isinstance(each, Mapping)), {})
    texts = [each.get("text") for each in body.get("systemPrompt") or () if isinstance(each, Mapping)]
    said = [{"type": "text", "content": text} for text in texts if text_value(text)]
    return {
        semconv.AGENT_NAME: body.get("harnessName") or body.get("agentRuntimeName"),
        semconv.AGENT_DESCRIPTION: text_value(body.get("description")),
        semconv.REQUEST_MODEL: model_of(configured.get("modelId")),
        semconv.SYSTEM_INSTRUCTIONS: said or None,
    }


def _core_response(body: Json, asked: Json) -> Attributes:
    made = body.get("harness") or body
    return {
        semconv.AGENT_ID: text_value(made.get("harnessId") or made.get("agentRuntimeId")),
        semconv.AGENT_VERSION: text_value(made.get("harnessVersion") or made.get("agentRuntimeVersion")),
    }


ROWS = (
    Endpoint(
        path="CreateAgent", kind="span", operation="create_agent", named_by="agentName", request=_creation,
        response=hosted_agents.response,
    ),
    *(
        Endpoint(
            path=path, kind="span", operation="create_agent", named_by=name, request=_core_creation,
            response=_core_response,
        )
        for path, name in (("CreateHarness", "harnessName"), ("CreateAgentRuntime", "agentRuntimeName"))
    ),
)  # fmt: skip


def asked(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked | None:
    """A call that makes an agent; every call of every client of AWS comes by."""
    operations = _MADE_BY.get(client.meta.service_model.service_name)
    operation = args[0] if args else kwargs.get("operation_name")
    params = args[1] if len(args) > 1 else kwargs.get("api_params")
    if operations is None or operation not in operations or not isinstance(params, Mapping):
        return None
    return Asked(str(operation), params, url=str(client.meta.endpoint_url))
