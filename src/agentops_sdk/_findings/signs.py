"""What rules look for in texts: orders to an assistant, addresses, places of secrets, refusals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import orjson

__all__ = [
    "BEYOND_RULES", "ORDER", "REFUSAL", "SECRET_PLACE", "acts", "addresses", "answers", "domain_of", "fragments",
    "names_of_tools", "redactions", "talks", "text_of", "words_of_user",
]  # fmt: skip

_LONGEST: Final = 32_768
"""Characters of a text that are looked at. Repetitions in patterns are bounded, so that no text takes long."""
_MOST: Final = 200

ORDER: Final = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|preceding|system|your)\b"
    r"[^.\n]{0,30}\b(?:instructions?|prompts?|rules|directions|guidelines)\b"
    r"|\b(?:new|updated|real|actual) (?:system )?instructions?\s*:"
    r"|\byou (?:are|must) now\b[^.\n]{0,40}\b(?:mode|act as|obey|follow)\b"
    r"|\b(?:do not|don't|never)\b[^.\n]{0,20}\b(?:tell|inform|mention (?:this|it) to)\b[^.\n]{0,20}\busers?\b"
    r"|\b(?:AI|LLM|language model|assistant|agent)s?\b[^.\n]{0,40}\b(?:must|should|has to|have to|are to|please)\b"
    r"[^.\n]{0,60}\b(?:call|run|send|forward|execute|post|e-?mail|upload|delete|transfer|share)\b"
    r"|<\s*/?\s*(?:system|assistant|instructions?)\s*>|\[/?INST\]|<\|im_start\|>"
    "|[\u200b\u2060\U000e0000-\U000e007f]{4,}",
    re.IGNORECASE,
)
ADDRESS: Final = re.compile(
    r"https?://([\w.-]{1,253})|(?<![\w.+-])[\w.+-]{1,64}@((?:[\w-]{1,63}\.){1,8}[\w-]{1,63})", re.IGNORECASE
)
SECRET_PLACE: Final = re.compile(
    r"(?:^|[\W_])(?:\.env|id_rsa|id_ed25519|\.ssh|\.aws|\.netrc|\.pgpass|credentials?|secrets?|shadow|keychain|vault|"
    r"service[-_]account|api[-_]?keys?|kubeconfig)(?:$|[\W_])|\.(?:pem|p12|keystore|kdbx)\b",
    re.IGNORECASE,
)
REFUSAL: Final = re.compile(
    r"\s*(?:(?:I'm|I am) (?:very |so )?sorry|sorry|I can(?:'|’)?t|I can ?not|I won(?:'|’)t|I will not|"
    r"(?:I am|I'm) (?:unable|not able))\b[^\n]{0,120}\b(?:help|assist|comply|do that|with that|provide|that request|"
    r"support|continue)\b",
    re.IGNORECASE,
)
BEYOND_RULES: Final = re.compile(
    r"\b(?:pretend|imagine|act|role-?play|respond|answer|behave)\b[^.\n]{0,80}\b(?:no|without(?: any)?|free of) "
    r"(?:\w+ )?(?:rules|restrictions|limits|limitations|filters|guidelines|safeguards|policies)\b"
    r"|\b(?:developer|debug|god|unrestricted|unfiltered|jailbreak) mode\b|\bjailbreak\b"
    r"|\b(?:ignore|disregard|forget)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|your)\b[^.\n]{0,30}"
    r"\b(?:instructions?|rules|guidelines|policies)\b",
    re.IGNORECASE,
)
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ACTS: Final = frozenset(
    (
        *("send", "post", "publish", "email", "mail", "upload", "delete", "remove", "drop", "write", "update", "share"),
        *("transfer", "pay", "refund", "purchase", "order", "exec", "execute", "shell", "bash", "deploy", "forward"),
        *("invite", "grant", "approve", "cancel"),
    )
)
_TALKS: Final = frozenset(
    (
        *("http", "https", "fetch", "request", "browse", "download", "upload", "post", "send", "email", "mail", "web"),
        *("webhook", "slack", "publish", "forward", "curl", "notify", "sms", "url", "api"),
    )
)
_REDACTED: Final = re.compile(r"\[redacted:[a-z0-9-]+\]")
_FRAGMENT: Final = re.compile(r"[A-Za-z0-9_-]{20,}")


def text_of(value: Any) -> str:
    """A value of a span as text, the first 32,768 characters of it."""
    if isinstance(value, str):
        return value[:_LONGEST]
    return " ".join(map(str, value))[:_LONGEST] if isinstance(value, list | tuple) else ""


def addresses(text: str) -> frozenset[str]:
    """Hosts that are called or written to in a text, in lower case."""
    return frozenset((found[1] or found[2]).lower().rstrip(".") for found in ADDRESS.finditer(text))


def domain_of(host: str) -> str:
    """What hosts of one owner have in common, roughly: the last two names of it; of an address all of it."""
    names = host.split(".")
    return host if names[-1].isdigit() or len(names) < 3 else ".".join(names[-2:])


def redactions(text: str) -> frozenset[str]:
    """Sorts of secrets that were redacted in a text."""
    return frozenset(_REDACTED.findall(text))


def fragments(text: str) -> frozenset[int]:
    """Hashes of its long words, of which secrets are made; no word itself is kept."""
    found = (match[0].strip("-_") for match in _FRAGMENT.finditer(text))
    return frozenset(hash(word) for word, _ in zip(found, range(_MOST), strict=False) if len(word) >= 20)


def acts(tool: str) -> bool:
    """Whether a tool does something, by its name."""
    return not _ACTS.isdisjoint(_words(tool))


def talks(tool: str) -> bool:
    """Whether a tool talks to the network, by its name."""
    return not _TALKS.isdisjoint(_words(tool))


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def names_of_tools(definitions: Any) -> frozenset[str]:
    """The tools that a model was offered."""
    tools = _items(definitions)
    functions = [tool["function"] for tool in tools if isinstance(tool.get("function"), dict)]
    return frozenset(str(tool["name"]) for tool in (*tools, *functions) if tool.get("name"))


def words_of_user(messages: Any) -> str:
    """What the user wrote, in the messages that a model was given."""
    parts: list[str] = []
    for message in _items(messages):
        if message.get("role") == "user":
            parts += _texts(message.get("parts", message.get("content")))
    return "\n".join(parts)[:_LONGEST]


def answers(messages: Any) -> list[str]:
    """What a model said, each piece of text by itself."""
    return [text for message in _items(messages) for text in _texts(message.get("parts", message.get("content")))]


def _texts(parts: Any) -> Iterable[str]:
    if isinstance(parts, str):
        yield parts
    for part in parts if isinstance(parts, list) else ():
        text = (part.get("content") or part.get("text")) if isinstance(part, dict) else part
        if isinstance(text, str):
            yield text


def _items(value: Any) -> list[dict[str, Any]]:
    """A list of objects, as it is or in JSON; of what was cut nothing."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except ValueError:
            return []
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
