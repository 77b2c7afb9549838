"""ClickHouse in this process, for every test here: there can be one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.store.collector import Engine


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An empty one, closed before the process ends: in what ends with it, chdb 4.4.0 now and then takes it along."""
    pytest.importorskip("chdb", reason="chdb, which is ClickHouse in a process, is not installed")
    from tests.store.collector import Engine

    engine = Engine(str(tmp_path_factory.mktemp("clickhouse")))
    yield engine
    engine.end()
