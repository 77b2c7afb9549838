"""The outcome for many spans: by type of span what is there, what is missing and what is wrong, and a score."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from agentops_sdk.traces.conformance.conventions import NAMESPACES, SpanType, span_type
from agentops_sdk.traces.conformance.span_rules import (
    CONTENT,
    Span,
    Violation,
    expected,
    state_only_names,
    violations,
)
from agentops_sdk.traces.formats.vocabularies import genai_names, vocabularies

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["KindReport", "Report", "check"]

_OTHERS = "other spans"


@dataclass
class KindReport:
    """The spans of one type.

    Attributes:
        name: the type's name in the conventions.
        spans: how many there were.
        levels: the attributes that the type declares, with their levels.
        present: by attribute, how many spans have it.
        missing: by attribute, how many spans should have it and do not.
        violations: what is wrong, and on how many spans.
    """

    name: str
    levels: dict[str, str]
    spans: int = 0
    present: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    violations: Counter[Violation] = field(default_factory=Counter)
    asked: int = 0
    """Attributes that its spans should have, over all of them."""
    untyped: int = 0
    """Spans that have names of the conventions, and no operation, without which they are of no type."""
    vocabularies: Counter[str] = field(default_factory=Counter)
    """Names that others have for the same, by whose they are, and on how many spans of no type they stand."""

    @property
    def never(self) -> list[str]:
        """Attributes that the type declares and no span has; the program may not have asked for any of them."""
        return sorted(set(self.levels) - set(self.present))

    @property
    def score(self) -> float | None:
        """From 0 to 100: the share of what is asked for that is there, less what is wrong; none if nothing is asked."""
        if not self.asked:
            return 0.0 if self.violations else None
        right = self.asked - self.missing.total() - self.violations.total()
        return 100.0 * max(0, right) / self.asked

    @property
    def lacking(self) -> int:
        """How often an attribute is missing that every span of the type has to have."""
        return sum(count for name, count in self.missing.items() if self.levels[name] == "required")

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {
            "span": self.name, "spans": self.spans, "score": _rounded(self.score), "declared": len(self.levels),
            "present": dict(sorted(self.present.items())), "missing": dict(sorted(self.missing.items())),
            "never": self.never, "untyped": self.untyped, "vocabularies": dict(self.vocabularies),
            "violations": [{**one._asdict(), "spans": count} for one, count in self.violations.most_common()],
        }  # fmt: skip


@dataclass
class Report:
    """All spans: by type, in the order of the types' names."""

    state: str
    kinds: dict[str, KindReport]

    @property
    def spans(self) -> int:
        """How many were looked at."""
        return sum(kind.spans for kind in self.kinds.values())

    @property
    def violations(self) -> int:
        """How often something is wrong."""
        return sum(kind.violations.total() for kind in self.kinds.values())

    @property
    def lacking(self) -> int:
        """How often an attribute is missing that the conventions require."""
        return sum(kind.lacking for kind in self.kinds.values())

    @property
    def score(self) -> float | None:
        """From 0 to 100, over the types that the conventions have; none where no span is of one."""
        total = KindReport("", {})
        for kind in self.kinds.values():
            total.asked += kind.asked
            total.missing += kind.missing
            total.violations += kind.violations
        return total.score

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {
            "state": self.state, "score": _rounded(self.score), "spans": self.spans, "violations": self.violations,
            "required_missing": self.lacking,
            "kinds": [kind.as_dict() for kind in self.kinds.values()],
        }  # fmt: skip


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 1)


def check(spans: Iterable[Span], state: str | None = None) -> Report:
    """Hold spans against the conventions.

    Args:
        spans: as they were exported.
        state: ``pin`` or ``main``; where it is not given, the one whose own names the spans use, else ``pin``.
    """
    spans = list(spans)
    state = state or _state_of(spans)
    content = any(not CONTENT.isdisjoint(span.attributes) for span in spans)
    kinds: dict[str, KindReport] = {}
    for span in spans:
        kind = span_type(state, span.kind, span.attributes)
        _add(kinds.setdefault(*_new(kind)), span, kind, state, content)
    return Report(state, dict(sorted(kinds.items(), key=lambda item: (item[0] == _OTHERS, item[0]))))


def _new(kind: SpanType | None) -> tuple[str, KindReport]:
    name, levels = (_OTHERS, {}) if kind is None else (kind.name, kind.levels)
    return name, KindReport(name, levels)


def _add(report: KindReport, span: Span, kind: SpanType | None, state: str, content: bool) -> None:
    report.spans += 1
    report.violations.update(violations(span, kind, state))
    if kind is None:
        report.untyped += "gen_ai.operation.name" not in span.attributes and any(
            name.startswith("gen_ai.") for name in span.attributes
        )
        report.vocabularies.update(_vocabularies_of(span))
        return
    report.present.update(name for name in span.attributes if name in kind.levels)
    if any(name.startswith("gen_ai.prompt.variable.") for name in span.attributes):
        report.present.update(("gen_ai.prompt.variable",))
    names = expected(span, kind, content)
    report.asked += len(names)
    report.missing.update(name for name in names if name not in span.attributes)


def _vocabularies_of(span: Span) -> list[str]:
    """Whose names, that are none of the conventions', the span has most of."""
    shares = {name: len(theirs & span.attributes.keys()) for name, theirs in _their_names().items()}
    most = max(shares.values(), default=0)
    return [name for name, share in shares.items() if share == most][:1] if most else []


@cache
def _their_names() -> dict[str, frozenset[str]]:
    return {
        one.name: frozenset(row.source for row in one.rows if not row.source.startswith(NAMESPACES))
        for one in vocabularies()
        if one is not genai_names.VOCABULARY
    }


def _state_of(spans: list[Span]) -> str:
    used = {name for span in spans for name in span.attributes}
    return "main" if used & state_only_names("main") and not used & state_only_names("pin") else "pin"
