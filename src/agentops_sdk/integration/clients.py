"""For integrations with model clients: the table of endpoints, and the kinds of client."""

from __future__ import annotations

from agentops_sdk._genai.providers import provider_of, takes_stream_options
from agentops_sdk._http.endpoint import (
    ID,
    Attributes,
    ByteFilter,
    Endpoint,
    Endpoints,
    Events,
    Exchanged,
    Json,
    Outgoing,
    Prepared,
    error_field,
    generic_request,
    generic_response,
    merged,
)
from agentops_sdk._http.exchange import Exchange, address
from agentops_sdk._http.exchange import current as current_exchange
from agentops_sdk._http.generated import GeneratedClient
from agentops_sdk._http.methods import Asked, Method, MethodClient
from agentops_sdk._http.other_wrappers import other_wrappers
from agentops_sdk._http.reply_frame import frame_methods
from agentops_sdk._http.reply_steps import EventText, ReplySteps
from agentops_sdk._http.socket_listener import Listener, Stop, Watched, listen
from agentops_sdk._http.stream import watch_items

__all__ = [
    "ID",
    "Asked",
    "Attributes",
    "ByteFilter",
    "Endpoint",
    "Endpoints",
    "EventText",
    "Events",
    "Exchange",
    "Exchanged",
    "GeneratedClient",
    "Json",
    "Listener",
    "Method",
    "MethodClient",
    "Outgoing",
    "Prepared",
    "ReplySteps",
    "Stop",
    "Watched",
    "address",
    "current_exchange",
    "error_field",
    "frame_methods",
    "generic_request",
    "generic_response",
    "listen",
    "merged",
    "other_wrappers",
    "provider_of",
    "takes_stream_options",
    "watch_items",
]
