"""Images, speech, transcriptions and translations, as OpenAI's API has them, and others after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_sdk import semconv
from agentops_sdk._genai import message_parts as parts
from agentops_sdk._genai.fields import number

Json = Mapping[str, Any]


def request(body: Json) -> dict[str, Any]:
    text = body.get("prompt") if isinstance(body.get("prompt"), str) else body.get("input")
    count = body.get("n")
    attributes: dict[str, Any] = {
        semconv.REQUEST_CHOICE_COUNT: count if isinstance(count, int) and count != 1 else None,
        semconv.REQUEST_TEMPERATURE: number(body.get("temperature")),
    }
    if isinstance(text, str):
        attributes[semconv.INPUT_MESSAGES] = [{"role": "user", "parts": [parts.text(text)]}]
    instructions = body.get("instructions")
    if isinstance(instructions, str):
        attributes[semconv.SYSTEM_INSTRUCTIONS] = [parts.text(instructions)]
    return attributes


def image_request(body: Json) -> dict[str, Any]:
    return {**request(body), semconv.OUTPUT_TYPE: "image"}


def speech_request(body: Json) -> dict[str, Any]:
    text = body.get("input")
    characters = len(text) if isinstance(text, str) else None
    return {**request(body), semconv.OUTPUT_TYPE: "speech", semconv.USAGE_CHARACTERS: characters or None}


def transcription_request(body: Json) -> dict[str, Any]:
    wanted = str(body.get("response_format") or "json")
    return {
        **request(body),
        semconv.OUTPUT_TYPE: "json" if "json" in wanted else "text",
    }


def response(body: Json, asked: Json) -> dict[str, Any]:
    content: list[parts.Part] = []
    if isinstance(body.get("text"), str):
        content.append(parts.text(body["text"]))
    for image in body.get("data") or ():
        if isinstance(image, Mapping):
            content += _image(
                image,
                str(body.get("output_format") or asked.get("output_format") or "png"),
            )
    attributes: dict[str, Any] = {
        semconv.RESPONSE_ID: body.get("id"),
        semconv.RESPONSE_MODEL: body.get("model"),
    }
    if content:
        attributes[semconv.OUTPUT_MESSAGES] = [{"role": "assistant", "parts": content}]
    return attributes


def _image(image: Json, form: str) -> list[parts.Part]:
    result: list[parts.Part] = []
    if image.get("b64_json"):
        result.append(
            {
                "type": "blob",
                "modality": "image",
                "mime_type": f"image/{form}",
                "content": str(image["b64_json"]),
            }
        )
    elif image.get("url"):
        result.append(parts.of_url(str(image["url"]), "image"))
    if image.get("revised_prompt"):
        result.append(parts.text(str(image["revised_prompt"])))
    return result


def assemble(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The events of an image or transcription stream: the finished image or text, or the text so far."""
    body: dict[str, Any] = {}
    text = ""
    for event in events:
        kind = str(event.get("type", ""))
        piece = event.get("delta", event.get("text"))
        if kind.endswith(".delta") and isinstance(piece, str):
            text += piece
        elif kind.endswith((".completed", ".done")):
            body.update(event)
            if event.get("b64_json"):
                body["data"] = [{"b64_json": event["b64_json"]}]
    if text:
        body.setdefault("text", text)
    return body


def usage(body: Json) -> Json | None:
    figures = body.get("usage")
    return figures if isinstance(figures, Mapping) else None


# --- transcriptions: billed by tokens, or by how long the sound was ---------------------------------


def transcription_usage(body: Json) -> Json | None:
    """What is billed; where that is not told, how long the sound was, which the long form of a reply tells."""
    told, seconds = usage(body), body.get("duration")
    if told is None and type(seconds) in (int, float):
        return {"seconds": seconds}
    return told


def transcription(body: Json, asked: Json) -> dict[str, Any]:
    """The text. Of a short form without figures nobody knows what was heard, and its text is the least of it."""
    untold = transcription_usage(body) is None and "error" not in body
    reason = "the reply does not tell how long the sound was" if untold else None
    return {**response(body, asked), semconv.COST_UNKNOWN_REASON: reason}
