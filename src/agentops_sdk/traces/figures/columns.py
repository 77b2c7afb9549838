"""What is asked of every span, in columns: about a hundred bytes for each, where a record takes thousands.

Records are made only of the spans that are looked at, from the place where their line stands. Numbers here
are rows, in the order in which spans were added. Long because writing a column and reading it stand side by side.
"""

from __future__ import annotations

import marshal
from array import array
from binascii import unhexlify
from decimal import Decimal
from hashlib import sha256
from itertools import repeat
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

import orjson

from agentops_sdk import semconv
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.classify import OUTCOMES, OWN_SCOPE, SPAN_KINDS, STATUSES
from agentops_sdk.traces.cost import Cost, exact_sum
from agentops_sdk.traces.figures.attribute_shape import (
    AMOUNTS,
    BESIDE,
    CHECKS,
    ESTIMATES,
    INVOLVED,
    INVOLVED_EVENTS,
    LONGEST_TEXT,
    NUMBERS,
    STATED,
    TELLING,
    WORDS,
    Shape,
    Statement,
    model_in,
    restored,
    session_in,
    word_of,
)
from agentops_sdk.traces.figures.figure_table import FigureTable
from agentops_sdk.traces.figures.plain_line import (
    DEFAULTS,
    ENDINGS,
    RARE,
    USUAL,
    has_rare,
    is_scope,
    own_fields,
    shared_fields,
)
from agentops_sdk.traces.figures.span_facts import KIND, KINDS, Fact, fact_bits, facts_of
from agentops_sdk.traces.formats.json_values import DEEPEST, as_text, is_figure, shallow, to_json
from agentops_sdk.traces.formats.line_index import Index
from agentops_sdk.traces.formats.lines import Lines
from agentops_sdk.traces.formats.parse import as_record, checked_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from agentops_sdk.traces.figures.attribute_shape import Names
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.usage import Usage

    Place = tuple[int, int, int]  # a file of Lines, an offset, a length

__all__ = ["Columns"]

_SPAN_KINDS: Final = frozenset(SPAN_KINDS)
_STATUSES: Final = frozenset(STATUSES)
_TWO_IDS: Final = Struct(">QQ").unpack_from
_NO_PARENT: Final = "0" * 16
_INT64_MIN: Final = -(2**63)
_INT64_MAX: Final = 2**63 - 1
_MAY_TELL: Final = Fact.TELLS | Fact.EVENTS
_SCALARS: Final = frozenset((str, int, float, bool))
_MOST_TEXTS: Final = 65_000
_MOST_WORDS: Final = 50_000
_MOST_SHAPES: Final = 2_000
_MOST_NAMES: Final = 256
_MOST_STATEMENTS: Final = 10_000
_MOST_SORTS: Final = 1_000
_MOST_TABLES: Final = 255
_TABLE_BITS: Final = 8
_TABLE: Final = 255


class Columns:
    """Spans of any number of traces. ``ids``, ``parents``, ``starts``, ``ends`` and ``facts`` are by row."""

    def __init__(self, attributes: Iterable[str] = ()) -> None:
        """Make empty ones.

        Args:
            attributes: of spans or their resources, kept beside what totals and tables are made of.
        """
        self.more = tuple(dict.fromkeys(name for name in attributes if name not in WORDS and name not in NUMBERS))
        """Attributes that are kept beside what totals and tables are made of."""
        self._word_names = (*WORDS, *self.more)
        self.lines = Lines()
        self.verdicts: set[int] = set()
        """Rows of spans that hold nothing but what somebody thought of a run."""
        self.ids: array[int] = array("Q")
        self.parents: array[int] = array("Q")
        self.starts: array[int] = array("q")
        self.ends: array[int] = array("q")
        self.facts: array[int] = array("I")
        self.names: array[int] = array("H")
        """By row the place of the span's name in :attr:`texts`; 0 where there are too many different ones."""
        self.models: array[int] = array("H")
        """The same for the model that answered, or else was asked."""
        self.texts: list[str] = [""]
        self.stated: array[int] = array("H")
        """By row the place in :attr:`statements` of what it tells of decisions; 0 where that takes its record."""
        self.statements: list[Statement | None] = [None]
        self._services = array("H")
        self._service_names: list[str | None] = [None]
        self._service_numbers: dict[str, int] = {}
        self._files = array("I")
        self._offsets = array("Q")
        self._lengths = array("I")
        self._words_at = array("Q")
        self._numbers_at = array("Q")
        self._told = bytearray(b"\0")
        self._tables: list[FigureTable | None] = [None]  # 0: the figures stand in _told
        self._texts: dict[str, int] = {}
        self._statements: dict[Statement, int] = {}
        self._sorts: dict[tuple[Any, ...], int] = {}
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._seen: dict[bytes, tuple[int, int, int]] = {}
        self._names: list[tuple[str, ...]] = []
        self._last_words: tuple[int, dict[str, Any]] = (0, {})
        self._scopes: list[dict[str, Any]] = []
        self._held: dict[int, SpanRecord] = {}
        self._trace_id: object = object()  # that of the last line

    def __len__(self) -> int:
        return len(self.ids)

    # --- in ----------------------------------------------------------------------------------

    def add(self, raw: dict[str, Any], line: bytes, location: Place | None) -> int | None:
        """Add the span that a parsed line holds; its row, or ``None`` where :func:`as_record` has to say if it is one.

        Added is what surely is a record, with a value of the right type in every field; what is in doubt is left
        to the model, which converts, mends and refuses.

        Args:
            raw: the line.
            line: its text, kept where it has no place.
            location: where it can be read again.
        """
        try:
            trace_id, span_id, parent_id, name, start, end, attributes, resource, scope = own_fields(raw)
            sort = shared_fields(raw)
            is_usual = len(raw) == USUAL + ("start" in raw) + ("end" in raw)
        except KeyError:  # what is not there has its default
            raw = {**DEFAULTS, **raw}
            trace_id, span_id, parent_id, name, start, end, attributes, resource, scope = own_fields(raw)
            sort, is_usual = shared_fields(raw), False
        if (
            type(name) is not str
            or type(attributes) is not dict
            or type(resource) is not dict
            or type(start) is not int
            or type(end) is not int
            or not _INT64_MIN <= start <= _INT64_MAX
            or not _INT64_MIN <= end <= _INT64_MAX
            or (ids := self._id_numbers(trace_id, span_id, parent_id)) is None
        ):
            return None
        try:
            facts = self._sorts.get(sort, 0) or self._sort(sort)
            if not facts or not (scope in self._scopes or is_scope(scope, self._scopes)):
                return None
        except (TypeError, RecursionError):  # a list where a word should be; a scope with something very deep in it
            return None
        facts |= Fact.CHECKED if parent_id is None else Fact.PARENT | Fact.CHECKED
        if not is_usual and not RARE.isdisjoint(raw):
            if not has_rare(raw):
                return None
            if raw.get("events"):
                facts |= Fact.EVENTS
        row = self._append(
            *ids, start, end, facts, name, attributes, resource, location or self.lines.keep(line),
        )  # fmt: skip
        if self.facts[row] & _MAY_TELL and scope.get("name") == OWN_SCOPE:
            self.stated[row] = self._state(raw)
        return row

    def _id_numbers(self, trace_id: Any, span_id: Any, parent_id: Any) -> tuple[int, int] | None:
        """The span's and its parent's id as numbers, if all three are lower-case hex of the right length."""
        if parent_id is None:
            parent_id = _NO_PARENT
        if type(span_id) is not str or len(span_id) != 16 or type(parent_id) is not str or len(parent_id) != 16:
            return None
        text: str = span_id + parent_id
        if trace_id != self._trace_id:  # most lines belong to the same trace as the one before
            if type(trace_id) is not str or len(trace_id) != 32:
                return None
            text += trace_id
        try:
            numbers: tuple[int, int] = _TWO_IDS(unhexlify(text))
        except ValueError:
            return None
        if text.lower() != text:
            return None
        self._trace_id = trace_id
        return numbers

    def _sort(self, sort: tuple[Any, ...]) -> int:
        """The facts that the fields of a line tell which few lines differ in; 0 where they are in doubt."""
        version, kind, span_kind, status, outcome, flags = sort
        if (
            kind not in KIND
            or outcome not in ENDINGS
            or span_kind not in _SPAN_KINDS
            or status not in _STATUSES
            or type(flags) is not int
            or type(version) is not int
        ):
            return 0
        facts = facts_of(kind, outcome, flags)
        if len(self._sorts) < _MOST_SORTS:
            self._sorts[sort] = facts
        return facts

    def add_record(self, record: SpanRecord, location: Place | None = None) -> int:
        """Add a record; its row.

        Args:
            record: it is held in memory, unless its place has a length.
            place: where a line that holds it can be read again, or at least the file that it is from.
        """
        facts = facts_of(record.kind, record.outcome, record.flags)
        if record.events:
            facts |= Fact.EVENTS
        row = self._append(
            int(record.span_id, 16),
            0 if record.parent_id is None else int(record.parent_id, 16),
            min(max(record.start_ns, _INT64_MIN), _INT64_MAX),
            min(max(record.end_ns, _INT64_MIN), _INT64_MAX),
            facts if record.parent_id is None else facts | Fact.PARENT,
            record.name,
            record.attributes,
            record.resource,
            location or (0, 0, 0),
        )
        if not self._lengths[row]:
            self._held[row] = record
        return row

    def _append(
        self,
        span_id: int,
        parent_id: int,
        start: int,
        end: int,
        facts: int,
        name: str,
        attributes: Mapping[str, Any],
        resource: Mapping[str, Any],
        location: Place,
    ) -> int:
        if self.more:
            told = {key: resource[key] for key in self.more if key in resource}
            attributes = {**told, **attributes} if told else attributes
        if semconv.FEEDBACK_TARGET in attributes:
            self.verdicts.add(len(self.ids))
        service = resource.get(semconv.SERVICE_NAME)
        bits, model, words_at, numbers_at = self._take(attributes) if attributes else (0, 0, 0, 0)
        row = len(self.ids)
        self.ids.append(span_id)
        self.parents.append(parent_id)
        self.starts.append(start)
        self.ends.append(end)
        self.facts.append(facts | bits)
        self.stated.append(0)
        self.names.append(self._texts.get(name) or self._text(name))
        self.models.append(model)
        self._services.append(self._service(service) if service else 0)
        self._words_at.append(words_at)
        self._numbers_at.append(numbers_at)
        self._files.append(location[0])
        self._offsets.append(location[1])
        self._lengths.append(location[2])
        return row

    def _take(self, attributes: Mapping[str, Any]) -> tuple[int, int, int, int]:
        """Keep of attributes what is asked of every span: bits, the model's text, places of words and of numbers."""
        facts = model = words_at = numbers_at = 0
        names = tuple(attributes)
        shape = self._shapes.get(names) or self._shape(names)
        facts |= shape.bits
        for check, bit, holds in shape.checks:
            if holds(attributes[check]):
                facts |= bit
        if shape.words is not None:
            words = shape.words(attributes)
            try:
                known = shape.known.get(words)
            except TypeError:  # a list, as tags are
                known = None
            words_at, bits, model = known or self._add_words(shape, words, attributes)
            facts |= bits
        if shape.numbers is not None:
            numbers = shape.numbers(attributes)
            if shape.table is not None and (position := shape.table.put(numbers)) is not None:
                return facts | shape.figure_bits, model, words_at, position << _TABLE_BITS | shape.table.number
            numbers_at = self._keep(self._packed(shape.number_names, numbers)) << _TABLE_BITS
            for value in numbers[: shape.tokens]:
                if is_figure(value):
                    facts |= Fact.USAGE
                    break
            if shape.amount is not None and is_figure(numbers[shape.amount]):
                facts |= Fact.COST | Fact.PRICED
            if shape.missing is not None and type(numbers[shape.missing]) is int:
                facts |= Fact.MISSING
        return facts, model, words_at, numbers_at

    def _text(self, text: str) -> int:
        number = self._texts.get(text)
        if number is None:
            if len(self.texts) >= _MOST_TEXTS or len(text) > LONGEST_TEXT:
                return 0
            number = self._texts[text] = len(self.texts)
            self.texts.append(text)
        return number

    def _state(self, raw: dict[str, Any]) -> int:
        """The place of what a line of ours tells of decisions; 0 where that takes its record."""
        attributes, kind = raw["attributes"], raw["kind"]
        names = tuple(attributes)
        shape = self._shapes.get(names) or self._shape(names)
        if shape.involved or kind == "guardrail" or raw["outcome"] == "interrupted":
            return 0
        if not INVOLVED_EVENTS.isdisjoint(event.get("name") for event in raw.get("events") or ()):
            return 0
        words = list(map(word_of, shape.stated(attributes))) if shape.stated is not None else []
        name = "" if attributes.get(semconv.DECISION_NAME) else raw["name"]
        if None in words or len(name) > LONGEST_TEXT:
            return 0
        return self._statement(Statement(kind, name, (*zip(shape.stated_names, words, strict=True), *shape.beside)))

    def _statement(self, statement: Statement) -> int:
        place = self._statements.get(statement)
        if place is None:
            if len(self.statements) >= _MOST_STATEMENTS:
                return 0
            place = self._statements[statement] = len(self.statements)
            self.statements.append(statement)
        return place

    def _service(self, name: Any) -> int:
        name = name if type(name) is str else as_text(name)
        number = self._service_numbers.get(name)
        if number is None:
            if len(self._service_names) >= _MOST_TEXTS:
                return 0
            number = self._service_numbers[name] = len(self._service_names)
            self._service_names.append(name)
        return number

    # --- from one reader to another ------------------------------------------------------------

    @property
    def stands_in_one_file(self) -> bool:
        """Whether every span can be read again from the same file."""
        if not self._files or not self._files[0]:  # nothing, or in the scratch file: a line that was translated
            return False
        return self._files.count(self._files[0]) == len(self._files) and not self._held

    def index(self) -> Index:
        """All columns, of spans that stand in one file and whose records are not held."""
        words = {at: number for number, at in enumerate(dict.fromkeys(self._words_at))}
        tables = [table for table in self._tables if table is not None]
        odd = [row for row, code in enumerate(self._numbers_at) if code and not code & _TABLE]
        columns: dict[str, array[Any]] = {
            **{name: getattr(self, name) for name in _PLAIN_COLUMNS},
            **{f"_{name}": getattr(self, f"_{name}") for name in ("services", "offsets", "lengths")},
            "words": array("I", map(words.__getitem__, self._words_at)),
            "tables": array("B", (code & _TABLE for code in self._numbers_at)),
            "places": array("I", (code >> _TABLE_BITS if code & _TABLE else 0 for code in self._numbers_at)),
        }
        for table in tables:
            columns |= {f"{table.number} {name}": column for name, column in table.columns.items()}
        return Index(
            {
                "texts": self.texts,
                "services": self._service_names,
                "words": [list(self._unpacked(at).items()) for at in words],
                "odd": [(row, list(self._numbers(row).items())) for row in odd],
                "tables": [table.names for table in tables],
                "verdicts": sorted(self.verdicts),
                "statements": [tuple(each) for each in self.statements if each is not None],
            },
            columns,
        )

    def add_index(self, index: Index, file: int) -> bool:
        """Add the spans of another reader's :meth:`index`; whether they were: there may be too many sorts of figures.

        Args:
            index: what it has kept.
            file: that they stand in.
        """
        facts, columns, first = index.facts, index.columns, len(self.ids)
        shifts = array("Q", [0])
        for number, names in enumerate(facts["tables"], 1):
            table = self._table(tuple(names))
            if table is None:
                return False
            shifts.append(table.size << _TABLE_BITS | table.number)
            table.extend({name: columns[f"{number} {name}"] for name in names})
        for name in _PLAIN_COLUMNS:
            if name not in _PLACES:
                getattr(self, name).extend(columns[name])
        texts = [0, *(self._texts.get(text) or self._text(text) for text in facts["texts"][1:])]
        services = [0, *(self._service(name) for name in facts["services"][1:])]
        stated = [0, *(self._statement(restored(*each)) for each in facts["statements"])]
        words = [self._keep_pairs(pairs) if pairs else 0 for pairs in facts["words"]]
        self.names.extend(map(texts.__getitem__, columns["names"]))
        self.models.extend(map(texts.__getitem__, columns["models"]))
        self.stated.extend(map(stated.__getitem__, columns["stated"]))
        self._services.extend(map(services.__getitem__, columns["_services"]))
        self._words_at.extend(map(words.__getitem__, columns["words"]))
        self._numbers_at.extend(
            (place << _TABLE_BITS) + shifts[table] if table else 0
            for place, table in zip(columns["places"], columns["tables"], strict=True)
        )
        for row, pairs in facts["odd"]:
            self._numbers_at[first + row] = self._keep_pairs(pairs) << _TABLE_BITS
        self._files.extend(repeat(file, len(columns["ids"])))
        self._offsets.extend(columns["_offsets"])
        self._lengths.extend(columns["_lengths"])
        self.verdicts.update(first + row for row in facts["verdicts"])
        return True

    def _keep_pairs(self, pairs: Sequence[Sequence[Any]]) -> int:
        names, values = zip(*pairs, strict=True)
        return self._keep(self._packed(self._known(names), values))

    def _shape(self, names: tuple[str, ...]) -> Shape:
        shape = Shape(names, self._word_names)
        if len(self._shapes) < _MOST_SHAPES and len(names) <= _MOST_NAMES:
            self._shapes[names] = shape
            shape.table = self._table(shape.number_names)
            shape.word_names, shape.number_names = self._known(shape.word_names), self._known(shape.number_names)
        return shape

    def _table(self, names: Names) -> FigureTable | None:
        """The table of the spans whose figures have these names."""
        assert isinstance(names, tuple)
        for table in self._tables[1:]:
            if table is not None and table.names == names:
                return table
        if not names or len(self._tables) > _MOST_TABLES:
            return None
        table = FigureTable(len(self._tables), names)
        self._tables.append(table)
        return table

    def _known(self, names: Names) -> Names:
        """The place of names in a list, which takes less room with every span than they do."""
        assert isinstance(names, tuple)
        if names not in self._names:
            self._names.append(names)
        return self._names.index(names)

    def _add_words(self, shape: Shape, words: tuple[Any, ...], attributes: Mapping[str, Any]) -> tuple[int, int, int]:
        """Where words are kept, the bits that they set, and the model's place in :attr:`texts`."""
        blob = self._packed(shape.word_names, words)
        known = self._seen.get(blob)
        if known is not None:
            return known
        get, bits, model = attributes.get, 0, 0
        if name := model_in(attributes):
            bits |= Fact.MODEL
            model = self._text(name)
        if session_in(attributes):
            bits |= Fact.SESSION
        if get(semconv.USAGE_SOURCE) in ESTIMATES:
            bits |= Fact.ESTIMATED
        if get(semconv.COST_UNKNOWN_REASON):
            bits |= Fact.COST
        known = self._keep(blob), bits, model
        if len(self._seen) < _MOST_WORDS:
            self._seen[blob] = known
            if all(type(word) is str for word in words):  # else 1 and True would be the same
                shape.known[words] = known
        return known

    @staticmethod
    def _packed(names: Names, values: tuple[Any, ...]) -> bytes:
        values = tuple(value if type(value) in _SCALARS else shallow(value) for value in values)
        try:
            return marshal.dumps((names, values))
        except ValueError:  # a type of a library's, or something deeper than that goes
            plain = (to_json(value) for value in values)
            return marshal.dumps((names, tuple(None if isinstance(value, dict) else value for value in plain)))

    def _keep(self, blob: bytes) -> int:
        at = len(self._told)
        self._told += blob
        return at

    # --- out ---------------------------------------------------------------------------------

    def told(self, row: int) -> dict[str, Any]:
        """The attributes of a span that totals and tables are made of."""
        return {**self.words(row), **self._numbers(row)}

    def figure(self, row: int, name: str) -> Any:
        """One of :meth:`told`, a number; ``None`` where it is not there."""
        return self._numbers(row).get(name)

    def _numbers(self, row: int) -> dict[str, Any]:
        code = self._numbers_at[row]
        table = self._tables[code & _TABLE]
        return self._unpacked(code >> _TABLE_BITS) if table is None else table.at(code >> _TABLE_BITS)

    def words(self, row: int) -> dict[str, Any]:
        """Of :meth:`told` what many spans have in common; not to be changed."""
        at = self._words_at[row]
        if at != self._last_words[0]:
            self._last_words = at, self._unpacked(at)
        return self._last_words[1]

    def _unpacked(self, at: int) -> dict[str, Any]:
        if not at:
            return {}
        names, values = marshal.loads(memoryview(self._told)[at:])  # noqa: S302 - what _packed has dumped
        return dict(zip(self._names[names] if isinstance(names, int) else names, values, strict=True))

    def add_figures(self, row: int, usage: Usage | None, cost: Cost | None) -> None:
        """Add a span's own tokens and money, as ``Usage.of`` and ``Cost.of`` read them, without making either."""
        words, numbers = self.words(row), self._numbers(row)
        if usage is not None:
            usage.count(words.get(semconv.USAGE_SOURCE), numbers)
        if cost is None:
            return
        amount = numbers.get(semconv.COST_AMOUNT, numbers.get(semconv.OPERATION_COST))
        if is_figure(amount):
            guessed = words.get(semconv.COST_ESTIMATED) is True or words.get(semconv.USAGE_SOURCE) in ESTIMATES
            currency = words.get(semconv.COST_CURRENCY)
            cost.count(Decimal(repr(amount)), currency if isinstance(currency, str) else "USD", guessed=guessed)
        elif reason := words.get(semconv.COST_UNKNOWN_REASON):
            cost.miss(str(reason))

    def currencies(self) -> set[str]:
        """Those that costs are in."""
        named = (self._unpacked(at).get(semconv.COST_CURRENCY) for at in set(self._words_at))
        return {name if isinstance(name, str) else "USD" for name in named if name is not None}

    def rows_with_odd_figures(self) -> Iterator[int]:
        """Rows whose figures are not of the usual types, or less than nothing."""
        below = {(table.number, place) for table in self._tables if table is not None for place in table.below_zero()}
        for row, code in enumerate(self._numbers_at):
            if code and (not code & _TABLE or (below and (code & _TABLE, code >> _TABLE_BITS) in below)):
                yield row

    def add_all_figures(self, rows: Iterable[int], usage: Usage | None, cost: Cost | None) -> None:
        """:meth:`add_figures` of many spans, a column at a time."""
        groups: dict[tuple[int, int], array[int]] = {}
        words_at, numbers_at = self._words_at, self._numbers_at
        for row in rows:
            code = numbers_at[row]
            if code and not code & _TABLE:
                self.add_figures(row, usage, cost)
                continue
            key = words_at[row], code & _TABLE
            positions = groups.get(key)
            if positions is None:
                positions = groups[key] = array("Q")
            positions.append(code >> _TABLE_BITS)
        for (at, number), positions in groups.items():
            self._add_group(self._unpacked(at), self._tables[number], positions, usage, cost)

    @staticmethod
    def _add_group(
        words: Mapping[str, Any],
        table: FigureTable | None,
        positions: Sequence[int],
        usage: Usage | None,
        cost: Cost | None,
    ) -> None:
        """Add the figures of spans that have their words in common."""
        if usage is not None and table is not None:
            usage.count(words.get(semconv.USAGE_SOURCE), table.counts(positions))
        if cost is None:
            return
        amount = next((name for name in AMOUNTS if table is not None and name in table.names), None)
        if amount is not None and table is not None:
            guessed = words.get(semconv.COST_ESTIMATED) is True or words.get(semconv.USAGE_SOURCE) in ESTIMATES
            currency = words.get(semconv.COST_CURRENCY)
            total = exact_sum(table.column(amount, positions))
            cost.add(
                Cost(
                    total,
                    currency if isinstance(currency, str) else "USD",
                    estimated=total if guessed else 0,
                    known=len(positions),
                )
            )
        elif reason := words.get(semconv.COST_UNKNOWN_REASON):
            cost.miss(str(reason), len(positions))

    def has_words(self, name: str) -> bool:
        """Whether an attribute is among the :meth:`words`."""
        return name in self._word_names

    def attribute(self, row: int, name: str) -> Any:
        """Any attribute of a span, or else of its resource; ``None`` where it is not there.

        What is not kept is read from the span's line.

        Raises:
            TraceError: its line cannot be read again.
        """
        if name in self._word_names:
            return self.words(row).get(name)
        if name in NUMBERS:
            return self.figure(row, name)
        line = self.line(row)
        if line is None:
            record = self.record(row)
            return record.attributes.get(name, record.resource.get(name))
        fields = orjson.loads(line)
        attributes, resource = fields.get("attributes"), fields.get("resource")
        value = attributes.get(name) if isinstance(attributes, dict) else None
        return resource.get(name) if value is None and isinstance(resource, dict) else value

    def different(self, rows: Sequence[int]) -> list[int]:
        """Of these one row for each combination of words, name, service, kind and outcome."""
        columns = (self._words_at, self.names, self._services, self.facts)
        keys = zip(*(map(column.__getitem__, rows) for column in columns), strict=True)
        different = dict(zip(keys, rows, strict=True))
        if any(not name for _, name, _, _ in different):  # what it is called is not kept, so it may be anything
            return [*different.values(), *(row for row in rows if not self.names[row])]
        return list(different.values())

    def service(self, row: int) -> str | None:
        """The service that the span's resource names."""
        return self._service_names[self._services[row]]

    def line(self, row: int) -> bytes | None:
        """The line of a span as its file has it; ``None`` where only its record is held.

        Raises:
            TraceError: it cannot be read again.
        """
        if row in self._held:
            return None
        return self.lines.read(self._files[row], self._offsets[row], self._lengths[row])

    def fields(self, row: int) -> dict[str, Any] | None:
        """The parsed line of a span, every field of the right type; ``None`` where only its record can tell.

        Raises:
            TraceError: it cannot be read again.
        """
        line = self.line(row) if self.facts[row] & Fact.CHECKED else None
        if line is None:
            return None
        try:
            fields: dict[str, Any] = orjson.loads(line)
        except ValueError as error:
            raise TraceError(_CHANGED) from error
        return fields

    def name(self, row: int) -> str:
        """The span's name."""
        text = self.names[row]
        return self.texts[text] if text else self.record(row).name

    def model(self, row: int) -> str | None:
        """The model that answered, or else the one that was asked."""
        if not self.facts[row] & Fact.MODEL:
            return None
        text = self.models[row]
        return self.texts[text] if text else model_in(self.words(row))

    def record(self, row: int) -> SpanRecord:
        """The record of one span.

        Raises:
            TraceError: its line cannot be read again.
        """
        held = self._held.get(row)
        if held is not None:
            return held
        line = self.lines.read(self._files[row], self._offsets[row], self._lengths[row])
        return self._parsed(line, checked=bool(self.facts[row] & Fact.CHECKED))

    def replace(self, row: int, record: SpanRecord) -> None:
        """Hold another record of a span, of which only content and events differ from the one that was added."""
        self._held[row] = record
        self.stated[row] = 0
        if record.events:
            self.facts[row] |= Fact.EVENTS
        if not TELLING.isdisjoint(record.attributes) or semconv.OUTPUT_MESSAGES in record.attributes:
            self.facts[row] |= Fact.TELLS

    def file_of(self, row: int) -> Path | None:
        """The file that a span stands in."""
        return self.lines.path(self._files[row])

    @staticmethod
    def _parsed(line: bytes, *, checked: bool) -> SpanRecord:
        try:
            raw = orjson.loads(line)
            if not checked:
                return as_record(raw)
            return checked_record(shallow(raw) if line.count(b"[") + line.count(b"{") > DEEPEST else raw)
        except ValueError as error:
            raise TraceError(_CHANGED) from error


_CHANGED: Final = "a line has changed since its file was first read"
_PLACES: Final = ("names", "models", "stated")
"""Columns of places in a list."""
_PLAIN_COLUMNS: Final = ("ids", "parents", "starts", "ends", "facts", *_PLACES)
MEANING: Final = sha256(
    repr(
        (
            *(KINDS, OUTCOMES, WORDS, NUMBERS, sorted(TELLING), sorted(CHECKS), fact_bits()),
            *(STATED, BESIDE, sorted(INVOLVED), sorted(INVOLVED_EVENTS)),
        )
    ).encode()
).hexdigest()[:16]
"""What the numbers in columns stand for, as far as constants tell."""
