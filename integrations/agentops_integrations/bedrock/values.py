"""Parts of bodies, whatever lies where they are looked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_sdk.integration.clients import Json


def mappings(values: Any) -> list[Json]:
    return [each for each in values or () if isinstance(each, Mapping)]


def mapping(value: Any) -> Json:
    return value if isinstance(value, Mapping) else {}
