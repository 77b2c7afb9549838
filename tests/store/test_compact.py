"""Closed files become Parquet and lines again, byte for byte, whatever happens meanwhile."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from tests.store.runs import ONE, runs

from agentops_sdk.cli import main
from agentops_sdk.exporters.jsonl.run_files import _compress, claimed, create_file
from agentops_sdk.traces.formats.parquet_lines import duckdb_cursor
from agentops_sdk.traces.places import load

pytest.importorskip("duckdb", reason="the extra duckdb is not installed")

NAME = "20260101T000000Z-1-0000000{}.jsonl"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three closed files: of ours, compressed, and one of another name that ends in the middle of a line."""
    records = runs()
    lines = ["".join(record.model_dump_json(exclude_unset=True) + "\n" for record in part)
             for part in (records[:4], records[4:9], records[9:])]  # fmt: skip
    (tmp_path / NAME.format(1)).write_text(lines[0] + '\nno JSON, nor "that", \\ ä\n')
    with gzip.open(tmp_path / (NAME.format(2) + ".gz"), "wt", encoding="utf-8") as file:
        file.write(lines[1])
    (tmp_path / "feedback.jsonl").write_text(lines[2] + '{"v":1,"trace_id":"')
    return tmp_path


def seen(folder: Path) -> list[object]:
    traces = load(folder)
    whole = [[record.model_dump() for record in traces[trace_id].spans] for trace_id in traces.ids]
    return [traces.ids, whole, traces.torn, traces.foreign]


def test_what_was_packed_reads_the_same_and_comes_back_byte_for_byte(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, contents = seen(folder), {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(["compact", "--dir", str(folder)]) == 0
    assert "3 file(s) packed" in capsys.readouterr().out
    assert {(path.suffix, path.stat().st_mode & 0o077) for path in folder.iterdir()} == {(".parquet", 0)}
    assert seen(folder) == before
    for words in (["show", ONE], ["sql", "SELECT count(*) FROM spans WHERE trace_id IS NOT NULL"]):
        assert main([*words, "--from", str(folder)]) == 0
    assert "12" in capsys.readouterr().out
    assert main(["compact", "--back", "--dir", str(folder)]) == 0
    again = {path.name: path.read_bytes() for path in folder.iterdir()}
    compressed = NAME.format(2) + ".gz"  # by another program, whose bytes are its own: the lines are the same
    assert gzip.decompress(again.pop(compressed)) == gzip.decompress(contents.pop(compressed))
    assert again == contents


def test_what_our_programs_have_compressed_comes_back_byte_for_byte(tmp_path: Path) -> None:
    path, descriptor = create_file(tmp_path)
    os.write(descriptor, b'{"v":1}\n' * 100)
    os.close(descriptor)
    with claimed(path) as claim:
        assert claim is not None
        _compress(claim)
    (file,) = tmp_path.iterdir()
    before = file.read_bytes()
    for words in ([], ["--back"]):
        assert main(["compact", *words, "--dir", str(tmp_path)]) == 0
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {file.name: before}
    assert file.suffix == ".gz"


def test_a_file_that_is_written_to_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, descriptor = create_file(folder)
    try:
        os.write(descriptor, b'{"v":1')
        assert main(["compact", "--dir", str(folder)]) == 0
        assert f"{path.name} is left as it is: it is in use" in capsys.readouterr().err
        os.write(descriptor, b"}\n")
        assert path.read_bytes() == b'{"v":1}\n'
    finally:
        os.close(descriptor)


def test_bytes_that_no_text_holds_and_damaged_files_are_left_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = {
        "latin.jsonl": b'{"name":"\xe4"}\n',
        "crlf.jsonl": b'{"a":1}\r\n{"b":2}\r\n',
        "cut.jsonl.gz": b"\x1f\x8b\x08",
    }
    for name, content in odd.items():
        (tmp_path / name).write_bytes(content)
        assert main(["compact", str(tmp_path / name)]) == 1
        assert "is left as it is" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == odd


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is killed in the middle of its work: fork")
@pytest.mark.parametrize("moment", ["_blocks", "_put", "unlink"])
def test_a_crash_in_the_middle_loses_nothing_and_counts_nothing_twice(folder: Path, moment: str) -> None:
    before = seen(folder)
    child = os.fork()
    if not child:
        from agentops_sdk.store import compaction

        def crash(*_: object, **__: object) -> None:
            os._exit(9)

        if moment == "unlink":
            setattr(Path, moment, crash)
        else:
            setattr(compaction, moment, crash)
        main(["compact", "--dir", str(folder)])
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert seen(folder) == before
    assert main(["compact", "--dir", str(folder)]) == 0
    assert seen(folder) == before
    assert not list(folder.glob("*.jsonl"))


def test_a_reader_that_was_there_before_finds_its_lines_afterwards(folder: Path) -> None:
    traces = load(folder)
    expected = load(folder)[ONE].tree(messages=True)
    assert main(["compact", "--dir", str(folder)]) == 0
    (folder / "feedback.jsonl").write_text("")  # a later file of the old name hides nothing
    assert traces[ONE].tree(messages=True) == expected
    assert len(load(folder)) == len(traces)


def test_what_memory_does_not_hold_lies_where_its_owner_alone_can_read() -> None:
    with duckdb_cursor() as cursor:
        ((folder,),) = cursor.execute("SELECT current_setting('temp_directory')").fetchall()
    assert Path(folder).parent.stat().st_mode & 0o077 == 0
