"""Kinds of personal data: what each looks like, which digits are checked, and how the setting ``pii`` names them.

To add a kind, add a row to :data:`RULES`. Long because it is a table, with the arithmetic of its check digits.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from agentops_sdk.errors import ConfigError

__all__ = ["ALL", "MODES", "PRESIDIO", "RULES", "Rule", "from_setting", "merged", "parts"]

MODES: Final = ("redact", "hash", "last4", "drop")
ALL: Final = "all"
PRESIDIO: Final = "presidio"

Check = Callable[[re.Match[str]], int]
"""The end of what was found, in the text; 0 where it is nothing."""


class Rule(NamedTuple):
    """One kind of personal data.

    Attributes:
        name: in the setting, and in the mark that takes its place.
        pattern: a regular expression. ``{B}`` is the beginning of a number that stands by itself, ``{E}`` its end.
        check: what the pattern cannot tell.
        near: words, one of which must stand shortly before, where the thing alone could be anything.
        letters: whether it can be found in a text without a single digit.
    """

    name: str
    pattern: str
    check: Check | None = None
    near: str = ""
    letters: bool = False


# A newline that is written as backslash and n belongs to no number behind it.
_BEGIN: Final = r"(?:(?<![\w.+/\-])|(?<=\\[nrt]))"
_END: Final = r"(?![\w/]|-\w|\.\d)"


def _digits(text: str) -> str:
    return "".join(letter for letter in text if "0" <= letter <= "9")


def luhn(digits: str) -> bool:
    """Whether the last digit is right by ISO/IEC 7812."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _weighted(digits: str, weights: Sequence[int], modulus: int) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % modulus


def _if(holds: Callable[[str], bool]) -> Check:
    """A check that looks at the digits alone."""
    return lambda match: match.end() if holds(_digits(match[0])) else 0


def _card(match: re.Match[str]) -> int:
    """The longest beginning that is one: when it ends, or another number, may stand behind it."""
    text = match[0]
    if len(text.partition(" ")[0].partition("-")[0]) not in (4, *range(13, 20)):
        return 0
    while text and not _is_card(text):
        text = text.rpartition(" ")[0]
    return match.start() + len(text) if text else 0


def _is_card(text: str) -> bool:
    digits, groups = _digits(text), [len(group) for group in re.split("[ -]", text)]
    if len(digits) < 13 or (
        len(groups) > 1 and groups not in ([4, 4, 4, 4], [4, 6, 5], [4, 6, 4], [4, 4, 4, 4, 3], [4, 4, 5])
    ):
        return False
    first, length = int(digits[:4]), len(digits)
    known = (
        (digits[0] == "4" and length in (13, 16, 19))
        or ((5100 <= first <= 5599 or 2221 <= first <= 2720) and length == 16)
        or (digits[:2] in ("34", "37") and length == 15)
        or ((first == 6011 or 6440 <= first <= 6599 or digits[:2] == "62") and 16 <= length <= 19)
        or (3528 <= first <= 3589 and 16 <= length <= 19)
        or ((3000 <= first <= 3059 or digits[:2] in ("36", "38", "39")) and 14 <= length <= 16)
        or (first in (5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763) and 13 <= length <= 19)
    )
    return known and len(set(digits)) > 1 and luhn(digits)


_IBAN_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU",
        31: "MT SC",
        32: "LC",
    }.items()
    for country in countries.split()
}


def _iban(match: re.Match[str]) -> int:
    length = _IBAN_LENGTHS.get(match[0][:2].upper(), 0)
    kept = ""
    end = match.start()
    while len(kept) < length and end < match.end():
        letter, end = match.string[end], end + 1
        kept += letter.upper() if letter.isalnum() else ""
    behind = match.string[end : end + 1]
    if not length or len(kept) != length or (behind.isascii() and behind.isalnum()):
        return 0
    number = "".join(str(int(letter, 36)) for letter in kept[4:] + kept[:4])
    return end if int(number) % 97 == 1 else 0


_FILE_ENDINGS: Final = frozenset(("png", "jpg", "jpeg", "gif", "svg", "webp", "js", "ts", "css", "json", "html", "txt"))


def _email(match: re.Match[str]) -> int:
    local, ending = match[0].partition("@")[0], match[0].rpartition(".")[2]
    behind = match.string[match.end() : match.end() + 2]
    repository = local == "git" and behind[:1] in ("/", ":") and not behind[1:].isspace()
    return 0 if ending.lower() in _FILE_ENDINGS or repository else match.end()


def _phone(match: re.Match[str]) -> int:
    digits = _digits(match[0].lower().partition("x")[0].partition("e")[0])
    if not 8 <= len(digits) <= 15 or len(set(digits)) < 3:
        return 0
    round_number = match[0].lstrip("+").isdigit() and digits.endswith("00000")
    return 0 if round_number else match.end()


_VERSION: Final = re.compile(r"(?:version|release|section|chapter|build|§)\W{0,2}$", re.IGNORECASE)


def _address(match: re.Match[str]) -> int:
    """An address of the internet that may belong to somebody: not this machine's own, nor everybody's."""
    text = match[0].partition("%")[0]
    version = _VERSION.search(match.string[max(0, match.start() - 12) : match.start()])
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return 0
    if parsed.is_loopback or parsed.is_unspecified or text == "255.255.255.255" or version:
        return 0
    if parsed.version == 6 and (not any("0" <= letter <= "9" for letter in text) or text.count(":") < 3):
        return 0
    return match.end()


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


_VERHOEFF_D: Final = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_P: Final = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def _verhoeff(digits: str) -> bool:
    state = 0
    for position, digit in enumerate(reversed(digits)):
        state = int(_VERHOEFF_D[state][int(_VERHOEFF_P[position % 8][int(digit)])])
    return state == 0


def _tax_id_of_germany(digits: str) -> bool:
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return digits[0] != "0" and (11 - product) % 10 == int(digits[10])


def _cpf(digits: str) -> bool:
    first = _weighted(digits, range(10, 1, -1), 11)
    second = _weighted(digits, range(11, 1, -1), 11)
    expected = "".join(str(0 if rest < 2 else 11 - rest) for rest in (first, second))
    return len(set(digits)) > 1 and digits[9:] == expected


def _nhs(digits: str) -> bool:
    return len(set(digits)) > 1 and (11 - _weighted(digits[:9], range(10, 1, -1), 11)) % 11 == int(digits[9])


def _bsn(digits: str) -> bool:
    return len(set(digits)) > 1 and _weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), 11) == 0


def _pesel(digits: str) -> bool:
    return (10 - _weighted(digits[:10], (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), 10)) % 10 == int(digits[10])


def _ahv(digits: str) -> bool:
    return (10 - _weighted(digits[:12], (1, 3) * 6, 10)) % 10 == int(digits[12])


def _personnummer(digits: str) -> bool:
    short = digits[-10:]
    return luhn(short) and _is_day(1904, int(short[2:4]), int(short[4:6]) % 60)


def _insee(match: re.Match[str]) -> int:
    number = "".join(match[0].split()).upper().replace("2A", "19").replace("2B", "18")
    return match.end() if 97 - int(number[:13]) % 97 == int(number[13:]) else 0


def _nif(match: re.Match[str]) -> int:
    text = match[0].replace("-", "").replace(" ", "")
    number = text[:-1].translate({ord("X"): "0", ord("Y"): "1", ord("Z"): "2"})
    return match.end() if "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == text[-1] else 0


_ODD: Final = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                       (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6,
                        8, 12, 14, 16, 10, 22, 25, 24, 23), strict=True))  # fmt: skip


def _fiscal_code(match: re.Match[str]) -> int:
    code = match[0]
    total = sum(
        _ODD[letter] if position % 2 == 0 else (int(letter) if letter.isdigit() else ord(letter) - 65)
        for position, letter in enumerate(code[:15])
    )
    return match.end() if chr(65 + total % 26) == code[15] else 0


_VIN: Final = {letter: int(digit) for letter, digit in zip(
    "0123456789ABCDEFGHJKLMNPRSTUVWXYZ", "012345678912345678123457923456789", strict=True
)}  # fmt: skip


def _vin(match: re.Match[str]) -> int:
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    rest = sum(_VIN[letter] * weight for letter, weight in zip(match[0], weights, strict=True)) % 11
    mixed = any(letter.isalpha() for letter in match[0]) and any(letter.isdigit() for letter in match[0])
    return match.end() if mixed and match[0][8] == ("X" if rest == 10 else str(rest)) else 0


def _coordinates(match: re.Match[str]) -> int:
    return match.end() if abs(float(match[1])) <= 90 and abs(float(match[2])) <= 180 else 0


_BYTE: Final = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_TELEPHONE: Final = (
    r"phone|tele?(?:fono|fon|phone)?\.?|téléphone|mobile|mobil|my cell|cell ?phone|handy|fax|whatsapp|sms|"
    r"(?:call|ring|dial|text) (?:me|us|him|her|them)|reach (?:me|us|him|her|them)|call back"
)
_STREETS: Final = (
    "Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Court|Ct|Place|Square|Terrace|Way|Crescent|Close|Parkway"
)

RULES: Final = (
    Rule("email",
         r"(?<![\w.+\-])[\w.!#$%&'*+/=?^{|}~\-]{1,64}(?:@|%40| ?[\[(]at[\])] ?)"
         r"(?:[^\W_](?:[\w\-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w@])", _email, letters=True),
    Rule("iban", r"(?<![A-Za-z0-9])[A-Za-z]{2}\d\d(?:[ \-]?[A-Za-z0-9]){11,30}", _iban),
    Rule("card", r"(?:(?<![\w.])|(?<=\\[nrt]))\d(?:[ \-]?\d){12,18}(?![\w]|-\w|\.\d)", _card),
    Rule("ip", rf"(?:(?<![\w.])|(?<=\\[nrt]))(?:{_BYTE}\.){{3}}{_BYTE}(?![\w]|\.\d)", _address),
    Rule("ip", r"(?<![\w:.])(?=[0-9A-Fa-f:]*:[0-9A-Fa-f]*:)[0-9A-Fa-f:]{2,39}(?:%\w{1,15})?(?![\w:])", _address),
    Rule("mac", r"(?<![\w:\-])[0-9A-Fa-f]{2}([:\-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:\-])"),
    Rule("ssn", r"{B}(?!000|666|9\d\d|078-05-1120|219-09-9999)\d{3}([ \-])(?!00)\d\d\1(?!0000)\d{4}{E}"),
    Rule("ssn", r"{B}(?!000|666|9)\d{9}{E}", near=r"ssn|social security(?: number| no\.?)?"),
    Rule("us_itin", r"{B}9\d\d-(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])-\d{4}{E}"),
    Rule("uk_nino", r"(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
         r" ?\d\d ?\d\d ?\d\d ?[A-D](?!\w)"),
    Rule("uk_nhs", r"{B}\d{3}[ \-]?\d{3}[ \-]?\d{4}{E}", _if(_nhs), near="nhs(?: number| no\\.?)?"),
    Rule("fr_insee", r"{B}[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[ABab]) ?\d{3} ?\d{3} ?\d\d{E}", _insee),
    Rule("de_tax_id", r"{B}\d\d ?\d{3} ?\d{3} ?\d{3}{E}", _if(_tax_id_of_germany),
         near=r"steuer(?:liche)?-?\s?(?:id|identifikationsnummer|nummer)\w*|id-?nr\.?|tax id(?: number)?|tin"),
    Rule("es_nif", r"(?<![\w\-])(?:\d{8}|[XYZ][- ]?\d{7})[- ]?[A-Z](?!\w)", _nif),
    Rule("it_fiscal_code", r"(?<!\w)[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z](?!\w)", _fiscal_code),
    Rule("ch_ahv", r"{B}756\.?\d{4}\.?\d{4}\.?\d\d{E}", _if(_ahv)),
    Rule("se_personnummer", r"{B}(?:19)?\d{6}[+\-]\d{4}{E}", _if(_personnummer)),
    Rule("se_personnummer", r"{B}20\d{6}[+\-]?\d{4}{E}", _if(_personnummer), near=r"person(?:nummer|nr\.?)|pnr"),
    Rule("nl_bsn", r"{B}\d{9}{E}", _if(_bsn), near=r"bsn|burgerservicenummer"),
    Rule("pl_pesel", r"{B}\d{11}{E}", _if(_pesel), near="pesel"),
    Rule("in_aadhaar", r"{B}[2-9]\d{3} \d{4} \d{4}(?! ?\d){E}", _if(_verhoeff)),
    Rule("in_aadhaar", r"{B}[2-9]\d{11}{E}", _if(_verhoeff), near=r"aadhaar|uidai"),
    Rule("in_pan", r"(?<![\w\-])[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z](?![\w\-])"),
    Rule("br_cpf", r"{B}\d{3}\.\d{3}\.\d{3}-\d\d{E}", _if(_cpf)),
    Rule("br_cpf", r"{B}\d{11}{E}", _if(_cpf), near="cpf"),
    Rule("ca_sin", r"{B}\d{3}[ \-]?\d{3}[ \-]?\d{3}{E}", _if(luhn), near=r"sin|social insurance(?: number| no\.?)?"),
    Rule("imei", r"{B}\d{15}{E}", _if(luhn), near="imei"),
    Rule("vin", r"(?<![\w\-])[A-HJ-NPR-Z0-9]{17}(?![\w\-])", _vin),
    Rule("passport", r"(?<!\w)(?=(?:[A-Z]*\d){4})[A-Z0-9]{6,9}(?!\w)",
         near=r"passport(?: number| no\.?)?|reisepass(?:nummer)?|passeport"),
    Rule("birth_date", r"(?<![\w])(?:\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.](?:\d{4}|\d\d)|"
         r"\d\d?\.? ?(?:of )?[A-Za-zäé]{3,9}\.?,? \d{4}|[A-Z][a-z]{2,8}\.? \d\d?(?:st|nd|rd|th)?,? \d{4})(?!\w)",
         near=r"born(?: on)?|birth ?da(?:te|y)|date of birth|d\.?o\.?b\.?|geboren(?: am)?|geburtsdatum|née? le"),
    Rule("location", r"(?<![\w.])([+\-]?\d{1,2}\.\d{4,10})°?[NS]?\s?[,;]\s?([+\-]?\d{1,3}\.\d{4,10})(?![\w]|\.\d)",
         _coordinates),
    Rule("address", rf"(?<![\w.\-])\d{{1,5}}[A-Z]? (?:[NSEW]\.? )?(?:[A-Z][a-z'’]+ ){{1,3}}(?:{_STREETS})(?![a-z])"),
    Rule("address", r"(?<!\w)[A-ZÄÖÜ][a-zäöüß]+(?:-[A-ZÄÖÜ][a-zäöüß]+)*"
         r"(?:straße|strasse|str\.|-Straße|weg|gasse|allee|platz)"
         r" \d{1,4} ?[a-z]?(?!\w)"),
    Rule("crypto", r"(?<!\w)(?:0x[0-9a-fA-F]{40}|bc1[02-9ac-hj-np-z]{25,87}|[13][1-9A-HJ-NP-Za-km-z]{25,34})(?!\w)"),
    Rule("phone", r"(?:(?<![\w+./\-])(?<!\d )|(?<=\d )(?=\+\d{1,3}[ .\-]\d)|(?<=\\[nrt]))"
         r"(?:\+[1-9]\d{0,2}[ .\-/]?|00[1-9]\d{0,2}[ .\-/])"
         r"(?:\(0?\d{0,4}\)[ .\-/]?)?\d(?:[ .\-/]?\d){5,12}(?![\w]|[ .\-/]?\d)", _phone),
    Rule("phone", r"(?:(?<![\w.+/\-])|(?<=\\[nrt]))(?:\+?1[ .\-]?)?(?:\([2-9]\d\d\) ?[2-9]\d\d[ .\-]\d{4}|"
         r"[2-9]\d\d([.\-])[2-9]\d\d\1\d{4})(?: ?(?:x|ext\.?) ?\d{1,6})?(?![\w]|-\w|\.\d)", _phone),
    Rule("phone", r"{B}(?<!\d )(?!\d{3}-\d\d-\d{4})"
         r"(?:\(0[1-9]\d{0,4}\) ?|0[1-9]\d{0,4}[ /\-] ?)\d{2,4}(?:[ \-]?\d{2,4}){1,4}(?! ?\d){E}",
         _if(lambda digits: 9 <= len(digits) <= 12)),
    Rule("phone", r"(?<![\w.])\(?\+?\d[\d ()./\-]{5,18}\d(?![\w]|\.\d)",
         _if(lambda digits: 7 <= len(digits) <= 15), near=rf"(?:{_TELEPHONE})(?: (?:number|no\.?|nr\.?))?"),
)  # fmt: skip
"""Every kind, the surest first: where two find the same, the first has it."""

NAMES: Final = tuple(dict.fromkeys(rule.name for rule in RULES))


def compiled(rule: Rule) -> re.Pattern[str]:
    """The pattern of a rule, ready to search."""
    return re.compile(rule.pattern.replace("{B}", _BEGIN).replace("{E}", _END))


def near(rule: Rule) -> re.Pattern[str] | None:
    """What must stand before it."""
    if not rule.near:
        return None
    return re.compile(rf"(?<![A-Za-z])(?:{rule.near})['\"]?\s?(?:is|are|was|=|:|at|on|#)?[\s:'\"(]*$", re.IGNORECASE)


def parts(entry: str) -> tuple[str, str]:
    """The kind and the mode that an entry of the setting names."""
    kind, _, mode = entry.partition(":")
    return kind, mode or MODES[0]


def from_setting(value: Any) -> tuple[Any, ...]:
    """Entries ``kind:mode``, and functions as they are; the last one says of each kind what becomes of it.

    Raises:
        ConfigError: an entry is neither a kind of :data:`NAMES` nor a function, or its mode is none of :data:`MODES`.
    """
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, Mapping):
        value = [f"{kind}:{mode}" for kind, mode in value.items()]
    if callable(value) or hasattr(value, "analyze"):
        value = [value]
    if not isinstance(value, Sequence | set | frozenset):
        raise ConfigError("pii", value, "a list of kinds of personal data, such as email and phone:hash")
    entries: list[Any] = []
    for item in value:
        if not isinstance(item, str):
            if not callable(item) and not callable(getattr(item, "analyze", None)):
                raise ConfigError("pii", type(item).__name__, "a kind by its name, a function, or an AnalyzerEngine")
            entries.append(item)
            continue
        kind, mode = (part.strip().lower() for part in parts(item))
        mode = mode.replace(" ", "").replace("keep", "").replace("_", "")
        if mode not in MODES:
            raise ConfigError("pii", item, "a mode of " + ", ".join(MODES) + ", as in email:hash")
        if kind not in (*NAMES, ALL, PRESIDIO):
            raise ConfigError("pii", item, "one of " + ", ".join((*NAMES, ALL, PRESIDIO)))
        entries += [f"{name}:{mode}" for name in (NAMES if kind == ALL else (kind,))]
    return merged((), entries)


def merged(lower: Sequence[Any], higher: Sequence[Any]) -> tuple[Any, ...]:
    """All entries of both, each kind and function once; of two for one kind the higher one."""
    kept: dict[Any, Any] = {}
    for entry in (*lower, *higher):
        kept[parts(entry)[0] if isinstance(entry, str) else id(entry)] = entry
    return tuple(kept.values())
