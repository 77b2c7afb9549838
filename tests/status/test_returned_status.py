"""What init() and configure() return is a Status of that moment, whenever somebody looks at it."""

from __future__ import annotations

import copy
import pickle

import agentops_sdk as agentops


def test_what_init_returns_is_a_status_of_that_moment() -> None:
    first = agentops.init(exporters=["memory"], integrations=[])
    with agentops.span("work"):
        pass
    assert agentops.flush(10)
    assert isinstance(first, agentops.Status)
    assert first.spans["ended"] == 0
    assert agentops.status().spans["ended"] == 1
    assert first.settings["exporters"].value == ["memory"]


def test_it_does_what_a_status_does() -> None:
    returned = agentops.init(exporters=["memory"], integrations=[])
    plain = agentops.Status(**dict(returned))
    assert returned == plain
    assert plain == returned
    assert returned != agentops.configure(sample_ratio=0.5)
    assert returned.model_dump() == plain.model_dump()
    assert (str(returned), repr(returned)) == (str(plain), repr(plain))
    assert pickle.loads(pickle.dumps(returned)) == copy.deepcopy(returned) == plain
