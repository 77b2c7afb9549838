"""Whether a value beside the name of a secret is one, or a placeholder, a type, a reference, code or prose.

Long because each is told by signs of its own, and a value is judged by all of them.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._scrub.secret_names import STRONG, kind_of_name, words_of
from agentops_sdk._scrub.secret_rules import words

__all__ = [
    "decoded_text",
    "is_credentials",
    "is_quoted_secret",
    "is_word_secret",
    "looks_random",
    "says_how",
    "stands_for_another",
]

_STANDS_FOR_ANOTHER: Final = lazy_pattern(
    r"\s*+(?:"
    # a variable, a template, a reference to a store of secrets
    r"\$(?:[{(]|[A-Z_][A-Z0-9_]*\b|[a-z_]+\b(?![0-9!@#$%^&*]))|\{(?:\{|[A-Za-z_][\w.]*\}|%)|<[^<>]*>?\Z|&lt;|[#@]\{"
    r"|%(?:[A-Za-z_]+%|[A-Za-z_]*\(|s\b)|!(?:secret|ref|sub|vault|env|include|getatt|importvalue)\b|\*[A-Za-z_-]+\Z"
    r"|(?:env|vault|op|arn|file|ssm|ref|secrets?|keyring|keychain|config|var|sm|gcpsm|awssm|kms|doppler|infisical)"
    r":[/A-Za-z_]|projects/[\w-]+/secrets/"
    # what was taken out already
    r"|\[[A-Za-z][A-Za-z _-]*\]|\[?(?:redacted|hidden|masked|removed|filtered|omitted)\b|…|\.\.\."
    r")",
    re.IGNORECASE,
)
_PATH: Final = lazy_pattern(
    r"(?:~|\.{1,2})?(?:/[\w.@ -]+)+/?\Z|(?:[A-Za-z]:|\\\\)(?:\\{1,4}[\w.@ -]+)+\Z"
    r"|[\w-]+(?:/[\w-]+)*\.(?:txt|pem|key|crt|json|ya?ml|env|toml|ini|cfg|py|js|ts|md)\Z"
)
_ADDRESS: Final = lazy_pattern(r"[a-z][a-z0-9+.-]{1,20}://", re.IGNORECASE)
_PLACEHOLDER: Final = lazy_pattern(
    r"(?:your|my|the|an?|some|any|enter|insert|put|add|replace|paste|provide|supply|example|sample|dummy|fake|mock|test|"
    r"testing|placeholder|change|todo|tbd|foo|bar|baz|xxx+|abc|sk|pk|new|old|current|user|demo)(?:[-_ .]|(?=[A-Z])|\Z)",
    re.IGNORECASE,
)
_CHANGE_ME: Final = lazy_pattern(r"(?:change|replace|fill|set)[-_ ]?(?:me|this|it|in)\b", re.IGNORECASE)
_UNITS: Final = lazy_pattern(
    r"(?:v?[0-9]+(?:\.[0-9]+)+|[0-9]+(?:[.-][0-9]+)*(?:[-_ ]?(?:step|factor|char|chars|character|characters|bit|"
    r"bits|byte|bytes|digit|digits|word|words|letter|letters|day|days|hour|hours|minute|minutes|min|mins|second|seconds|sec|secs|month|months|year|years|"
    r"token|tokens|time|times|attempt|attempts|user|users|legged|way|px|ms|kb|mb|gb|k|m|s|h|d|x|st|nd|rd|th|\+|%)))\Z",
    re.IGNORECASE,
)
_DATE: Final = lazy_pattern(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]+(?:Z|[+-][0-9:]+)?)?\Z|[0-9]{1,2}[:/.][0-9]{1,2}(?:[:/.][0-9]{2,4})?\Z"
)
_TECHNICAL: Final = lazy_pattern(
    r"(?:sha|md|aes|rsa|base|utf|hs|rs|es|ps|rfc|rc|http|oauth|ipv|pbkdf|argon|bcrypt|scrypt|ed|x|p|ecdsa|pkcs|iso|tls|v|py|"
    r"python|mp|s|ec|k|web|w|h|log|u?int|float|mfa|otp|saml|openid|ldap)"
    r"[-_]?[0-9]+(?:[-_./]?[0-9]+)*(?:[a-z]|id|s)?(?:[-_](?:bit|hash|hashed|encoded|digest|hex))?\Z",
    re.IGNORECASE,
)
_NOTHING: Final = words(
    """
    none null nil undefined true false yes no on off n/a na nan empty unset default void unknown any all
    string str text txt integer int number num float double bool boolean object array list dict map tuple bytes
    byte blob uuid char varchar secretstr optional required hidden masked redacted removed omitted encrypted
    hashed sensitive private protected password passwd passphrase secret token key apikey credential credentials
    auth authorization bearer basic digest oauth oauth2 openid jwt header query cookie cookies body form field
    input textbox label type value env include omit same-origin inherit write read admin always never once
    manual automatic auto readonly writeonly nullable generated random secure strict lax
    """
)
"""Nothing, types, and words for what a field is."""
_SAID_OF_ONE: Final = words(
    """
    must should may can cannot could will would shall might is are was were be been has have had does do did not
    never wrong right correct incorrect invalid valid weak strong short long blank missing expired incorrectly
    changed reset updated set unset stored saved kept sent lost forgotten stolen leaked shared exposed rotated
    revoked generated hashed here there below above inside outside in on at by for from of to with without as
    and or but if when while until unless because since than then that this these those it its they them we you
    your yours i my mine our ours he she his her the a an some any each every no not only also just still
    already now soon later see use enter type choose pick try check please minimum maximum least most more less
    between same different new old next last first second good bad ok okay fine safe unsafe public plain clear
    dangerous important essential necessary mandatory sufficient available unavailable ready done failed failing
    fail pass passed success successful unique common easy hard simple complex case-sensitive read-only
    well-known field fields box prompt policy manager protection based length rules rule requirements strength
    hint hints help mismatch match matches error errors warning login logon signin everything nothing something
    anything everyone nobody one two three four five six seven eight nine ten love practice persistence patience
    consistency hope trust work yes test tests tbd unknown secret private confidential sensitive insufficient
    consistent permanent temporary automatic automatically correctly different identical critical optional
    additional original actual current default basic custom dynamic static specific broken gone dead empty
    wanted needed visible invisible encrypted protected disabled enabled
    """
)
_FUNCTION_WORDS: Final = words(
    """
    the a an is are was be must should can may will your you our their its of to for from with at in on or and
    not no when where which that this please enter use used using required optional least most between
    characters contain contains must should does do has have if it as by than then one only incorrect invalid
    forgot reset too per into
    """
)
_SAYS_HOW: Final = lazy_pattern(r"[a-z]{2,}(?:ed|ing|able|ible|ory|less|tive|cient|sential|portant|tially|tely|edly)\Z")
_SYMBOL: Final = lazy_pattern(r"[!@#$%^&*+~?=|\\/:;,<>{}()\[\]]")
_ESCAPE: Final = lazy_pattern(r"\\{1,8}u[0-9a-fA-F]{4}")
_SCHEMES: Final = words(
    "bearer basic token apikey api-key key digest negotiate oauth bot geniekey splunk ssws jwt "
    "aws4-hmac-sha256 signature hmac"
)
_CREDENTIAL_TEXT: Final = lazy_pattern(r"[A-Za-z0-9+/]{8,}={0,2}\Z")


def is_credentials(text: str) -> bool:
    """Whether ``text`` is base64 of a user's name and password, as ``Basic`` authorization has it."""
    try:
        return b":" in base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def decoded_text(text: str) -> str | None:
    """What a text in base64 says, of either alphabet, with or without its padding; ``None`` where it says nothing."""
    raw = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(raw + "=" * (-len(raw) % 4)).decode()
    except (binascii.Error, ValueError):
        return None


def stands_for_another(value: str, name: str) -> bool:
    """Whether ``value`` is a placeholder, a type, a reference or a variable: nothing that opens anything."""
    if _STANDS_FOR_ANOTHER.match(value):
        return True
    plain = value.strip().strip("'\"`").rstrip(".:;,!?")
    folded = plain.lower()
    if (
        not plain
        or (len(plain) < 4 and not any(map(str.isalnum, plain)))
        or folded in _NOTHING
        or words_of(plain) == words_of(name)
        or _is_mask(plain)
    ):
        return True
    if _CHANGE_ME.match(plain) or "..." in value or "…" in value:
        return True
    if _PATH.match(plain) and not looks_random(plain.replace("/", "").replace(".", "")):
        return True
    if _ADDRESS.match(plain):
        return True  # a password in it is found by itself
    return _is_placeholder(plain) or _is_type(plain)


def _is_mask(value: str) -> bool:
    return len(value) > 2 and len(set(value.replace("-", "").replace("_", "").replace(" ", "").lower())) == 1


def _is_type(value: str) -> bool:
    """``Optional[str]``, ``SecretStr | None``, ``xs:string``, ``PasswordField``."""
    return bool(
        re.fullmatch(r"(?:[A-Za-z_][\w.]*\.)?(?:Optional|Union|List|Dict|Sequence|Annotated|Literal)\[.*", value)
    ) or bool(re.fullmatch(r"(?:xs|xsd|tns):\w+|[A-Za-z_][\w.]*(?:\s*\|\s*[A-Za-z_][\w.]*)+", value))


def _is_placeholder(value: str) -> bool:
    """``YOUR_API_KEY``, ``my-secret-token``, ``sk-your-key-here``: words alone, of which one says that it is none."""
    if any(letter.isdigit() for letter in value) or not re.fullmatch(r"[A-Za-z][A-Za-z_. -]*", value):
        return bool(re.match(r"(?:sk|pk|key|token)-?(?:xxx|\.\.\.|your|\*\*)", value, re.IGNORECASE))
    words = words_of(value)
    if len(words) > 1 and (kind_of_name(value) or "here" in words or words[0] in ("your", "my", "enter", "insert")):
        return _PLACEHOLDER.match(value) is not None or value.isupper() or "here" in words or "_" in value
    return len(words) == 1 and value.lower() in ("placeholder", "dummy", "example", "sample", "todo", "changeme")


def is_quoted_secret(value: str, name: str, kind: str) -> bool:
    """Whether the text in quotes that ``name`` has, which is of that ``kind``, is a secret."""
    if not value or stands_for_another(value, name):
        return False
    if kind in STRONG:
        return not _is_prose(value) or (words_of(name)[-1:] in _PHRASES and _is_phrase(value))
    if kind == "authorization":
        return is_authorization(value)
    if kind == "cookie":
        return is_cookie(value)
    if kind == "pin":
        return _is_pin(value, name)
    if kind == "pass":
        if " " in value or len(value) < 4 or value.isdigit():
            return False
        return _has_digit_and_letter(value) or bool(_SYMBOL.search(value)) or value.lower() not in _SAID_OF_ONE
    if kind == "qualified token":
        return looks_random(value) or (" " not in value and len(value) >= 20)
    if kind == "auth":
        return looks_random(value) or (_CREDENTIAL_TEXT.match(value) is not None and is_credentials(value)) or (
            re.fullmatch(r"[^\s:/]{1,64}:[^\s/]{3,128}", value) is not None)  # fmt: skip
    return kind == "bare token" and looks_random(value)


def is_word_secret(value: str, name: str, kind: str) -> bool:
    """Whether a value without quotes is a secret by its own looks: figures or signs in it, or a mixture."""
    if len(value) < 4 or stands_for_another(value, name) or _UNITS.match(value) or _DATE.match(value):
        return False
    if _TECHNICAL.match(value):
        return False
    if kind == "pin":
        return _is_pin(value, name)
    if kind == "auth":
        return is_quoted_secret(value, name, kind)
    if kind in ("bare token", "qualified token"):
        return looks_random(value)
    if kind == "pass":
        return _has_digit_and_letter(value) or bool(_SYMBOL.search(value[:-1]) and not value.startswith("-"))
    if value.isdigit():
        return kind in ("password", "key", "secret", "token") and len(value) >= 4
    if any(letter.isdigit() for letter in value):
        return len(value) >= (4 if kind == "password" else 6)
    if _SYMBOL.search(value[:-1]):
        return len(value) >= 6 and not re.fullmatch(r"[a-z]+(?:[/|,][a-z]+)+", value)
    return (kind != "password" and len(value) >= 20 and not value.islower() and not value.isupper()) or value.count(
        "-"
    ) >= 3


def is_plain_word_secret(value: str, name: str) -> bool:
    """Whether a single word without figures may be a password: no word that is said of one, or stands for one."""
    if len(value) < 4 or not re.fullmatch(r"[A-Za-z]+(?:[-_][A-Za-z]+)*", value) or stands_for_another(value, name):
        return False
    folded = value.lower()
    if folded in _SAID_OF_ONE or _SAYS_HOW.match(folded) or kind_of_name(value):
        return False
    return not re.fullmatch(r"(?:[A-Z][a-z]+){2,}", value)  # a class


def is_authorization(value: str) -> bool:
    """Whether the value of such a header shows credentials, with or without a scheme before them."""
    scheme, blank, rest = value.strip().partition(" ")
    if not blank:
        return looks_random(scheme) and len(scheme) >= 12
    rest = rest.strip()
    if scheme.lower() not in _SCHEMES:
        return False
    return len(rest) >= 6 and not stands_for_another(rest, "authorization") and (
        looks_random(rest) or "=" in rest or (rest.isalnum() and len(rest) >= 16))  # fmt: skip


def _is_pin(value: str, name: str) -> bool:
    """Figures that open something; six under ``PIN code`` are a place in India."""
    return value.isdigit() and 4 <= len(value) <= 12 and not (len(value) == 6 and words_of(name)[-1:] in _PIN_CODES)


_PIN_CODES: Final = (("code",), ("pincode",))


def is_cookie(value: str) -> bool:
    """``name=value``, one or several, of which one may know who somebody is: a word that was chosen does not."""
    for crumb in _CRUMB.finditer(value[:4096]):
        name, content = crumb[1].lower(), crumb[2]
        if name in _OF_COOKIES:
            continue
        if len(content) >= 10 or not content.isalpha() or any(word in name for word in _KNOWS_WHO):
            return True
    return False


_CRUMB: Final = lazy_pattern(r"(?:\A|;)\s*([\w.!#$%&'*+^`|~-]{1,128})=([^;\s]{4,})")
_OF_COOKIES: Final = words("path domain expires max-age samesite priority")
_KNOWS_WHO: Final = ("sess", "sid", "token", "auth", "csrf", "jwt", "key", "user", "login", "secret", "pass")


def says_how(value: str) -> bool:
    """Whether words where a passphrase stands tell how to choose one."""
    return not _HOW.isdisjoint(value.lower().split())


_HOW: Final = words("choose pick use enter type create several random words word characters letters please make set")


def looks_random(value: str) -> bool:
    """Whether a text looks made by a machine or to be guessed by nobody: letters and figures mixed, no known form."""
    value = _ESCAPE.sub("", value)
    if len(value) < 8 or " " in value or not _has_digit_and_letter(value):
        return False
    if _DATE.match(value) or _UNITS.match(value) or _TECHNICAL.match(value) or _ADDRESS.match(value):
        return False
    if re.fullmatch(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", value):
        return False
    # One figure after words: page-2, version2, chapter_10.
    return not re.fullmatch(
        r"[A-Za-z]{1,16}(?:[-_ ][A-Za-z]{1,16})*[-_]?[0-9]{1,2}|(?:[A-Za-z]{1,16}[-_])+[A-Za-z]{0,16}[0-9]{1,4}", value
    )


def _has_digit_and_letter(value: str) -> bool:
    return any(letter.isdigit() for letter in value) and any(letter.isalpha() for letter in value)


_PHRASES: Final = (("passphrase",), ("phrase",))


def _is_phrase(value: str) -> bool:
    """Words that somebody chose, all of them small and without a stop, as people make passphrases."""
    is_one = re.fullmatch(r"[a-z]{1,20}(?:[ -][a-z]{1,20}){3,15}", value) is not None
    return is_one and _OF_DESCRIPTIONS.isdisjoint(value.split()) and not says_how(value)


_OF_DESCRIPTIONS: Final = words(
    "must should may can could will is are was be it its your you our their not no required optional least a an if"
)


def _is_prose(value: str) -> bool:
    words = re.findall(r"[A-Za-z']+", value)
    if len(words) < 2 or " " not in value.strip():
        return False
    if any(word.lower() in _FUNCTION_WORDS for word in words):
        return True
    return value[:1].isupper() and value.strip()[-1:] in ".?!:…" and len(words) > 2
