"""Content as OpenAI's APIs write it, turned into the message parts of the GenAI conventions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

Part = dict[str, Any]

_EXTENSION_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "opus": "audio/opus",
    "pcm16": "audio/pcm",
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "txt": "text/plain",
}
_MODALITIES = ("image", "video", "audio")


def text(content: str) -> Part:
    return {"type": "text", "content": content}


def of_content(content: Any) -> list[Part]:
    """The parts of a message's ``content``: a string, a list of blocks, or nothing."""
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [text(content)]
    if isinstance(content, Mapping):
        return [of_block(content)]
    if isinstance(content, list):
        return [of_block(block) for block in content]
    return [text(str(content))]


def of_block(block: Any) -> Part:
    """One content block; a kind nobody has heard of becomes a generic part with what it held."""
    if isinstance(block, str):
        return text(block)
    if not isinstance(block, Mapping):
        return {"type": "unknown", "content": block}
    kind = str(block.get("type", ""))
    read = _BLOCKS.get(kind)
    return read(block) if read is not None else generic(block)


def generic(block: Mapping[str, Any], kind: str | None = None) -> Part:
    """A part of a kind the conventions do not know, with everything it held."""
    return {**block, "type": kind or str(block.get("type") or "unknown")}


def arguments(raw: Any) -> Any:
    """Tool arguments: the JSON they are, or the text as it came where it is none."""
    if not isinstance(raw, str):
        return raw
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw


def reasoning(content: Any) -> Part:
    return {"type": "reasoning", "content": flat(content)}


def flat(content: Any) -> str:
    """The text in a string, a block, or a list of blocks; nothing is put between them."""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        for name in ("text", "content", "thinking", "summary", "refusal"):
            if content.get(name):
                return flat(content[name])
        return ""
    if isinstance(content, list):
        return "".join(map(flat, content))
    return ""


def _text(block: Mapping[str, Any]) -> Part:
    part = text(flat(block.get("text")))
    if block.get("annotations"):
        part["annotations"] = block["annotations"]
    if block.get("logprobs"):
        part["logprobs"] = block["logprobs"]
    return part


def _refusal(block: Mapping[str, Any]) -> Part:
    return {"type": "refusal", "content": flat(block.get("refusal"))}


def _image(block: Mapping[str, Any]) -> Part:
    source = block.get("image_url")
    url = source.get("url") if isinstance(source, Mapping) else source
    if isinstance(url, str):
        return of_url(url, "image")
    return _file(block, "image")


def type_of_extension(name: Any) -> str | None:
    """The media type that an extension, or a format's short name, stands for."""
    return _EXTENSION_TYPES.get(name) if isinstance(name, str) else None


def _audio(block: Mapping[str, Any]) -> Part:
    source = block.get("input_audio") or block.get("audio") or block
    if not isinstance(source, Mapping):
        return generic(block)
    return {
        "type": "blob",
        "modality": "audio",
        "mime_type": type_of_extension(source.get("format")),
        "content": str(source.get("data") or ""),
    }


def _document(block: Mapping[str, Any]) -> Part:
    source = block.get("file")
    return _file(source if isinstance(source, Mapping) else block, "document")


def _video(block: Mapping[str, Any]) -> Part:
    source = block.get("video_url")
    url = source.get("url") if isinstance(source, Mapping) else source
    return of_url(url, "video") if isinstance(url, str) else generic(block)


def _file(source: Mapping[str, Any], modality: str) -> Part:
    name = source.get("filename")
    mime = _EXTENSION_TYPES.get(str(name).rpartition(".")[2].lower()) if name else None
    if source.get("file_id"):
        part: Part = {
            "type": "file",
            "modality": modality,
            "mime_type": mime,
            "file_id": str(source["file_id"]),
        }
    elif source.get("file_url"):
        part = {
            "type": "uri",
            "modality": modality,
            "mime_type": mime,
            "uri": str(source["file_url"]),
        }
    elif source.get("file_data"):
        part = of_url(str(source["file_data"]), modality)
        if part["type"] == "uri":  # bare base64, as some servers take it
            part = {"type": "blob", "modality": modality, "content": part["uri"]}
        part["mime_type"] = part.get("mime_type") or mime
    else:
        return generic(source, str(source.get("type") or "file_reference"))
    if name:
        part["name"] = str(name)
    return part


def of_url(url: str, modality: str) -> Part:
    """A link as a ``uri`` part, a ``data:`` link as the ``blob`` it is."""
    if not url.startswith("data:"):
        return {"type": "uri", "modality": modality, "mime_type": None, "uri": url}
    head, _, content = url[5:].partition(",")
    mime = head.partition(";")[0] or None
    family = (mime or "").partition("/")[0]
    return {
        "type": "blob",
        "modality": family if family in _MODALITIES else modality,
        "mime_type": mime,
        "content": content,
    }


_BLOCKS = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "summary_text": _text,
    "refusal": _refusal,
    "image_url": _image,
    "input_image": _image,
    "computer_screenshot": _image,
    "input_audio": _audio,
    "output_audio": _audio,
    "audio": _audio,
    "file": _document,
    "input_file": _document,
    "video_url": _video,
    "reasoning_text": reasoning,
    "thinking": reasoning,
    "reasoning": reasoning,
}
