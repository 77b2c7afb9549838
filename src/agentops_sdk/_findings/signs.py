"""What rules look for in texts: orders to an assistant, addresses, places of secrets, refusals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import orjson

__all__ = [
    "BEYOND_RULES", "ORDER", "REFUSAL", "SECRET_PLACE", "addresses", "answers", "deeds", "domain_of", "fragments",
    "keeps_secrets", "names_of_tools", "redactions", "talks", "text_of", "wishes", "words_of_user",
]  # fmt: skip

_LONGEST: Final = 32_768
"""Characters of a text that are looked at. Repetitions in patterns are bounded, so that no text takes long."""
_MOST: Final = 2_000
"""Pieces of a text that are compared."""

_RULES: Final = r"\b(?:instructions?|prompts?|rules|directions|guidelines)\b"
_MACHINE: Final = r"(?:AI|LLM|(?:large )?language model|chatbot)s?"
_DO: Final = (
    r"(?:call|run|send|forward|execute|post|publish|e-?mail|upload|delete|transfer|share|open|reveal|approve|pay)"
)
ORDER: Final = re.compile(
    # what it was told is to hold no more
    r"\b(?:ignore|disregard|forget|override|skip|bypass|set aside|stop (?:following|obeying))\b[^.\n]{0,40}"
    rf"\b(?:previous|prior|above|earlier|preceding|system|your)\b[^.\n]{{0,30}}{_RULES}"
    r"|\b(?:ignore|disregard|forget|override|skip|bypass|set aside|stop (?:following|obeying))\b[^.\n]{0,40}"
    r"\byou (?:were|have been|had been|are) (?:told|given|asked|taught)\b"
    rf"|\byour\b[^.\n]{{0,30}}{_RULES}[^.\n]{{0,15}}"
    r"\b(?:void|suspended|revoked|cancelled|lifted|no longer (?:apply|valid|hold|count)|do(?:es)? not apply)\b"
    r"|\b(?:new|updated|real|actual) (?:system )?instructions?\s*:|\b(?:system|admin|developer) override\b"
    # the same in German, French, Spanish, Italian, Portuguese and Dutch
    r"|\b(?:ignorier|vergiss|vergessen sie|missacht)\w*\b[^.\n]{0,40}"
    r"\b(?:bisherig|vorherig|obig|früher|dein|ihre|alle)\w*[^.\n]{0,30}\b(?:anweisung|regel|vorgabe|instruktion)\w*"
    r"|\b(?:ignor|oubli)(?:e|es|ez)\b[^.\n]{0,40}\b(?:instructions|consignes|règles)\b"
    r"|\b(?:ignor[ae]|olvid[ae]|descart[ae])\b[^.\n]{0,40}\b(?:instrucciones|reglas|indicaciones)\b"
    r"|\b(?:ignora|dimentica|ignorate)\b[^.\n]{0,40}\b(?:istruzioni|regole)\b"
    r"|\b(?:ignor[ae]|esqueç?[ae])\b[^.\n]{0,40}\b(?:instruções|regras)\b"
    r"|\b(?:negeer|vergeet)\b[^.\n]{0,40}\b(?:instructies|regels|aanwijzingen)\b"
    # it is spoken to, as a machine or as who reads this
    r"|\byou (?:are|must) now\b[^.\n]{0,40}\b(?:mode|act as|obey|follow)\b"
    rf"|\b{_MACHINE}\b[^.\n]{{0,40}}\b(?:must|should|has to|have to|are to|please)\b[^.\n]{{0,60}}\b{_DO}\b"
    rf"|\b(?:{_MACHINE}|assistants?|agents?|bots?|readers?)\b[^.\n]{{0,20}}\b(?:reading|processing|seeing) this\b"
    r"|\b(?:note|message|attention|notice)(?: to| for)?[\s:,]{1,3}(?:the |any |all )?"
    rf"(?:(?:AI|automated) \w+|{_MACHINE}|assistants?|chatbots?|bots?)\b"
    rf"|\bif you(?: are|'re) (?:an? |the )(?:{_MACHINE}|assistant|bot|agent)\b"
    # and not to tell
    r"|\b(?:do not|don't|never)\b[^.\n]{0,20}\b(?:tell|inform|mention (?:this|it) to)\b[^.\n]{0,5}"
    r"\b(?:the|this|your) user\b"
    # turns of a conversation where none belong
    rf"|<\s*/?\s*(?:system|assistant|instructions?)\s*>[^<]{{0,200}}\b{_DO}\b|\[/?INST\]|<\|im_start\|>"
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
    r"\s*(?:(?:I(?:'|’)m|I am) (?:very |so )?sorry|sorry|I can(?:'|’)?t|I can ?not|I won(?:'|’)t|I will not|"
    r"(?:I am|I(?:'|’)m) (?:unable|not able))\b[^\n]{0,120}"
    r"\b(?:help|assist|comply|do that|with that|provide|that request|support|continue|fulfil+|discuss|engage)\b"
    r"|\s*(?:(?:I(?:'|’)m|I am) (?:very |so )?sorry\W{1,3}(?:but )?)?(?:I (?:must|have to|need to) (?:decline|refuse)|"
    r"I(?:'|’| woul)d rather not|(?:I am|I(?:'|’)m) not going to|that(?:'|’| i)s not something I (?:can|will))\b"
    r"|\s*(?:es tut mir leid|tut mir leid|dabei kann ich|je suis désolée?|je ne peux pas|lo siento|no puedo ayudar|"
    r"mi dispiace|non posso|desculpe|não posso|het spijt me)\b",
    re.IGNORECASE,
)
BEYOND_RULES: Final = re.compile(
    r"\b(?:pretend|imagine|act|role-?play|respond|answer|behave|you(?: are|'re| have))\b[^.\n]{0,80}"
    r"\b(?:no|without(?: any)?|free (?:of|from)) (?:\w+ )?"
    r"(?:rules?|restrictions?|limits|limitations?|filters?|guidelines?|safeguards?|polic(?:y|ies))\b"
    r"|\b(?:developer|debug|god|unrestricted|unfiltered|jailbreak) mode\b|\bjailbreak\b"
    r"|\b(?:ignore|disregard|forget|break)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|your|every|all)\b[^.\n]{0,30}"
    r"\b(?:instructions?|rules?|guidelines?|polic(?:y|ies))\b"
    r"|\b(?:uncensored|unrestricted|unfiltered) (?:AI|model|assistant|version)\b",
    re.IGNORECASE,
)
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_DEEDS: Final = {
    word: deed
    for deed, words in {
        "tell": "send post publish email mail upload share forward invite",
        "remove": "delete remove drop cancel",
        "write": "write update deploy",
        "pay": "transfer pay refund purchase order",
        "run": "exec execute shell bash",
        "allow": "grant approve",
    }.items()
    for word in words.split()
}
"""What tools do by words of their names."""
_ASKED: Final = {**_DEEDS, "reply": "tell", "erase": "remove", "fix": "write", "change": "write", "edit": "write",
                 "save": "write", "buy": "pay", "run": "run", "start": "run"}  # fmt: skip
"""And how people ask for it."""
_WISH: Final = re.compile(
    rf"(?:^|[.!?;:,\n]\s*|\b(?:and|then|please|to|you|let's)\s+)({'|'.join(_ASKED)})\b", re.IGNORECASE
)
_SECRETS: Final = frozenset(
    ("secret", "secrets", "credential", "credentials", "password", "passwords", "vault", "keychain", "keyring", "env",
     "environ", "environment", "getenv", "printenv")
)  # fmt: skip
_TALKS: Final = frozenset(
    (
        *("http", "https", "fetch", "request", "browse", "download", "upload", "post", "send", "email", "mail", "web"),
        *("webhook", "slack", "publish", "forward", "curl", "notify", "sms", "url", "api"),
    )
)
_REDACTED: Final = re.compile(r"\[redacted:[a-z0-9-]+\]")
_FRAGMENT: Final = re.compile(r"[A-Za-z0-9_-]{20,}")
_PART: Final = 20


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
    """Hashes of every 20 characters in a row of its long words, of which secrets are made; no word itself is kept."""
    parts = (
        word[start : start + _PART]
        for word in (match[0] for match in _FRAGMENT.finditer(text))
        for start in range(len(word) - _PART + 1)
    )
    return frozenset(hash(part) for part, _ in zip(parts, range(_MOST), strict=False))


def deeds(tool: str) -> frozenset[str]:
    """What a tool does, by its name, where that is more than to read."""
    return frozenset(_DEEDS[word] for word in _words(tool) if word in _DEEDS)


def wishes(text: str) -> frozenset[str]:
    """What a user asks to be done, in the same words; roughly: verbs where an order begins."""
    return frozenset(_ASKED[found[1].lower()] for found in _WISH.finditer(text))


def keeps_secrets(tool: str) -> bool:
    """Whether a tool reads where secrets are kept, by its name."""
    return not _SECRETS.isdisjoint(_words(tool))


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
