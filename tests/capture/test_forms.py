"""The table of forms in docs/content.md, row by row."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import ipaddress
import json
import pathlib
import re
import threading
import types
import typing
import uuid
from pathlib import Path
from typing import Any

import pydantic
import pytest

from agentops_sdk._snapshot.snapshot import snapshot

PAGE = Path(__file__).parents[2] / "docs" / "content.md"


class Colour(enum.Enum):
    RED = 1


class Role(enum.StrEnum):
    USER = "user"


class Point(typing.TypedDict):
    x: int


class Pair(typing.NamedTuple):
    left: int
    right: int


class OwnZone(datetime.tzinfo):
    def utcoffset(self, when: Any) -> Any:
        raise AssertionError("user code ran")

    tzname = dst = utcoffset


@dataclasses.dataclass
class Card:
    number: str
    code: str = dataclasses.field(repr=False)


@dataclasses.dataclass(slots=True)
class Slotted:
    x: int


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    x: int
    key: str = pydantic.Field("k", repr=False)


KNOWN: dict[str, Any] = dict(globals())
MODULES = (collections, datetime, decimal, fractions, ipaddress, json, pathlib, pydantic, threading, types, uuid)


def rows() -> list[Any]:
    lines = re.findall(r"^\| (.+?) \| `(.+)` \| `(.+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [pytest.param(example, recorded, id=what) for what, example, recorded in lines]


@pytest.mark.parametrize(("example", "recorded"), rows())
def test_row(example: str, recorded: str) -> None:
    known = dict(KNOWN)
    for library in ("numpy", "pandas", "torch"):
        if f"{library}." in example:
            known[library] = pytest.importorskip(library, reason=f"{library} is not installed")
    if "Attrs(" in example:
        attrs = pytest.importorskip("attrs", reason="attrs is not installed")
        known["Attrs"] = attrs.make_class("Attrs", {"x": attrs.field(), "key": attrs.field(repr=False)})
    value = eval(example, known)
    encoded = snapshot(value)
    assert json.loads(encoded) == json.loads(recorded)
    # The same inside of a container, where the fast path meets it.
    if "nan" not in example:
        assert json.loads(snapshot({"in": [value]})) == {"in": [json.loads(recorded)]}


def test_the_table_is_all_there() -> None:
    assert len(rows()) >= 45
