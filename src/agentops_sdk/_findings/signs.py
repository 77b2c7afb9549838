"""What rules look for in texts: orders to an assistant, addresses, places of secrets, refusals.

Long because the patterns of all rules stand side by side.
"""
# ruff: noqa: E501 - an alternative of a pattern stands on a line

from __future__ import annotations

import html
import re
import unicodedata
from base64 import b64decode
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import unquote

import orjson

__all__ = [
    "BEYOND_RULES", "REFUSAL", "SECRET_PLACE", "addresses", "answers", "asks", "deeds", "domain_of", "fragments", "has_orders",
    "keeps_secrets", "named", "names_of_tools", "pictures", "redactions", "spread", "talks", "text_of", "wishes",
    "words_of_user",
]  # fmt: skip

_LONGEST: Final = 32_768
"""Characters of a text that are looked at. Repetitions in patterns are bounded, so that no text takes long."""
_MOST: Final = 2_000
"""Pieces of a text that are compared."""

_RULES: Final = r"\b(?:instructions?|prompts?|rules|directions|guidelines)\b"
_MACHINE: Final = r"(?:AI|LLM|(?:large )?language model|chatbot)s?"
_DO: Final = (
    r"(?:call|run|send|forward|execute|post|publish|e-?mail|mail|upload|delete|remove|erase|wipe|transfer|wire|share|"
    r"open|visit|reveal|approve|pay|purchase|buy|order|book|submit|transmit|copy|export|install|grant|invite|disable)"
    r"(?:e?d|s|ing)?"
)
_QUIET: Final = (
    r"(?:silently|quietly|secretly|discreetly|covertly|say nothing|keep (?:this|it) (?:hidden|secret|quiet)|"
    r"without (?:asking|telling|notifying|informing|mention\w*|confirm\w*|approval|permission)|"
    r"(?:do not|don't|no need to|never) (?:ask|mention|reveal|disclose|warn|bring (?:it|this) up))"
)
_VOID: Final = (
    r"(?:outdated|obsolete|replaced|superseded|cancelled|revoked|suspended|void|invalid|ignored|disregarded|overridden|"
    r"lifted|withdrawn)"
)
ORDER: Final = re.compile(
    # what it was told is to hold no more
    rf"\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{{0,20}}{_RULES}[^.\n]{{0,20}}\b(?:above|before|so far|until now)\b|"
    r"\b(?:ignore|disregard|forget|override|skip|bypass|set aside|stop (?:following|obeying))\b[^.\n]{0,40}"
    rf"\b(?:previous|prior|above|earlier|preceding|system|your)\b[^.\n]{{0,30}}{_RULES}"
    r"|\b(?:ignore|disregard|forget|override|skip|bypass|set aside|stop (?:following|obeying))\b[^.\n]{0,40}"
    r"\byou (?:were|have been|had been|are) (?:told|given|asked|taught)\b"
    rf"|\byour\b[^.\n]{{0,30}}{_RULES}[^.\n]{{0,15}}"
    r"\b(?:void|suspended|revoked|cancelled|lifted|no longer (?:apply|valid|hold|count)|do(?:es)? not apply)\b"
    r"|\b(?:new|updated|real|actual) (?:system )?instructions?\s*:|\b(?:system|admin|developer) override\b"
    rf"|{_RULES}[^.\n]{{0,30}}\b(?:are|were|have been|should be|must be|is|was) (?:now |to be )?{_VOID}\b"
    r"|\byour (?:\w+ )?(?:new|real|actual|only|true) (?:\w+ )?(?:task|goal|job|objective|role|mission|assignment|priority)\b"
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
    rf"|\b(?:dear|hey|attention|you, the|as (?:an?|the)) (?:{_MACHINE}|AI \w+|assistants?|agents?|bots?)\b"
    rf"|\b(?:any|every|whichever|all) (?:{_MACHINE}|assistants?|agents?|bots?) (?:that|which|who|in charge|reading)\b"
    rf"|(?:^|[\n#*(\[]|//|<!--)\s{{0,3}}(?:system|assistant|agent|{_MACHINE}|copilot|chatgpt|claude|gemini)\b(?: \w+)?"
    rf"\s?[:>\]][^\n]{{0,160}}\b{_DO}\b"
    # it is told that it may, or must, and soon
    rf"|\byou (?:are|have been) (?:now |hereby )*(?:authori[sz]ed|permitted|instructed|ordered|cleared|directed) to\b"
    rf"|\bbefore (?:you )?(?:answer|repl|respond|continu|proceed|finish|summari)\w*\b[^.\n]{{0,30}}\b{_DO}\b"
    r"|\bthe user (?:wants you to|(?:has |have )?already (?:agreed|authori[sz]ed|approved|consented|confirmed)|"
    r"has (?:authori[sz]ed|approved|consented|given (?:you )?permission))\b"
    rf"|\bif you(?: are|'re) (?:an? |the )(?:{_MACHINE}|assistant|bot|agent)\b"
    # and not to tell, or ask
    rf"|\b{_QUIET}\b[^\n]{{0,100}}\b{_DO}\b|\b{_DO}\b[^\n]{{0,100}}\b{_QUIET}\b"
    r"|\b(?:ohne (?:nachzufragen|rückfrage|den nutzer)|sans (?:demander|prévenir)|sin (?:preguntar|avisar))\b"
    # a picture is to stand in the answer
    r"|\b(?:include|insert|append|add|embed|render|display|show|finish|end|begin|start|put|with)\b[^\n]{0,60}"
    r"(?:!\[|<img\b|markdown (?:image|picture))"
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
_DEED: Final = re.compile(
    rf"\b(?:{_DO}|write to|drop|reply|place|put|get rid|schick\w*|send(?:e|en)|lösch\w*|überweis\w*|envo[iy]\w*|supprim\w*|"
    r"env[ií][ae]\w*|borra\w*|elimin[ae]\w*|invi[ao]\w*|cancell[ao]\w*|apag[au]\w*|stuur\w*|verwijder\w*)\b",
    re.IGNORECASE,
)
_IN_A_SENTENCE: Final = re.compile(
    r"\b[^\W\d_]{2,20} (?:[^\W\d_]{1,20} ){0,3}<?(?:https?://[\w.-]|[\w.+-]{1,64}@[\w-]{1,63}\.)", re.IGNORECASE
)
_NAMED: Final = re.compile(r"[\w.@:/+~-]{5,200}")
_PICTURE: Final = re.compile(r"!\[[^\]\n]{0,200}\]\(\s*<?(https?://[^\s)>]{1,2000})|<img\b[^>]{0,200}?(https?://[^\s\"'>]{1,2000})|"
                             r"\]\(\s*<?(https?://[^\s)>?]{1,500}\?[^\s)>]{1,2000})", re.IGNORECASE)  # fmt: skip
SECRET_PLACE: Final = re.compile(
    r"(?:^|[\W_])(?:\.env|id_rsa|id_ed25519|\.ssh|\.aws|\.netrc|\.pgpass|credentials?|secrets?|shadow|keychain|vault|"
    r"service[-_]account|api[-_]?keys?|kubeconfig|\.kube|\.npmrc|\.pypirc|\.docker|environ|private[-_]?keys?|htpasswd|"
    r"passwords?|passwd|tokens?|tfvars|printenv|cookies|wallet|connection[-_]?strings?|169\.254\.169\.254|metadata\.google)(?:$|[\W_])|"
    r"\.(?:pem|p12|p8|pfx|jks|key|keystore|kdbx)\b|(?:^|[\"'|;&(]\s{0,3})env\b",
    re.IGNORECASE,
)
REFUSAL: Final = re.compile(
    r"\s*(?:no\W{1,3})?(?:(?:I(?:'|’)m|I am) (?:very |so )?sorry|sorry|I can(?:'|’)?t|I can ?not|I won(?:'|’)t|"
    r"I (?:will|do) not|I don(?:'|’)t|I (?:will |must )?(?:stay|keep|stick|remain)|(?:I am|I(?:'|’)m) (?:unable|not able|not allowed)|"
    r"I (?:apologi[sz]e)|unfortunately|as an? (?:AI|language model|assistant))\b[^\n]{0,120}"
    r"\b(?:help|assist|comply|do (?:that|this)|with that|provide|that request|support|continue|fulfil+|discuss|engage|share|"
    r"reveal|rules|guidelines|polic(?:y|ies)|instructions|pretend|role|cannot|can't|allowed)\b"
    r"|\s*(?:(?:I(?:'|’)m|I am) (?:very |so )?sorry\W{1,3}(?:but )?)?(?:I (?:must|have to|need to|will have to) (?:decline|refuse)|"
    r"I(?:'|’| woul)d rather not|(?:I am|I(?:'|’)m) not going to|that(?:'|’| i)s not something I (?:can|will|do))\b"
    r"|\s*(?:es tut mir leid|tut mir leid|dabei kann ich|das kann ich (?:leider )?nicht|je suis désolée?|je ne peux pas|"
    r"lo siento|no puedo|mi dispiace|non posso|desculpe|não posso|het spijt me|dat kan ik niet)\b",
    re.IGNORECASE,
)
_LIMITS: Final = (
    r"(?:rules?|restrictions?|limits|limitations?|filters?|guidelines?|safeguards?|polic(?:y|ies)|censorship|constraints?|"
    r"boundaries|morals|ethics)"
)
BEYOND_RULES: Final = re.compile(
    r"\b(?:pretend|imagine|act|role-?play|respond|answer|behave|write|speak|you(?: are|'re| have| will)|from now on|as if)\b"
    rf"[^.\n]{{0,80}}\b(?:no|without(?: any)?|free (?:of|from)) (?:\w+ ){{0,2}}{_LIMITS}"
    r"(?! of (?:grammar|length|style|thumb|spelling))\b"
    r"|\b(?:enter|enable|activate|engage|switch (?:on|to|into)|turn on|you(?: are|'re) (?:now )?in)\b[^.\n]{0,20}"
    r"\b(?:developer|debug|admin|maintenance) mode\b|\b(?:god|unrestricted|unfiltered|jailbreak|DAN) mode\b|\bjailbreak\b"
    r"|\b(?:ignore|ignoring|disregard|forget|break|bypass|drop|turn off|switch off|disable|lift|remove)\b[^.\n]{0,40}"
    r"\b(?:previous|prior|above|earlier|your|every|all|any)\b[^.\n]{0,30}"
    rf"\b(?:instructions?|{_LIMITS}|safety \w+|alignment|training)\b"
    r"|\b(?:stay|remain|keep) in (?:character|role)\b|\bgrand(?:mother|ma)\b[^\n]{0,60}\b(?:used to|who|would)\b"
    r"|\b(?:safeguards?|safety|filters?|guardrails?|restrictions?)\b[^.\n]{0,40}\b(?:off|disabled|lifted|removed|deactivated)\b"
    r"|\b(?:repeat|print|output|recite|show)\b[^.\n]{0,20}\b(?:everything|all|words|text)\b[^.\n]{0,15}\b(?:above|before)\b"
    r"|\b(?:do anything now|never refuse|no longer (?:bound|limited|restricted)|opposite day|evil twin)\b"
    r"|\b(?:repeat|print|reveal|show|output|tell|give|recite|leak)\b[^.\n]{0,30}"
    r"\b(?:your|the|hidden) (?:\w+ )?(?:system prompt|system message|initial prompt|(?:hidden|secret|initial|original) instructions)\b"
    r"|\b(?:uncensored|unrestricted|unfiltered|amoral|unethical) (?:AI|model|assistant|version|answer|chatbot)\b"
    r"|\b(?:ohne|keine(?:rlei)?) (?:\w+ )?(?:einschränkungen|regeln|filter|zensur)\b|\b(?:aucune?|sans) (?:règles?|restrictions?|"
    r"limites?|filtres?|censure)\b|\bsin (?:restricciones|reglas|filtros|censura)\b|\bsenza (?:regole|restrizioni|filtri|censura)\b|"
    r"\bsem (?:regras|restrições|filtros|censura)\b|\bzonder (?:regels|beperkingen|filters|censuur)\b",
    re.IGNORECASE,
)
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_DEEDS: Final = {
    word: deed
    for deed, words in {
        "tell": "send post publish email mail upload share forward invite submit notify message tweet comment",
        "remove": "delete remove drop cancel erase wipe purge revoke",
        "write": "write update deploy install overwrite edit",
        "pay": "transfer pay refund purchase buy wire",
        "book": "order book reserve",
        "run": "exec execute shell bash",
        "allow": "grant approve authorize enable",
    }.items()
    for word in words.split()
}
"""What tools do by words of their names."""
_ASKED: Final = {
    **_DEEDS, **dict.fromkeys(("reply", "contact", "apply", "register", "respond", "report", "sign", "reach", "subscribe",
                               "file", "let"), "tell"),
    **dict.fromkeys(("fix", "change", "save", "move", "schedule", "reschedule", "set"), "write"),
    "start": "run", "allow": "allow",
}  # fmt: skip
"""And how people ask for it."""
_WISH: Final = re.compile(
    rf"(?:^|[.!?;:,\n][^\S\n]{{0,40}}|\b(?:and|then|please|to|you|let's)\s{{1,40}})({'|'.join(_ASKED)})\b",
    re.IGNORECASE,
)
_SECRETS: Final = frozenset(
    ("secret", "secrets", "credential", "credentials", "password", "passwords", "vault", "keychain", "keyring", "env",
     "environ", "environment", "getenv", "printenv", "token", "tokens", "passwd", "cookie", "cookies", "wallet")
)  # fmt: skip
_TALKS: Final = frozenset(
    (
        *("http", "https", "fetch", "request", "browse", "download", "upload", "post", "send", "email", "mail", "web"),
        *("webhook", "slack", "publish", "forward", "curl", "notify", "sms", "url", "api"),
        *(
            "message",
            "chat",
            "tweet",
            "telegram",
            "discord",
            "teams",
            "issue",
            "comment",
            "gist",
            "paste",
            "submit",
            "share",
        ),
        *("browser", "navigate", "visit", "ftp", "scp", "dns", "ping", "socket", "bucket", "push", "search"),
    )
)
_REDACTED: Final = re.compile(r"\[redacted:[a-z0-9-]+\]")
_FRAGMENT: Final = re.compile(r"[A-Za-z0-9_-]{20,}")
_PART: Final = 20
_UNSEEN: Final = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff\U000e0000-\U000e007f]+")
_SPELT: Final = re.compile(r"(?<!\S)(?:[^\W\d_] ){3,40}[^\W\d_](?!\S)")
_BETWEEN: Final = re.compile(r"[\s\-_.,:;|/+]+")
_ENCODED: Final = re.compile(r"[A-Za-z0-9+/_-]{24,8192}={0,2}")
_MOST_ENCODED: Final = 20
_URL_SAFE: Final = str.maketrans("-_", "+/")


def has_orders(text: str) -> bool:
    """Whether a text gives an assistant orders; also in letters that are spelt out, invisible signs, or base64."""
    if ORDER.search(text):
        return True
    shown = html.unescape(text) if "&" in text else text
    shown = _UNSEEN.sub("", shown if shown.isascii() else unicodedata.normalize("NFKC", shown))
    shown = _SPELT.sub(lambda match: "".join(match[0].split()), shown)
    if shown != text and ORDER.search(shown):
        return True
    return any(ORDER.search(hidden) for hidden in _decoded(text))


def asks(text: str) -> bool:
    """Whether a text has a word by which something is asked to be done, or an address within a sentence."""
    return _DEED.search(text) is not None or _IN_A_SENTENCE.search(text) is not None


def named(text: str) -> frozenset[int]:
    """Hashes of what a text names, such as files, addresses and numbers; not of plain words."""
    words = (match[0].lower().strip(".:/-") for match in _NAMED.finditer(text))
    found = {hash(word) for word, _ in zip(filter(_is_name, words), range(_MOST), strict=False)}
    return frozenset(found | set(map(hash, addresses(text))))


def _is_name(word: str) -> bool:
    return len(word) >= 5 and not word.replace("-", "").isalpha()


def pictures(text: str) -> str:
    """The addresses of pictures, and of links that carry values, in an answer: what opens it calls them."""
    return "\n".join(found[1] or found[2] or found[3] for found in _PICTURE.finditer(text))


def spread(text: str) -> frozenset[int]:
    """:func:`fragments` of what is sent, also where it was encoded, turned round or broken up."""
    found = fragments(text) | fragments(text[::-1]) | fragments(_BETWEEN.sub("", text))
    if "%" in text:
        found |= fragments(unquote(text))
    for plain in _decoded(text):
        found |= fragments(plain)
    return found


def _decoded(text: str) -> Iterable[str]:
    """What stands in a text in base64 or in hexadecimal digits, and is text."""
    for match, _ in zip(_ENCODED.finditer(text), range(_MOST_ENCODED), strict=False):
        word = match[0].rstrip("=")
        with suppress(ValueError):
            yield bytes.fromhex(word).decode("ascii")
        with suppress(ValueError):
            yield b64decode(word.translate(_URL_SAFE) + "=" * (-len(word) % 4)).decode("ascii")


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
        word[start : start + _PART].lower()
        for word in filter(_is_random, (match[0] for match in _FRAGMENT.finditer(text)))
        for start in range(len(word) - _PART + 1)
    )
    return frozenset(hash(part) for part, _ in zip(parts, range(_MOST), strict=False))


def _is_random(word: str) -> bool:
    """Whether a long word is no name of words and dashes."""
    return sum(map(str.isdigit, word)) > 1 or not (word.islower() or word.isupper())


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
