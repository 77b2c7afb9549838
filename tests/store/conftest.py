"""ClickHouse in this process, for every test here: there can be one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.store.collector import Engine


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An empty one."""
    pytest.importorskip("chdb", reason="chdb, which is ClickHouse in a process, is not installed")
    from tests.store.collector import Engine

    return Engine(str(tmp_path_factory.mktemp("clickhouse")))
