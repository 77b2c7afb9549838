"""What bodies tell in fields of their own stands in tables: attribute to path and type."""

from __future__ import annotations

import pytest

from agentops_sdk.integration.dialects import fields


def test_paths_and_types() -> None:
    body = {"temperature": 0, "top": {"k": 4, "p": "much"}, "stop": ["a", "b"], "id": "", "seed": True, "old": 7}
    table = {
        "temperature": "temperature:number",
        "k": "top.k:int",
        "p": "top.p:number",
        "deeper": "top.k.q:int",
        "stop": "stop:texts",
        "id": "id",
        "seed": "seed:int",
        "limit": "new|old:int",
        "whole": "top",
        "gone": "gone:text",
    }
    told = fields(body, table)
    assert told == {"temperature": 0.0, "k": 4, "stop": ["a", "b"], "limit": 7, "whole": {"k": 4, "p": "much"}}
    assert type(told["temperature"]) is float


def test_a_type_that_is_none() -> None:
    with pytest.raises(ValueError, match="number"):
        fields({}, {"a": "a:float"})
