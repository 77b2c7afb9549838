"""The dialects of OpenAI's API, which a dozen other providers and servers speak, and what they are made of."""

from __future__ import annotations

from agentops_sdk._genai import (
    message_parts,
    openai_chat,
    openai_items,
    openai_responses,
    openai_tools,
)
from agentops_sdk._genai.json_text import dumps
from agentops_sdk._genai.openai_chat import number

__all__ = ["dumps", "message_parts", "number", "openai_chat", "openai_items", "openai_responses", "openai_tools"]
