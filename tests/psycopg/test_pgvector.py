"""pgvector in a real PostgreSQL, by both drivers: what of their searches and writes is recorded, and what is none."""

from __future__ import annotations

import asyncio
import json
import struct
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pgserver = pytest.importorskip("pgserver", reason="needs pgserver, a PostgreSQL with pgvector")
psycopg = pytest.importorskip("psycopg", reason="needs psycopg")
asyncpg = pytest.importorskip("asyncpg", reason="needs asyncpg")

TABLE = "create table docs (id bigserial primary key, content text, page int, embedding vector(2))"
INSERT = "insert into docs (content, page, embedding) values (%s, %s, %s::vector)"
SEARCH = "select id, content, page, embedding, embedding <=> %s AS far from docs order by far limit %s"
ROW = {"id": "1", "content": "Sunny.", "distance": 0.0, "metadata": {"page": 3}}


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(folder, cleanup_mode="stop")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("create extension vector")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def table(uri: str) -> str:
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("drop table if exists docs")
        connection.execute(TABLE)
        with connection.cursor() as cursor:
            cursor.executemany(INSERT, [("Sunny.", 3, "[1,0]"), ("Rain.", 4, "[0,1]")])
    return uri


def _recorded(exporter: MemoryExporter) -> list[Any]:
    agentops.shutdown()
    return list(exporter.finished_spans())


@pytest.mark.parametrize("capture", [True, False])
def test_psycopg(table: str, capture: bool) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], capture_content=capture)
    rows = []
    with psycopg.connect(table, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.executemany(INSERT, [("Snow.", 5, "[-1,0]"), ("Fog.", 6, "[-1,-1]")])
        rows.append(cursor.execute(SEARCH, ("[1,0]", 1)).fetchall())
        rows.append(cursor.execute(SEARCH.encode(), ("[1,0]", 1), binary=True).fetchall())
        named = SEARCH.replace("%s AS", "%(near)s AS").replace("limit %s", "limit %(count)s")
        rows.append(connection.execute(named, {"near": "[1,0]", "count": 1}).fetchall())
        composed = psycopg.sql.SQL(SEARCH.replace("from docs", "from {}")).format(psycopg.sql.Identifier("docs"))
        rows.append(connection.execute(composed, ("[1,0]", 1)).fetchall())
        similar = SEARCH.replace("embedding <=> %s AS far", "1 - (embedding <=> %s) AS near").replace(
            "far", "near desc"
        )
        connection.execute(similar, ("[1,0]", 1))
        with connection.transaction(), connection.cursor(name="kept") as server:
            assert len(server.execute(SEARCH, ("[1,0]", 1)).fetchall()) == 1
        # none of pgvector's: other statements, and others' operators
        connection.execute("select content from docs where page < 4 and id <> 2")
        connection.execute("select content from docs order by point(page, 0) <-> point(3, 0) limit 1")
        connection.execute("update docs set page = 5 where id = %s", (1,))
        with pytest.raises(psycopg.errors.DataException):
            connection.execute(SEARCH, ("[1,0,0]", 1))
    assert all(row[0][:3] == (1, "Sunny.", 3) for row in rows)
    written, *found, similarity, kept, refused = _recorded(exporter)
    assert (written.name, written.attributes["db.operation.batch.size"]) == ("insert docs", 2)
    assert [span.name for span in (*found, similarity, kept)] == ["retrieval docs"] * 6
    assert {span.attributes["db.system.name"] for span in found} == {"postgresql"}
    assert [span.attributes["gen_ai.retrieval.top_k"] for span in (*found, similarity, kept)] == [1] * 6
    assert all(span.attributes["server.address"] for span in found)
    documents = [span.attributes.get("gen_ai.retrieval.documents") for span in (*found, similarity)]
    if capture:
        *distant, near = [json.loads(each) for each in documents]
        assert distant == [[ROW]] * 4
        assert near == [{"id": "1", "content": "Sunny.", "score": 1.0, "metadata": {"page": 3}}]
    else:
        assert documents == [None] * 5
    assert refused.attributes["agentops.outcome"] == "error"
    assert refused.attributes["error.type"].endswith("DataException")


def test_psycopg_async_and_asyncpg(table: str) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    search = SEARCH.replace("%s AS", "$1 AS").replace("limit %s", "limit $2")

    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(table, autocommit=True) as connection:
            assert len(await (await connection.execute(SEARCH, ("[1,0]", 1))).fetchall()) == 1
        async with asyncpg.create_pool(table, min_size=1, max_size=1) as pool:
            assert len(await pool.fetch(search, "[1,0]", 1)) == 1
            async with pool.acquire() as connection:
                assert (await connection.fetchrow(search, "[1,0]", 1))["content"] == "Sunny."
                assert await connection.fetchval(search, "[1,0]", 1) == 1
                prepared = await connection.prepare(search)
                assert len(await prepared.fetch("[1,0]", 1)) == 1
                insert = INSERT.replace("%s, %s, %s", "$1, $2, $3")
                await connection.executemany(insert, [("Snow.", 5, "[-1,0]"), ("Fog.", 6, "[-1,-1]")])
                await connection.execute(insert, "Ice.", 7, "[-1,1]")
                await connection.fetch("select content from docs where page < 4")
                with pytest.raises(asyncpg.DataError):
                    await connection.fetch(search, "[1,0,0]", 1)

    asyncio.run(run())
    *found, many, one, refused = _recorded(exporter)
    assert [span.name for span in found] == ["retrieval docs"] * 5
    assert {span.attributes["gen_ai.retrieval.top_k"] for span in found} == {1}
    documents = [json.loads(span.attributes["gen_ai.retrieval.documents"]) for span in found]
    assert documents == [[ROW], [ROW], [ROW], [], [ROW]]
    assert [(span.name, span.attributes["db.operation.batch.size"]) for span in (many, one)] == [
        ("insert docs", 2), ("insert docs", 1),
    ]  # fmt: skip
    assert refused.attributes["agentops.outcome"] == "error"


COPY = "copy docs (content, page, embedding) from stdin"


def test_copies_and_streams(table: str) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    with psycopg.connect(table, autocommit=True) as connection, connection.cursor() as cursor:
        with cursor.copy(COPY) as copy:
            copy.write_row(("Snow.", 5, "[-1,0]"))
            copy.write_row(("Fog.", 6, "[-1,-1]"))
        with pytest.raises(ZeroDivisionError), cursor.copy(psycopg.sql.SQL(COPY)) as copy:
            copy.write_row(("Never.", 7, "[1,1]"))
            raise ZeroDivisionError
        with pytest.raises(psycopg.errors.DataException), cursor.copy(COPY) as copy:
            copy.write_row(("Too long.", 7, "[1,1,1]"))
        with cursor.copy("copy docs (content, page) from stdin") as copy:  # none of pgvector's
            copy.write_row(("Plain.", 8))
        assert [row[1] for row in cursor.stream(SEARCH, ("[1,0]", 2))] == ["Sunny.", "Rain."]
        assert len(list(cursor.stream("select content from docs where page = 8"))) == 1
    *copied, found = _recorded(exporter)
    assert [(span.name, span.attributes["db.operation.batch.size"]) for span in copied] == [
        ("copy docs", 2), ("copy docs", 1), ("copy docs", 1),
    ]  # fmt: skip
    assert [span.attributes["agentops.outcome"] for span in copied] == ["ok", "error", "error"]
    assert copied[2].attributes["error.type"].endswith("DataException")
    assert (found.name, found.attributes["gen_ai.retrieval.top_k"]) == ("retrieval docs", 2)
    assert found.attributes["agentops.outcome"] == "ok"


def test_copies_and_streams_async(table: str) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])

    def packed(text: str) -> bytes:
        return struct.pack(">HH2f", 2, 0, *json.loads(text))

    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(table, autocommit=True) as connection:
            cursor = connection.cursor()
            async with cursor.copy(COPY) as copy:
                await copy.write_row(("Snow.", 5, "[-1,0]"))
            assert len([row async for row in cursor.stream(SEARCH, ("[1,0]", 2))]) == 2
        connection = await asyncpg.connect(table)
        await connection.set_type_codec("vector", encoder=packed, decoder=bytes, schema="public", format="binary")
        records: list[Any] = [("Fog.", 6, "[-1,-1]"), ("Ice.", 7, "[-1,1]")]
        columns = ["content", "page", "embedding"]
        await connection.copy_records_to_table("docs", records=records, columns=columns)
        await connection.copy_records_to_table("docs", records=[("Plain.", 8)], columns=columns[:2])
        await connection.close()

    asyncio.run(run())
    one, found, many = _recorded(exporter)
    assert [(span.name, span.attributes["db.operation.batch.size"]) for span in (one, many)] == [
        ("copy docs", 1), ("copy docs", 2),
    ]  # fmt: skip
    assert (found.name, found.attributes["agentops.outcome"]) == ("retrieval docs", "ok")
