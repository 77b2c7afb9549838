"""Content keeps to the conventions' schemas, whatever kinds of messages, blocks and items come, whole or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentops_integrations import cohere, ollama
from agentops_integrations.bedrock import converse
from agentops_integrations.google_genai import content as gemini
from agentops_sdk import semconv
from agentops_sdk._genai import anthropic_messages, openai_chat, openai_responses
from agentops_sdk._genai.memory_values import records_of
from agentops_sdk._genai.values_told import told_by_values
from agentops_sdk.traces.conformance import json_schema
from agentops_sdk.traces.conformance.conventions import schema_of
from agentops_sdk.traces.formats.chat_messages import documents, messages

CONTENT = (
    semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES, semconv.SYSTEM_INSTRUCTIONS, semconv.TOOL_DEFINITIONS,
    semconv.RETRIEVAL_DOCUMENTS, semconv.MEMORY_RECORDS,
)  # fmt: skip
TEXT = st.sampled_from(["", "hi", "ünïcode", '{"a": 1}'])
ANY = st.none() | st.booleans() | st.integers(-9, 9) | TEXT | st.just([]) | st.just({}) | st.just([{"a": None}])
ROLES = st.sampled_from(["user", "assistant", "system", "developer", "tool", "function", "critic", None, 3])
TYPES = (
    "text", "input_text", "output_text", "refusal", "image", "image_url", "input_image", "input_audio", "audio", "file",
    "input_file", "document", "thinking", "redacted_thinking", "reasoning", "summary_text", "tool_use", "tool_result",
    "server_tool_use", "web_search_tool_result", "mcp_tool_use", "mcp_tool_result", "function_call", "message",
    "function_call_output", "web_search_call", "file_search_call", "code_interpreter_call", "computer_call",
    "computer_call_output", "image_generation_call", "mcp_call", "mcp_list_tools", "mcp_approval_request",
    "custom_tool_call", "local_shell_call", "item_reference", "compaction", "unheard_of", None, 7,
)  # fmt: skip
SOURCE = st.fixed_dictionaries({}, optional={
    "type": st.sampled_from(["base64", "url", "file", "text", "content", None]), "data": ANY, "url": ANY,
    "media_type": ANY, "file_id": ANY, "content": ANY,
})  # fmt: skip
FIELDS = (
    "text", "content", "id", "call_id", "name", "arguments", "input", "output", "result", "thinking", "signature",
    "refusal", "file_id", "tool_use_id", "image_url", "input_audio", "file", "summary", "action", "status", "data",
    "transcript", "queries", "results", "code", "outputs", "cache_control", "encrypted_content", "role",
)  # fmt: skip
BLOCKS = st.lists(st.fixed_dictionaries({"type": st.sampled_from(TYPES), "text": ANY}), max_size=2)
PART = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES)},
    optional={**dict.fromkeys(FIELDS, ANY), "source": SOURCE, "content": ANY | BLOCKS},
)
PARTS = st.none() | TEXT | PART | st.lists(PART | TEXT | ANY, max_size=4)
CALL = st.fixed_dictionaries({}, optional={
    "id": ANY, "type": st.sampled_from(["function", "custom", None]), "custom": ANY,
    "function": ANY | st.fixed_dictionaries({}, optional={"name": ANY, "arguments": ANY}),
})  # fmt: skip
MESSAGE = ANY | st.fixed_dictionaries({}, optional={
    "role": ROLES, "content": PARTS, "tool_calls": ANY | st.lists(CALL | ANY, max_size=2), "name": ANY,
    "tool_call_id": ANY, "refusal": ANY, "audio": ANY, "function_call": ANY, "reasoning_content": ANY, "type": ANY,
})  # fmt: skip
TOOL = ANY | st.fixed_dictionaries({}, optional={
    "type": st.sampled_from(["function", "custom", "web_search", "mcp", None, 1]), "name": ANY, "description": ANY,
    "parameters": ANY, "input_schema": ANY,
    "function": ANY | st.fixed_dictionaries({}, optional={"name": ANY, "description": ANY, "parameters": ANY}),
})  # fmt: skip
BODY = st.fixed_dictionaries({}, optional={
    "messages": ANY | st.lists(MESSAGE, max_size=3), "input": PARTS | st.lists(MESSAGE, max_size=3), "system": PARTS,
    "instructions": PARTS, "tools": ANY | st.lists(TOOL, max_size=2), "prompt": ANY,
})  # fmt: skip
CHOICE = ANY | st.fixed_dictionaries({}, optional={
    "index": ANY, "finish_reason": ANY, "message": MESSAGE, "text": ANY,
})  # fmt: skip
REPLY = st.fixed_dictionaries({}, optional={
    "choices": ANY | st.lists(CHOICE, max_size=2), "output": ANY | st.lists(PART | MESSAGE, max_size=3),
    "content": PARTS, "stop_reason": ANY, "status": st.sampled_from(["completed", "incomplete", "failed", None, 1]),
    "incomplete_details": ANY, "instructions": PARTS, "tools": ANY | st.lists(TOOL, max_size=2),
})  # fmt: skip
FIELDS_OF_OTHERS = (
    "id", "name", "args", "response", "data", "mimeType", "mime_type", "fileUri", "toolType", "code", "outcome",
    "toolUseId", "input", "status", "format", "text",
)  # fmt: skip
PIECES = ANY | st.lists(st.fixed_dictionaries({}, optional={"text": ANY, "json": ANY}), max_size=2)
HELD = ANY | st.fixed_dictionaries({}, optional={
    **dict.fromkeys(FIELDS_OF_OTHERS, ANY), "content": PIECES,
    "source": st.fixed_dictionaries({}, optional={
        "bytes": ANY, "text": ANY, "content": PIECES, "s3Location": ANY | st.fixed_dictionaries({"uri": ANY}),
    }),
    "reasoningText": ANY | st.fixed_dictionaries({}, optional={"text": ANY}),
})  # fmt: skip
GEMINI = st.lists(ANY | st.fixed_dictionaries({}, optional={"role": ROLES, "parts": ANY | st.lists(
    TEXT | st.fixed_dictionaries({}, optional=dict.fromkeys(
        ("text", "thought", "functionCall", "function_call", "functionResponse", "inlineData", "fileData", "toolCall",
         "toolResponse", "executableCode", "codeExecutionResult", "unheardOf"), HELD,
    )), max_size=3,
)}), max_size=2)  # fmt: skip
CONVERSE = ANY | st.fixed_dictionaries({}, optional={"role": ROLES, "content": ANY | st.lists(st.one_of(
    *(st.fixed_dictionaries({kind: HELD}) for kind in (
        "text", "toolUse", "toolResult", "reasoningContent", "image", "video", "audio", "document", "citationsContent",
        "guardContent", "cachePoint",
    )),
), max_size=3)})  # fmt: skip
DIALECTS = (openai_chat, openai_responses, anthropic_messages)
often = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def fits(attributes: dict[str, Any]) -> None:
    for name in CONTENT:
        value = attributes.get(name)
        schema = schema_of(name)
        if value is not None and schema is not None:
            assert json_schema.errors(value, schema) == [], (name, value)


def _parts_by_type() -> dict[str, dict[str, Any]]:
    found = {}
    for name in CONTENT:
        schema = schema_of(name) or {}
        for part in schema.get("$defs", {}).values():
            if kind := part.get("properties", {}).get("type", {}).get("const"):
                found[kind] = {**part, "$defs": schema["$defs"]}
    return found


OF_TYPE = _parts_by_type()
"""What the conventions say of a part of each type: the schema of a message lets it be anything."""


def fits_its_type(messages: Any) -> None:
    for message in messages or ():
        for part in message["parts"]:
            if part["type"] in OF_TYPE:
                assert json_schema.errors(part, OF_TYPE[part["type"]]) == [], part


def told(read: Callable[..., dict[str, Any]], *bodies: Any) -> dict[str, Any]:
    """What is read of a body; what is no body at all tells nothing, which the guard around it counts."""
    try:
        return read(*bodies)
    except (TypeError, AttributeError, ValueError, KeyError, IndexError):
        return {}


@often
@given(BODY)
def test_requests(body: Any) -> None:
    for dialect in DIALECTS:
        read = openai_chat.chat_request if dialect is openai_chat else dialect.request
        fits(told(read, body))


@often
@given(REPLY, BODY)
def test_replies(reply: Any, asked: Any) -> None:
    for dialect in DIALECTS:
        fits(told(dialect.response, reply, asked))


@settings(often, max_examples=40)
@given(GEMINI, CONVERSE, BODY, REPLY)
def test_clients_with_forms_of_their_own(contents: Any, message: Any, body: Any, reply: Any) -> None:
    assert len(OF_TYPE) > 7
    for attributes in (
        told(gemini.request, {"contents": contents}),
        told(gemini.response, {"candidates": [{"content": each} for each in contents]}, {}),
        told(converse._converse_request, {"messages": [message], "system": message}),
        told(converse._converse_response, {"output": {"message": message}}, {}),
        told(cohere._request, body), told(cohere._old_request, body), told(ollama._chat_request, body),
        told(ollama._response, {"message": reply}, body),
    ):  # fmt: skip
        fits(attributes)
        fits_its_type(attributes.get(semconv.INPUT_MESSAGES))
        fits_its_type(attributes.get(semconv.OUTPUT_MESSAGES))


@often
@given(st.one_of(PARTS, MESSAGE, st.lists(MESSAGE, max_size=3), st.fixed_dictionaries({"messages": PARTS})))
def test_values_of_a_program(value: Any) -> None:
    fits({semconv.INPUT_MESSAGES: messages(value, "user"), semconv.OUTPUT_MESSAGES: messages(value, "assistant")})
    fits(told_by_values("retriever", {semconv.INPUT: value, semconv.OUTPUT: value}))
    fits({semconv.MEMORY_RECORDS: records_of(value), semconv.RETRIEVAL_DOCUMENTS: None})
    assert isinstance(documents(value), list)
