"""What is asked of every span, in columns: about a hundred bytes for each, where a record takes thousands.

Records are made only of the spans that are looked at, from the place where their line stands. Numbers here
are rows, in the order in which spans were added. Long because writing a column and reading it stand side by side.
"""

from __future__ import annotations

import marshal
from array import array
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, get_args

from agentops_sdk import semconv
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.classify import REMOTE_KNOWN, REMOTE_PARENT
from agentops_sdk.traces.json_values import to_json
from agentops_sdk.traces.lines import Lines
from agentops_sdk.traces.parse import as_record
from agentops_sdk.traces.record import Kind, Outcome, SpanKind, SpanRecord, Status
from agentops_sdk.traces.usage import ATTRIBUTES, FROM_PROVIDER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agentops_sdk.traces.cost import Cost
    from agentops_sdk.traces.usage import Usage

    Place = tuple[int, int, int]  # a file of Lines, an offset, a length

__all__ = ["Columns", "Fact"]

KINDS: Final = get_args(Kind)
OUTCOMES: Final = get_args(Outcome)
_KIND: Final = {kind: number for number, kind in enumerate(KINDS)}
_OUTCOME: Final = {outcome: number << 4 for number, outcome in enumerate(OUTCOMES)}
_SPAN_KINDS: Final = frozenset(get_args(SpanKind))
_STATUSES: Final = frozenset(get_args(Status))
_HEX: Final = "0123456789abcdef"
_INT64: Final = (-(2**63), 2**63 - 1)


class Fact:
    """Bits beside a span's kind and outcome."""

    PARENT = 1 << 8
    REMOTE = 1 << 9  # its parent is in another process
    ABSENT = 1 << 10  # it says why its parent is not here
    KNOWN = 1 << 11  # it says where its parent was
    CACHED = 1 << 12
    PLUMBING = 1 << 13
    USAGE = 1 << 14
    ESTIMATED = 1 << 15
    TRAINED = 1 << 16
    MONEY = 1 << 17  # it says something of money; COST tells whether that is a cost
    COST = 1 << 18
    PRICED = 1 << 19
    RESPONSE_ID = 1 << 20
    MODEL = 1 << 21
    FIRST_CHUNK = 1 << 22
    MISSING = 1 << 23
    ELSEWHERE = 1 << 24
    SESSION = 1 << 25
    DECIDES = 1 << 26  # it may be, carry or reveal a decision


KIND_BITS: Final = 15
OUTCOME_SHIFT: Final = 4
OUTCOME_BITS: Final = 7 << OUTCOME_SHIFT
ENDED: Final = tuple(outcome not in semconv.NOT_ENDED for outcome in OUTCOMES)

_USAGE: Final = (*ATTRIBUTES.values(), semconv.USAGE_CACHE_WRITE)
_TOLD: Final = (
    *_USAGE, semconv.USAGE_SOURCE,
    semconv.COST_AMOUNT, semconv.OPERATION_COST, semconv.COST_ESTIMATED, semconv.COST_CURRENCY,
    semconv.COST_UNKNOWN_REASON, semconv.RESPONSE_MODEL, semconv.REQUEST_MODEL,
    semconv.SESSION_ID, semconv.CONVERSATION_ID, semconv.TAGS, semconv.TOOL_NAME, semconv.AGENT_NAME,
    semconv.RESPONSE_TIME_TO_FIRST_CHUNK, semconv.MISSING_SPANS,
)  # fmt: skip
"""Attributes that totals and tables are made of; the columns keep their values."""
_BITS: Final = {
    **dict.fromkeys(_TOLD, 0),
    semconv.COST_AMOUNT: Fact.MONEY,
    semconv.OPERATION_COST: Fact.MONEY,
    semconv.COST_UNKNOWN_REASON: Fact.MONEY,
    semconv.RESPONSE_MODEL: Fact.MODEL,
    semconv.REQUEST_MODEL: Fact.MODEL,
    semconv.SESSION_ID: Fact.SESSION,
    semconv.CONVERSATION_ID: Fact.SESSION,
    semconv.RESPONSE_ID: Fact.RESPONSE_ID,
    semconv.RESPONSE_TIME_TO_FIRST_CHUNK: Fact.FIRST_CHUNK,
    semconv.USAGE_TRAINED: Fact.TRAINED,
    **dict.fromkeys(
        (
            *(semconv.DECISION_CHOSEN, semconv.DECISION_OPTIONS, semconv.DECISION_NAME),
            *(semconv.ATTEMPTS, semconv.ATTEMPT, semconv.GUARDRAIL_RESULT),
            *(semconv.INTERRUPTS, semconv.GRAPH_CHECKPOINT_ID),
        ),
        Fact.DECIDES,
    ),
}
"""Attributes that set a bit by being there, or with a value that is not empty."""
_FLAGS: Final = {
    semconv.CACHED: Fact.CACHED,
    semconv.PLUMBING: Fact.PLUMBING,
    semconv.SAMPLED_ELSEWHERE: Fact.ELSEWHERE,
}
"""Attributes that set a bit by being true."""
_NUMBER: Final = {name: number for number, name in enumerate(_TOLD)}
_WATCHED: Final = {
    name: (_NUMBER.get(name, -1), _BITS.get(name, 0))
    for name in (*_BITS, *_FLAGS, semconv.RESPONSE_FINISH_REASONS)
}  # fmt: skip
_DECIDING_KINDS: Final = frozenset((_KIND["decision"], _KIND["guardrail"]))
_MOST_TEXTS: Final = 65_000
_MOST_BLOBS: Final = 50_000


class Columns:
    """Spans of any number of traces. ``ids``, ``parents``, ``starts``, ``ends`` and ``facts`` are by row."""

    def __init__(self) -> None:
        self.lines = Lines()
        self.ids = array("Q")
        self.parents = array("Q")
        self.starts = array("q")
        self.ends = array("q")
        self.facts = array("I")
        self.names = array("H")
        """By row the place of the span's name in :attr:`texts`; 0 where there are too many different ones."""
        self.models = array("H")
        """The same for the model that answered, or else was asked."""
        self.texts: list[str] = [""]
        self._files = array("I")
        self._offsets = array("Q")
        self._lengths = array("I")
        self._told_at = array("Q")
        self._told = bytearray(b"\0")
        self._texts: dict[str, int] = {}
        self._blobs: dict[bytes, int] = {}
        self._scopes: list[dict[str, Any]] = []
        self._held: dict[int, SpanRecord] = {}

    def __len__(self) -> int:
        return len(self.ids)

    # --- in ----------------------------------------------------------------------------------

    def add(self, raw: dict[str, Any], place: Place) -> int | None:
        """Add the span that a parsed line holds; its row, or ``None`` where :func:`as_record` has to read the line.

        Args:
            raw: the line, of which ``looks_like_record`` holds.
            place: where it can be read again.
        """
        if not _is_plain(raw, self._scopes):
            return None
        facts = _KIND[raw.get("kind", "span")] | _OUTCOME[raw.get("outcome", "ok")]
        if raw.get("events"):
            facts |= Fact.DECIDES
        self._append(
            int(raw["span_id"], 16),
            raw.get("parent_id"),
            raw["start_ns"],
            raw["end_ns"],
            facts,
            raw.get("flags", 1),
            raw["name"],
            raw.get("attributes") or _EMPTY,
        )
        return self._put(place)

    def add_record(self, record: SpanRecord, place: Place | None = None) -> int:
        """Add a record; its row.

        Args:
            record: it is held in memory, unless its place has a length.
            place: where a line that holds it can be read again, or at least the file that it is from.
        """
        facts = _KIND[record.kind] | _OUTCOME[record.outcome]
        if record.events:
            facts |= Fact.DECIDES
        least, most = _INT64
        self._append(
            int(record.span_id, 16),
            record.parent_id,
            min(max(record.start_ns, least), most),
            min(max(record.end_ns, least), most),
            facts,
            record.flags,
            record.name,
            record.attributes,
        )
        row = self._put(place or (0, 0, 0))
        if not self._lengths[row]:
            self._held[row] = record
        return row

    def _put(self, place: Place) -> int:
        self._files.append(place[0])
        self._offsets.append(place[1])
        self._lengths.append(place[2])
        return len(self._files) - 1

    def _append(
        self,
        span_id: int,
        parent_id: str | None,
        start: int,
        end: int,
        facts: int,
        flags: int,
        name: str,
        attributes: Mapping[str, Any],
    ) -> None:
        if flags & REMOTE_KNOWN:
            facts |= Fact.KNOWN
        if flags & REMOTE_PARENT == REMOTE_PARENT:
            facts |= Fact.REMOTE | Fact.ABSENT
        elif flags & (REMOTE_KNOWN | 1) == REMOTE_KNOWN:
            facts |= Fact.ABSENT
        told_at = model = 0
        if attributes:
            told: dict[int, Any] = {}
            facts |= _facts(attributes, told)
            if told:
                told_at = self._tell(told)
            if facts & Fact.MODEL:
                model = self._text(str(attributes.get(semconv.RESPONSE_MODEL) or attributes[semconv.REQUEST_MODEL]))
        if facts & KIND_BITS in _DECIDING_KINDS:
            facts |= Fact.DECIDES
        text = self._text(name)
        self.ids.append(span_id)
        if parent_id is None:
            self.parents.append(0)
        else:
            self.parents.append(int(parent_id, 16))
            facts |= Fact.PARENT
        self.starts.append(start)
        self.ends.append(end)
        self.facts.append(facts)
        self.names.append(text)
        self.models.append(model)
        self._told_at.append(told_at)

    def _text(self, text: str) -> int:
        number = self._texts.get(text)
        if number is None:
            if len(self.texts) >= _MOST_TEXTS:
                return 0
            number = self._texts[text] = len(self.texts)
            self.texts.append(text)
        return number

    def _tell(self, told: dict[int, Any]) -> int:
        try:
            blob = marshal.dumps(told)
        except ValueError:  # a number type of a library's, or something deeper than that goes
            plain = {number: to_json(value) for number, value in told.items()}
            blob = marshal.dumps({number: value for number, value in plain.items() if not isinstance(value, dict)})
        at = self._blobs.get(blob)
        if at is None:
            at = len(self._told)
            self._told += blob
            if len(self._blobs) < _MOST_BLOBS:
                self._blobs[blob] = at
        return at

    # --- out ---------------------------------------------------------------------------------

    def told(self, row: int) -> dict[str, Any]:
        """The attributes of a span that totals and tables are made of."""
        return {_TOLD[number]: value for number, value in self._values(row).items()}

    def _values(self, row: int) -> dict[int, Any]:
        at = self._told_at[row]
        if not at:
            return {}
        values: dict[int, Any] = marshal.loads(memoryview(self._told)[at:])  # noqa: S302 - what _tell has dumped
        return values

    def add_figures(self, row: int, usage: Usage | None, cost: Cost | None) -> None:
        """Add a span's own tokens and money, as ``Usage.of`` and ``Cost.of`` read them, without making either."""
        values = self._values(row)
        if usage is not None:
            usage.count(
                values.get(_SOURCE),
                ((_USAGE_NAMES[number], value) for number, value in values.items() if number < _LAST_USAGE),
            )
        if cost is None:
            return
        amount = values.get(_AMOUNT, values.get(_OTHER_AMOUNT))
        if type(amount) is int or type(amount) is float:
            guessed = values.get(_ESTIMATED) is True or values.get(_SOURCE) in _ESTIMATES
            currency = values.get(_CURRENCY)
            cost.count(Decimal(repr(amount)), currency if isinstance(currency, str) else "USD", guessed=guessed)
        elif reason := values.get(_REASON):
            cost.miss(str(reason))

    def name(self, row: int) -> str:
        """The span's name."""
        text = self.names[row]
        return self.texts[text] if text else self.record(row).name

    def model(self, row: int) -> str | None:
        """The model that answered, or else the one that was asked."""
        if not self.facts[row] & Fact.MODEL:
            return None
        told, text = self.told, self.models[row]
        if text:
            return self.texts[text]
        return str(told(row).get(semconv.RESPONSE_MODEL) or told(row)[semconv.REQUEST_MODEL])

    def record(self, row: int) -> SpanRecord:
        """The record of one span.

        Raises:
            TraceError: its line cannot be read again.
        """
        held = self._held.get(row)
        if held is not None:
            return held
        return self._parsed(self.lines.read(self._files[row], self._offsets[row], self._lengths[row]))

    def file_of(self, row: int) -> Path | None:
        """The file that a span stands in."""
        return self.lines.path(self._files[row])

    @staticmethod
    def _parsed(line: bytes) -> SpanRecord:
        import orjson

        try:
            return as_record(orjson.loads(line))
        except ValueError as error:
            raise TraceError("a line is not the one that it was when its file was first read") from error


def _is_plain(raw: dict[str, Any], scopes: list[dict[str, Any]]) -> bool:
    """Whether a line that looks like a record surely is one, with a value of the right type in every field.

    What is in doubt is left to the model, which converts, mends and refuses. ``scopes`` holds those that were
    looked at before.
    """
    get = raw.get
    parent, start, end, scope = get("parent_id"), raw["start_ns"], get("end_ns"), get("scope", _EMPTY)
    least, most = _INT64
    try:
        return (
            type(end) is int
            and least <= end <= most
            and least <= start <= most
            and get("outcome", "ok") in _ENDINGS
            and get("kind", "span") in _KIND
            and get("span_kind", "INTERNAL") in _SPAN_KINDS
            and get("status", "unset") in _STATUSES
            and (parent is None or (type(parent) is str and len(parent) == 16 and not parent.strip(_HEX)))
            and not raw["span_id"].strip(_HEX)
            and not raw["trace_id"].strip(_HEX)
            and type(get("attributes", _EMPTY)) is dict
            and type(get("resource", _EMPTY)) is dict
            and type(get("flags", 1)) is int
            and type(get("v", 1)) is int
            and (scope in scopes or _is_scope(scope, scopes))
            and (_RARE.isdisjoint(raw) or _has_rare(raw))
        )
    except TypeError:  # a list where a word should be
        return False


def _is_scope(scope: Any, scopes: list[dict[str, Any]]) -> bool:
    if not _has(scope, _SCOPE):
        return False
    scopes.insert(0, scope)
    del scopes[8:]
    return True


def _has_rare(raw: dict[str, Any]) -> bool:
    events, links = raw.get("events", _NONE), raw.get("links", _NONE)
    return (
        (type(events) is list and all(_has(event, _EVENT) for event in events))
        and (type(links) is list and all(_has(link, _LINK) for link in links))
        and ("dropped" not in raw or _has(raw["dropped"], _DROPPED))
        and _has(raw, _OTHERS)
        and raw.get("process") is None
        and raw.get("open_below", _NONE) == _NONE
    )


def _has(item: Any, fields: tuple[tuple[str, Any, tuple[type, ...]], ...]) -> bool:
    """Whether an object's fields have the types they should, where they are there."""
    if type(item) is not dict:
        return False
    return all(type(item.get(name, default)) in kinds for name, default, kinds in fields)


_EMPTY: Final[dict[str, Any]] = {}
_NONE: Final[list[Any]] = []
_ENDINGS: Final = frozenset(OUTCOMES) - {"running"}
_WORD: Final = (str, type(None))
_OTHERS: Final = (("status_message", None, _WORD), ("trace_state", "", (str,)), ("resource_schema_url", None, _WORD))
_RARE: Final = frozenset(
    ("events", "links", "dropped", "status_message", "trace_state", "resource_schema_url", "process", "open_below")
)
_SCOPE: Final = (
    ("name", "", (str,)),
    ("version", None, _WORD),
    ("schema_url", None, _WORD),
    ("attributes", _EMPTY, (dict,)),
)
_EVENT: Final = (
    ("name", None, (str,)),
    ("time_ns", None, (int,)),
    ("attributes", _EMPTY, (dict,)),
    ("dropped", 0, (int,)),
)
_LINK: Final = (
    ("trace_id", None, (str,)), ("span_id", None, (str,)), ("trace_state", "", (str,)), ("flags", 0, (int,)),
    ("attributes", _EMPTY, (dict,)), ("dropped", 0, (int,)),
)  # fmt: skip
_DROPPED: Final = (("attributes", 0, (int,)), ("events", 0, (int,)), ("links", 0, (int,)))


def _facts(attributes: Mapping[str, Any], told: dict[int, Any]) -> int:
    """The bits that attributes set; what is to be kept of them goes into ``told``."""
    facts = 0
    watched = _WATCHED.get
    for name, value in attributes.items():
        about = watched(name)
        if about is None:
            continue
        number, bit = about
        if number >= 0:
            told[number] = value
            if number < _LAST_USAGE and (type(value) is int or type(value) is float):
                facts |= Fact.USAGE
        if bit and (value or bit & _BY_PRESENCE):
            facts |= bit
        elif name in _FLAGS:
            facts |= _FLAGS[name] if value is True else 0
        elif name == semconv.RESPONSE_FINISH_REASONS and _refused(value):
            facts |= Fact.DECIDES
    if told:
        if facts & Fact.USAGE and told.get(_SOURCE) in _ESTIMATES:
            facts |= Fact.ESTIMATED
        if facts & Fact.MONEY:
            facts |= _cost(told)
        if type(told.get(_MISSING)) is int:
            facts |= Fact.MISSING
    return facts


def _cost(told: dict[int, Any]) -> int:
    amount = told.get(_AMOUNT, told.get(_OTHER_AMOUNT))
    if type(amount) is int or type(amount) is float:
        return Fact.COST | Fact.PRICED
    return Fact.COST if told.get(_REASON) else 0


def _refused(reasons: Any) -> bool:
    return isinstance(reasons, list | tuple) and any(str(word).lower() in semconv.REFUSAL_REASONS for word in reasons)


_BY_PRESENCE: Final = Fact.DECIDES | Fact.MONEY | Fact.FIRST_CHUNK | Fact.TRAINED
_LAST_USAGE: Final = len(_USAGE)
_SOURCE: Final = _NUMBER[semconv.USAGE_SOURCE]
_AMOUNT, _OTHER_AMOUNT = _NUMBER[semconv.COST_AMOUNT], _NUMBER[semconv.OPERATION_COST]
_ESTIMATED, _CURRENCY = _NUMBER[semconv.COST_ESTIMATED], _NUMBER[semconv.COST_CURRENCY]
_REASON: Final = _NUMBER[semconv.COST_UNKNOWN_REASON]
_USAGE_NAMES: Final = (*ATTRIBUTES, "cache_write")
_MISSING: Final = _NUMBER[semconv.MISSING_SPANS]
_ESTIMATES: Final = tuple(source for source in semconv.USAGE_SOURCES if source not in FROM_PROVIDER)
