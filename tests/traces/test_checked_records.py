"""A record that is made without a second validation is the one that validation makes."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys

from tests.store.runs import runs

from agentops_sdk.traces.formats.parse import as_record, checked_record


def test_a_checked_line_makes_the_record_that_a_validated_one_makes() -> None:
    lines = [json.loads(record.model_dump_json(exclude_unset=True)) for record in runs()]
    lines += [{**lines[0], "start": None, "end": None}, {**lines[0], "later_field": 1}, {**lines[0], "start": "2026"}]
    lines[1]["scope"] = {"name": "other", "version": "1", "attributes": {"a": 1}}
    lines[2] |= {"dropped": {"events": 2}, "status_message": "ä"}
    for line in lines[:-1]:
        checked, validated = checked_record(copy.deepcopy(line)), as_record(copy.deepcopy(line))
        assert checked == validated
        assert list(checked.model_dump()) == list(validated.model_dump())
        assert checked.model_dump_json(exclude_unset=True) == validated.model_dump_json(exclude_unset=True)
        assert pickle.loads(pickle.dumps(checked)) == validated
        assert checked.model_copy(update={"name": "x"}).name == "x"


def test_who_looks_at_no_record_does_not_pay_for_the_models() -> None:
    code = "import sys; import agentops_sdk.traces.files, agentops_sdk.cli.ls; print('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
