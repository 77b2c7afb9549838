"""Values that are secrets by the name beside them: ``"password": "…"``, ``DB_PASS=…``, ``the password is …``.

Longer than most files here: it is one search, whose steps look at the same text around the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._scrub import secret_patterns
from agentops_sdk._scrub.secret_names import STRONG, kind_of_name
from agentops_sdk._scrub.secret_places import after_name
from agentops_sdk._scrub.secret_rules import HARMLESS_MEMBERS, STEMS
from agentops_sdk._scrub.secret_tokens import SECRET, Finding, around
from agentops_sdk._scrub.secret_values import (
    is_cookie,
    is_plain_word_secret,
    is_quoted_secret,
    is_word_secret,
    looks_random,
    says_how,
    stands_for_another,
)
from agentops_sdk._scrub.sign_scan import Hits, add_signs

__all__ = ["TooMuchError", "pairs"]

_LONGEST_NAME: Final = 64


class TooMuchError(Exception):
    """Nothing but signs of secrets, one inside the other: not worth a closer look."""


def _stem_patterns() -> list[tuple[re.Pattern[str], list[tuple[int, str]]]]:
    by_letter: dict[str, list[tuple[int, str]]] = {}
    for stem in STEMS:
        letter = next(letter for letter in "=kpcu_" if letter in stem)
        by_letter.setdefault(letter, []).append((stem.index(letter), stem))
    patterns = []
    for letter, stems in by_letter.items():
        sides = set()
        for index, stem in stems:
            before, after = STEMS[stem]
            sides.add((before + stem[: index + 1], stem[index + 1 :] + after))
        patterns.append((around(letter, sides), stems))
    return patterns


_STEMS: Final = _stem_patterns()
_FORMS: Final = {
    stem: lazy_pattern((f"(?<={before})" if before else "") + re.escape(stem) + after)
    for stem, (before, after) in STEMS.items()
}
add_signs(STEMS)


def pairs(text: str, low: str, hits: Hits | None = None) -> tuple[list[Finding], set[str]]:
    """Every value in ``text`` that its name makes a secret, and the stems of names it has.

    Args:
        text: what is searched.
        low: ``text`` in lower case, character for character.
        hits: the signs that ``low`` has, where they are known.

    Raises:
        TooMuchError: structures under names of secrets nest so deep that looking costs more than it is worth.
    """
    if hits is not None and hits.keys().isdisjoint(STEMS):
        return [], set()
    search = _Search(text, low, hits)
    return list(search.findings()), search.stems


class _Search:
    """One search of one text for values by their names."""

    def __init__(self, text: str, low: str, hits: Hits | None) -> None:
        self.text = text
        self.low = low
        self.hits = hits
        self.covered = 0
        self.stems: set[str] = set()
        self._budget = 4 * len(text) + 65_536

    def findings(self) -> Iterator[Finding]:
        places = sorted(self._stem_places())
        self.stems = {stem for _, stem in places}
        seen: set[int] = set()
        for position, stem in places:
            if position < self.covered:
                continue
            end = position + len(stem.rstrip("="))
            if self.text[end : end + 1] in secret_patterns.IN_NAMES:
                rest = secret_patterns.REST_OF_NAME.match(self.text, end)
                end = rest.end() if rest is not None else end
            if end not in seen:
                seen.add(end)
                yield from self._at(position, end, stem)

    def _stem_places(self) -> Iterator[tuple[int, str]]:
        """Each letter that is one of a stem in its surroundings, as the first stem that stands there."""
        for pattern, stems in _STEMS:
            for letter in self._letters(pattern, stems):
                for offset, stem in stems:
                    position = letter - offset
                    if position >= 0 and self.low.startswith(stem, position):
                        yield position, stem
                        break

    def _letters(self, pattern: re.Pattern[str], stems: list[tuple[int, str]]) -> Iterable[int]:
        if self.hits is None:
            return (letter.start() for letter in pattern.finditer(self.low))
        low = self.low
        return {
            position + offset
            for offset, stem in stems
            for position in self.hits.get(stem, ())
            if _FORMS[stem].match(low, position) is not None
        }

    def _at(self, position: int, end: int, stem: str) -> Iterator[Finding]:
        text = self.text
        after = text[end : end + 1]
        if after and after not in secret_patterns.FOLLOW_NAMES:
            return
        start = self._start(position, end)
        name = text[start:end]
        kind = kind_of_name(name)
        if (
            text[start - 1 : start] == " "
            and after in secret_patterns.FOLLOW_WORDS
            and kind not in ("password", "key", "token")
        ):
            kind, start = self._with_words_before(start, end, kind)
        if not kind or (kind in ("bare token", "pin") and secret_patterns.FIGURE_AHEAD.match(text, end) is None):
            return
        name = text[start:end]
        for look in (self._pair, self._other_forms, self._elsewhere):
            findings = list(look(start, end, name, kind))
            if findings:
                self.covered = max(self.covered, *(finding.end for finding in findings))
                yield from findings
                return

    def _elsewhere(self, start: int, end: int, name: str, kind: str) -> Iterator[Finding]:
        return after_name(self.text, start, end, name, kind)

    def _start(self, position: int, end: int) -> int:
        """Where the name begins of which a part stands at ``place``."""
        text = self.text
        if position and text[position - 1] not in secret_patterns.IN_NAMES:
            return position
        back = secret_patterns.NAME_REVERSED.match(text[max(0, position - _LONGEST_NAME) : position][::-1])
        start = position - (back.end() if back is not None else 0)
        before = text[start - 1 : start]
        if before == "\\":  # \npassword in JSON; \u0026password in a script
            start += 5 if re.match(r"u[0-9A-Fa-f]{4}", text[start : start + 5]) else 1 if text[start] in "nrt" else 0
        elif before == "%" and re.match(r"[0-9A-Fa-f]{2}", text[start : start + 2]):
            start += 2
        return min(start, position)

    def _with_words_before(self, start: int, end: int, kind: str) -> tuple[str, int]:
        """``api key``, ``client secret``: names that people write as words."""
        before = secret_patterns.WORD_BEFORE.search(self.text[max(0, start - 24) : start - 1])
        if before is not None:
            word = before["word"]
            longer = kind_of_name(f"{word} {self.text[start:end]}")
            if longer:
                return longer, start - len(word) - 1
        return kind, start

    # --- name: value, and all that is written like it -----------------------------------------------------------

    def _pair(self, start: int, end: int, name: str, kind: str) -> Iterator[Finding]:  # noqa: C901 - form by form
        text = self.text
        pair = secret_patterns.AFTER.match(text, end)
        if pair is None:
            return
        at = pair.end()
        if kind == "pin" and pair[0].startswith((" code", " number")):
            name = f"{name}{pair[0][:5]}"
        close, gap = pair["close"], pair["gap"]
        if "->" in pair[0] and "(" in pair[0]:
            return  # a function and what it returns
        typed = None if close else secret_patterns.TYPED.match(text, end)
        if typed is not None:
            at, gap = typed.end(), ""
        if not close and ("\n" in gap or "\\n" in gap or text[at : at + 1] in ("|", ">")):
            yield from self._below(start, end, pair.start("gap"), name, kind)
            return
        is_dash = not any(mark in pair[0] for mark in ":=：") and ("-" in pair[0] or "–" in pair[0] or "—" in pair[0])
        opening = secret_patterns.PREFIXED.match(text, at)
        if opening is not None and not (not close and text[start - len(opening["open"]) : start] == opening["open"]):
            for finding in self._quoted(name, kind, opening, at):
                if not is_dash or looks_random(text[finding.start : finding.end]):
                    yield finding
        elif secret_patterns.OPENS.match(text, at) is not None and (
            close or (pair["space"] == "" and ":" in pair[0]) or "=" in pair[0]
        ):
            yield from self._container(at, name, kind, close or '"')
        elif close and (number := secret_patterns.NUMBER.match(text, at)) is not None:
            if is_word_secret(number[0], name, kind):
                yield Finding(*number.span(), SECRET, close)
        elif opening is None and (not close or pair["index"] is None):
            yield from self._bare(start, at, name, kind, pair)

    def _quoted(self, name: str, kind: str, opening: re.Match[str], at: int) -> Iterator[Finding]:
        start = opening.end()
        end, closed = _end_of_text(self.text, start, opening["open"])
        value = self.text[start:end]
        if "f" in opening[0][:2].lower() and "{" in value:
            return
        if len(value) > 1 and value[0] + value[-1] in ("{}", "[]"):
            return  # a structure as text: what is in it has names of its own
        if not closed and end < len(self.text):
            return
        if kind == "authorization" and " " in value.strip():
            scheme = re.match(r"\s*[A-Za-z0-9-]+\s+", value)
            if is_quoted_secret(value, name, kind) and scheme is not None:
                yield Finding(start + scheme.end(), end, SECRET)
        elif is_quoted_secret(value, name, kind):
            yield Finding(start, end, SECRET)

    def _bare(self, start: int, at: int, name: str, kind: str, pair: re.Match[str]) -> Iterator[Finding]:  # noqa: C901 - form by form
        """A value without quotes."""
        text = self.text
        separator = pair[0]
        is_tight = not pair["space"] and not pair["gap"] and ":" not in separator
        if kind == "cookie":
            line = secret_patterns.LINE.match(text, at)
            if line is not None and not pair["space"] and is_cookie(line[0]):
                yield Finding(*line.span(), SECRET)
            return
        if kind == "authorization":
            line = secret_patterns.SCHEME_AND_VALUE.match(text, at)
            if line is not None:
                whole = secret_patterns.LINE.match(text, at)
                if whole is not None and is_quoted_secret(
                    whole[0].split(",")[0] if not line["scheme"] else line[0], name, kind
                ):
                    yield Finding(line.start("value"), line.end("value"), SECRET)
            return
        in_address = (
            text[start - 1 : start] in ("?", "&", ";", "#")
            or text[start - 5 : start] in ("&amp;", "u0026")
            or text[start - 3 : start] in ("%26", "%3F")
        )
        match = (secret_patterns.TIGHT if in_address else secret_patterns.BARE).match(text, at)
        if match is None:
            return
        value = match[0]
        end = match.end()
        follows = text[end : end + 1]
        if kind == "signature":
            if in_address and len(value) >= 16:
                yield Finding(at, end, SECRET)
            return
        if follows and follows in "([{" and not value[-1:].isdigit():
            return
        if (
            kind == "password"
            and not is_tight
            and (several := secret_patterns.SEVERAL_WORDS.match(text, at)) is not None
        ):
            line_starts = secret_patterns.LINE_STARTS.search(text[max(0, start - 80) : start]) is not None
            if (
                "phrase" in name.lower()
                and line_starts
                and not says_how(several["value"])
                and is_quoted_secret(several["value"], name, kind)
            ):
                yield Finding(*several.span("value"), SECRET)
                return
        trimmed = value.rstrip(".:!?*") if not is_tight or follows in ("", " ", "\n") else value
        if not trimmed or _is_code(trimmed):
            return
        end = at + len(trimmed)
        if self._is_bare_secret(start, at, end, name, kind, trimmed, separator, is_tight, in_address):
            yield Finding(at, end, SECRET)

    def _is_bare_secret(
        self,
        start: int,
        at: int,
        end: int,
        name: str,
        kind: str,
        value: str,
        separator: str,
        is_tight: bool,
        in_address: bool,
    ) -> bool:
        text = self.text
        guarded = is_word_secret(value, name, kind)
        if not guarded and ((kind not in STRONG and kind != "pass") or not is_plain_word_secret(value, name)):
            return False
        line_starts = secret_patterns.LINE_STARTS.search(text[max(0, start - 80) : start]) is not None
        line_ends = secret_patterns.LINE_ENDS.match(text, end) is not None
        is_flag = text[max(0, start - 2) : start].endswith("-") or name.startswith("-")
        in_call = (
            value.isidentifier()
            and ("=" in separator)
            and not (in_address or is_flag)
            and self._is_in_call(start, end, line_starts)
        )
        if value.isidentifier() and not in_address and kind_of_name(value):
            # password=db_password1, api_key=API_KEY: a name; password=password123, DB_PASS=hunter2secret are none.
            chosen = kind in ("password", "pass") and "_" not in value and _looks_guarded(value)
            return guarded and chosen and not in_call
        if guarded or in_call:
            # A variable may end in a figure; a password that is an identifier has more of them, or no word before.
            return guarded and (not in_call or _looks_guarded(value))
        if kind == "pass":
            return in_address or (is_tight and line_starts and line_ends)
        if is_tight:
            if in_address or is_flag or (line_starts and line_ends):
                return True
            return kind == "password" and text[end : end + 1] not in (",", ")")
        if ":" in separator:
            if line_starts and line_ends and text[end : end + 1] != ",":
                return kind != "token" or len(value) >= 12
            before = re.search(r"([A-Za-z]+)(?: [A-Za-z]+)? \Z", text[max(0, start - 40) : start])
            return (
                kind == "password" and before is not None and secret_patterns.SENTENCE_ENDS.match(text, end) is not None
            )
        # name = word: a setting in a file, or a variable in code
        if not ("=" in separator and line_starts and line_ends and kind in ("password", "key")):
            return False
        return secret_patterns.CODE_LINES.search(text, max(0, start - 400), min(len(text), end + 400)) is None

    def _is_in_call(self, start: int, end: int, line_starts: bool) -> bool:
        """Whether ``name=value`` is an argument: ``register(api_key=key)``, also on a line of its own."""
        text = self.text
        if text[end : end + 1] == "," and line_starts:
            return True
        before = text[max(0, start - 300) : start]
        if secret_patterns.CALL.search(before) is None:
            return False
        arguments = before[before.rfind("(") :]
        # connect("host=db password=x"): settings in a text, not arguments.
        return not any(arguments.count(quote) % 2 for quote in "\"'")

    def _below(self, start: int, end: int, at: int, name: str, kind: str) -> Iterator[Finding]:
        """YAML: a list, or a text of several lines, under the name."""
        text = self.text
        if kind not in STRONG or not secret_patterns.LINE_STARTS.search(text[max(0, start - 80) : start]):
            return
        head = secret_patterns.YAML_LIST.match(text, at)
        if head is None:
            return
        position, is_block = head.end(), "|" in head[0] or ">" in head[0]
        before = text[max(0, start - 80) : start]
        indent = len(before) - len(before.rstrip(" \t"))
        if not is_block and text[position : position + 1] in (" ", "\t"):  # a long value on a line of its own
            line = secret_patterns.YAML_LINE.match(text, position)
            if line is not None and looks_random(line["value"].strip("\"'")) and ":" not in line["value"]:
                yield Finding(*line.span("value"), SECRET)
                return
        for _ in range(200):
            item = (secret_patterns.YAML_LINE if is_block else secret_patterns.YAML_ITEM).match(text, position)
            if item is None or (is_block and len(item["indent"]) <= indent):
                break
            value = item["value"]
            quoted = re.fullmatch(r"([\"'])(.*)\1", value)
            plain = quoted[2] if quoted else value
            if "-----BEGIN" in plain:
                break
            if kind == "secret" and not is_block and not is_word_secret(plain, name, kind):
                pass  # the names of secrets that are kept elsewhere
            elif ": " not in plain and not stands_for_another(plain, name) and (is_block or " " not in plain or quoted):
                offset = 1 if quoted else 0
                yield Finding(item.start("value") + offset, item.end("value") - offset, SECRET)
            following = secret_patterns.LINE_BREAK.match(text, item.end())
            if following is None:
                break
            position = following.end()

    # --- objects and lists under a name -----------------------------------------------------------------------------

    def _container(self, at: int, name: str, kind: str, quote: str) -> Iterator[Finding]:
        text = self.text
        if kind in ("signature", "authorization", "pin"):
            return
        escapes = len(quote) - len(quote.lstrip("\\"))
        members, end = self._members(at, escapes)
        is_schema = text[at] == "{" and secret_patterns.SCHEMA.search(text, at, end) is not None
        any_member = False
        for start, stop, key, is_number in members:
            value = text[start:stop]
            if is_schema and key not in secret_patterns.SCHEMA_VALUES:
                continue
            if key in HARMLESS_MEMBERS or (value[:1] in "[{" and len(value) > 1 and kind_of_name(key) == ""):
                continue
            judged = kind if kind in STRONG else "bare token" if kind == "cookie" else kind
            if is_number:
                if kind in STRONG and len(value) >= 4 and not is_schema and key != "expires":
                    any_member = True
                    yield Finding(start, stop, SECRET, quote if quote[-1:] in "\"'" else '"')
            elif is_quoted_secret(value, key or name, judged) or (kind == "cookie" and is_cookie(value)):
                any_member = True
                yield Finding(start, stop, SECRET)
        if any_member:
            self.covered = max(self.covered, end)

    def _members(self, at: int, escapes: int) -> tuple[list[tuple[int, int, str, bool]], int]:  # noqa: C901 - form by form
        """Texts and numbers of the structure that opens at ``at``, each with its name; and where it ends."""
        text = self.text
        members: list[tuple[int, int, str, bool]] = []
        keys: list[str] = []
        position, limit = at, min(len(text), at + secret_patterns.LONGEST_CONTAINER)
        key = ""
        while position < limit:
            mark = secret_patterns.MEMBER.search(text, position, limit)
            if mark is None:
                position = limit
                break
            sign = mark[0]
            position = mark.end()
            if sign in ("{", "["):
                keys.append(key)
                if sign == "{":
                    key = ""
            elif sign in ("}", "]"):
                key = keys.pop() if keys else ""
                if not keys:
                    break
            elif sign[-1] in "\"'":
                if len(sign) - 1 != escapes:
                    if len(sign) - 1 < escapes:
                        break  # the text around it ends
                    continue
                stop, _ = _end_of_text(text, position, sign)
                value = text[position:stop]
                following = secret_patterns.END_OF_KEY.match(text, stop)
                if following is not None:
                    key = value
                else:
                    members.append((position, stop, key, False))
                position = stop + len(sign)
            elif not text[mark.start() - 1].isalnum() and not text[position : position + 1].isalnum():
                members.append((mark.start(), position, key, True))
        self._budget -= position - at
        if self._budget < 0:
            raise TooMuchError
        return members, position

    # --- everything else ----------------------------------------------------------------------------------------------

    def _other_forms(self, start: int, end: int, name: str, kind: str) -> Iterator[Finding]:  # noqa: C901 - form by form
        text = self.text
        before = text[start - 1 : start]
        after = text[end : end + 1]
        if before in ("<", ":") or text[start - 4 : start] == "&lt;":
            element = secret_patterns.ELEMENT.match(text, end)
            if element is not None and (
                before != ":" or secret_patterns.NAMESPACE.search(text[max(0, start - 30) : start])
            ):
                yield from self._judged(element, name, kind)
                return
        if name[0] == "-":
            flag = secret_patterns.FLAG.match(text, end)
            if flag is not None and self._is_flag_value(flag, name, kind):
                yield Finding(*flag.span("value"), SECRET)
            return
        if kind in ("signature", "auth"):
            return
        if after in secret_patterns.CLOSES or text[end : end + 2] in secret_patterns.CLOSES:
            findings = list(self._of_member(start, end, name, kind))
            if findings:
                yield from findings
                return
        if (
            after in ("", "\n", "\\", '"', "'")
            and secret_patterns.YAML_NAME.search(text[max(0, start - 40) : start]) is not None
        ):
            yaml = secret_patterns.YAML_VALUE.match(text, end)
            if yaml is not None:
                yield from self._judged(yaml, name, kind)
                return
        if after in "*` |" and "|" in text[max(0, start - 40) : start]:
            cell = secret_patterns.CELL.match(text, end)
            if cell is not None and is_word_secret(cell["value"], name, kind):
                yield Finding(*cell.span("value"), SECRET)
                return
        if after in " \n\"'`*":
            yield from self._prose(start, end, name, kind)

    def _judged(self, match: re.Match[str], name: str, kind: str) -> Iterator[Finding]:
        value = match["value"].strip()
        start = match.start("value") + len(match["value"]) - len(match["value"].lstrip())
        quoted = re.fullmatch(r"([\"'])(.*)\1", value)
        if quoted:
            value, start = quoted[2], start + 1
        if is_quoted_secret(value, name, kind):
            yield Finding(start, start + len(value), SECRET)

    def _is_flag_value(self, flag: re.Match[str], name: str, kind: str) -> bool:
        value = flag["value"]
        if _is_code(value) and "." in value:
            return False
        if is_word_secret(value, name, kind):
            return True
        if kind not in STRONG or not is_plain_word_secret(value, name):
            return False
        following = self.text[flag.end() : flag.end() + 3]
        return not following.strip() or following.lstrip()[:1] in "-\"'\\|&;\n" or following[:1] == "\n"

    def _of_member(self, start: int, end: int, name: str, kind: str) -> Iterator[Finding]:
        """``{"name": "password", "value": …}``, ``<add key="password" value="…"/>``, ``setenv("API_KEY", "…")``."""
        text = self.text
        close = secret_patterns.CLOSE_OF_NAME.match(text, end)
        if close is None:
            return
        at = close.start("q")
        head = text[max(0, start - 100) : start]
        colon = head.rfind(":")
        if (
            colon >= 0
            and len(head) - colon < 70
            and (named := secret_patterns.NAME_MEMBER.search(head, max(0, colon - 56))) is not None
        ):
            member = secret_patterns.VALUE_MEMBER.match(text, close.end())
            if member is not None:
                yield from self._quoted(name, kind, member, member.start("open"))
                return
            offset = max(0, start - 700)
            # No brace stands between the two members, so where nothing closes after the last one there is no value.
            member_start = start - len(head) + named.start()
            brace = max(text.rfind("{", offset, member_start), text.rfind("}", offset, member_start), offset - 1)
            if secret_patterns.QUOTES.isdisjoint(text[brace + 1 : member_start]):
                return
            earlier = secret_patterns.VALUE_BEFORE.search(text[offset:start])
            if earlier is not None and is_quoted_secret(earlier["value"], name, kind):
                yield Finding(offset + earlier.start("value"), offset + earlier.end("value"), SECRET)
            return
        if "=" in head and re.search(r"\b(?:name|key|id|property)\s*=\s*\\{0,31}[\"']\Z", head, re.IGNORECASE):
            for form in (secret_patterns.FORM_FIELD, secret_patterns.ATTRIBUTES, secret_patterns.ELEMENT_OF_NAME):
                match = form.match(text, at)
                if match is not None:
                    yield from self._judged(match, name, kind)
                    return
            return
        argument = secret_patterns.ARGUMENT.match(text, at)
        if argument is None:
            return
        stop, closed = _end_of_text(text, argument.end(), argument["open"])
        value = text[argument.end() : stop]
        is_header = kind in ("authorization", "cookie") or name.lower().startswith("x-")
        if (
            closed
            and not kind_of_name(value)
            and (looks_random(value) or is_header)
            and is_quoted_secret(value, name, kind)
        ):
            yield Finding(argument.end(), stop, SECRET)

    def _prose(self, start: int, end: int, name: str, kind: str) -> Iterator[Finding]:
        match = secret_patterns.PROSE.match(self.text, end)
        if match is None:
            yield from self._next_to(start, end, name, kind)
            return
        quoted = match["open"] is not None and "*" not in match["open"]
        if quoted:
            stop, quoted = _end_of_text(self.text, match.end("open"), match["open"])
            value = self.text[match.start("value") : stop]
        if not quoted:  # or a quote that is closed nowhere
            value = match["value"].rstrip(".:!?*)")
            stop = match.start("value") + len(value)
        if _is_code(value):
            return
        guarded = is_word_secret(value, name, kind)
        if quoted:
            is_secret = is_quoted_secret(value, name, kind) and (kind in STRONG or guarded)
        else:
            is_secret = guarded or (
                kind == "password"
                and match["verb"] not in ("to", "are", "were")
                and value.islower()
                and is_plain_word_secret(value, name)
                and secret_patterns.SENTENCE_ENDS.match(self.text, stop) is not None
            )
        if is_secret and (match["verb"] != "to" or kind == "password"):
            yield Finding(match.start("value"), stop, SECRET)

    def _next_to(self, start: int, end: int, name: str, kind: str) -> Iterator[Finding]:
        """``PASSWORD 'x'``, ``login ann password x``, ``use token x``."""
        text = self.text
        if kind in ("key", "token", "bare token", "qualified token", "secret"):
            word = secret_patterns.NEXT_WORD.match(text, end)
            if word is not None and len(word["value"]) >= 16 and looks_random(word["value"].rstrip(".:!?*")):
                value = word["value"].rstrip(".:!?*")
                if not _is_code(value) and is_word_secret(value, name, kind):
                    yield Finding(word.start("value"), word.start("value") + len(value), SECRET)
        elif kind == "password":
            quoted_next = secret_patterns.NEXT_QUOTED.match(text, end)
            if quoted_next is not None:
                before = text[max(0, start - 20) : start].lower()
                if is_word_secret(quoted_next["value"], name, kind) or before.endswith(
                    ("with ", "set ", "alter ", "encrypted ")
                ):
                    yield Finding(*quoted_next.span("value"), SECRET)
                return
            login = secret_patterns.LOGIN_BEFORE.search(text[max(0, start - 80) : start])
            if login is not None and (plain := secret_patterns.LOGIN_VALUE.match(text, end)) is not None:
                yield Finding(*plain.span("value"), SECRET)
                return
            word = secret_patterns.NEXT_WORD.match(text, end)
            if word is not None:
                value = word["value"].rstrip(".:!?*")
                named = secret_patterns.NAMED_BEFORE.search(text[max(0, start - 60) : start]) is not None
                if (named or (looks_random(value) and not _is_code(value))) and is_word_secret(value, name, kind):
                    yield Finding(word.start("value"), word.start("value") + len(value), SECRET)


def _end_of_text(text: str, start: int, quote: str) -> tuple[int, bool]:
    """Where the text ends that ``quote`` opened before ``start``, and whether it was closed there."""
    limit = min(len(text), start + secret_patterns.LONGEST_VALUE)
    sign = quote[-1]
    escapes = len(quote) - 1
    if sign not in "\"'`" or quote.strip("\\") != sign:  # three quotes, an entity, an escape of another kind
        position = text.find(quote, start, limit)
        return (position, True) if position >= 0 else (limit, False)
    position = start
    while True:
        position = text.find(sign, position, limit)
        if position < 0:
            end = text.find("\n", start, limit)
            return (end if end >= 0 else limit), False
        count = 0
        while position - count > start and text[position - count - 1] == "\\":
            count += 1
        if count % (2 * (escapes + 1)) == escapes:
            line = text.find("\n", start, position)
            return (line, False) if line >= 0 and not escapes and sign != "`" else (position - escapes, True)
        if count < escapes:
            return position - count, True  # the text around it ends
        position += 1


def _is_code(value: str) -> bool:
    """``settings.password``, ``args.key``, ``httpx.Auth``: a name, not a secret."""
    parts = value.replace("?", "").split(".")
    figures = sum(letter.isdigit() for letter in value)
    return len(parts) > 1 and all(map(str.isidentifier, parts)) and (figures < 3 or max(map(len, parts)) < 12)


def _looks_guarded(value: str) -> bool:
    """An identifier that is no name of a variable: figures among its letters, or more than two behind them."""
    letters = value.rstrip("0123456789")
    return any(letter.isdigit() for letter in letters) or len(value) - len(letters) > 2 or (
        letters.isalpha() and letters.islower() and len(letters) >= 5 and len(value) > len(letters))  # fmt: skip
