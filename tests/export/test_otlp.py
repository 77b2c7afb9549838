"""The OTLP sink against a receiver over real HTTP: what arrives, what waits, what is counted."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.export.receiver import Receiver, spans

from agentops_sdk.exporters.otlp import OTLPExporter
from agentops_sdk.exporters.otlp.destination import Endpoint


@pytest.fixture(autouse=True)
def _no_standard_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("OTEL_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def balanced(stats: dict) -> bool:
    adopted = stats["adopted"]
    return stats["accepted"] == stats["exported"] + stats["pending"] + sum(stats["dropped"].values()) and adopted[
        "spans"
    ] == adopted["exported"] + adopted["pending"] + sum(adopted["dropped"].values())


def segments(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.seg") if "refused" not in path.parts]


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_everything_arrives_compressed_and_the_spool_is_empty_after(receiver: Receiver, tmp_path: Path) -> None:
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    for start in range(0, 1000, 100):
        sink.export(spans(100, start=start))
    assert sink.force_flush(10_000)
    stats = sink.stats()
    assert sorted(receiver.names) == sorted(f"s{number}" for number in range(1000))
    assert set(receiver.paths) == {"/v1/traces"}
    assert receiver.headers[0]["content-encoding"] == "gzip"
    assert receiver.headers[0]["content-type"] == "application/x-protobuf"
    assert (stats["exported"], stats["pending"]) == (1000, 0)
    assert balanced(stats)
    sink.shutdown(5)
    assert segments(tmp_path) == []


def test_spool_files_are_the_owners_alone(tmp_path: Path) -> None:
    sink = OTLPExporter(f"http://127.0.0.1:{closed_port()}", directory=tmp_path / ".agentops" / "spool")
    sink.export(spans(3))
    files = segments(tmp_path)
    assert files
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    assert all(path.stat().st_mode & 0o777 == 0o700 for path in (tmp_path / ".agentops").rglob("*") if path.is_dir())
    assert (tmp_path / ".agentops" / ".gitignore").read_text().strip() == "*"
    sink.shutdown(0)


def test_an_outage_loses_nothing_and_the_next_process_delivers(receiver: Receiver, tmp_path: Path) -> None:
    endpoint = Endpoint(url=receiver.url + "/v1/traces")
    receiver.behave = lambda _names, _size: (503, {}, b"down for maintenance")
    sink = OTLPExporter(endpoint, directory=tmp_path)
    sink.export(spans(50))
    assert not sink.force_flush(5_000)
    sink.shutdown(1)
    stats = sink.stats()
    assert stats["pending"] == 50
    assert "503" in stats["last_error"]
    assert "maintenance" in stats["last_error"]
    receiver.behave = lambda _names, _size: None
    heir = OTLPExporter(endpoint, directory=tmp_path)
    heir.export(spans(1, start=50))
    assert receiver.wait_for(lambda: len(receiver.names) >= 51)
    assert heir.force_flush(5_000)
    stats = heir.stats()
    assert sorted(set(receiver.names)) == sorted(f"s{number}" for number in range(51))
    assert stats["adopted"]["exported"] == 50
    assert stats["exported"] == 1
    assert balanced(stats)
    heir.shutdown(1)
    assert segments(tmp_path) == []


def test_what_was_delivered_before_a_kill_is_not_sent_again(receiver: Receiver, tmp_path: Path) -> None:
    program = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from tests.export.receiver import spans
from agentops_sdk.exporters.otlp import OTLPExporter
sink = OTLPExporter({receiver.url!r}, directory=Path({str(tmp_path)!r}))
for start in (0, 3):
    sink.export(spans(3, start=start))
    assert sink.force_flush(20_000)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    assert len(segments(tmp_path)) == 1
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(1, start=6))
    assert sink.force_flush(20_000)
    sink.shutdown()
    assert sorted(receiver.names) == [f"s{number}" for number in range(7)]
    assert segments(tmp_path) == []


def test_a_killed_process_leaves_its_spans_to_the_next(receiver: Receiver, tmp_path: Path) -> None:
    program = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.export.receiver import spans
from agentops_sdk.exporters.otlp import OTLPExporter
sink = OTLPExporter("http://127.0.0.1:{receiver.port}", directory={str(tmp_path)!r})
sink.export(spans(500))
sink.export(spans(500, start=500))
os.kill(os.getpid(), signal.SIGKILL)
"""
    receiver.behave = lambda _names, _size: (503, {"retry-after": "0"}, b"")
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    receiver.behave = lambda _names, _size: None
    heir = OTLPExporter(receiver.url, directory=tmp_path)
    heir.export(spans(1, start=1000))
    assert receiver.wait_for(lambda: len(set(receiver.names)) == 1001)
    assert heir.force_flush(5_000)
    assert heir.stats()["adopted"]["spans"] == 1000
    heir.shutdown(1)


def test_a_living_owner_keeps_its_spool(receiver: Receiver, tmp_path: Path) -> None:
    receiver.behave = lambda names, _size: (503, {"retry-after": "60"}, b"") if "s0" in names else None
    first = OTLPExporter(receiver.url, directory=tmp_path)
    first.export(spans(10))
    assert not first.force_flush(5_000)
    second = OTLPExporter(receiver.url, directory=tmp_path)
    second.export(spans(10, start=10))
    assert second.force_flush(5_000)
    assert second.stats()["adopted"]["spans"] == 0
    assert len(receiver.names) == 10
    first.shutdown(0)
    second.shutdown(0)


def test_a_torn_tail_is_skipped_and_counted(receiver: Receiver, tmp_path: Path) -> None:
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    receiver.behave = lambda _names, _size: (503, {}, b"")
    sink.export(spans(5))
    sink.export(spans(5, start=5))
    sink.shutdown(0)
    (segment,) = segments(tmp_path)
    data = segment.read_bytes()
    segment.write_bytes(data[:-7])
    receiver.behave = lambda _names, _size: None
    heir = OTLPExporter(receiver.url, directory=tmp_path)
    heir.export(spans(1, start=100))
    assert receiver.wait_for(lambda: len(receiver.names) == 6)
    assert heir.stats()["torn_records"] == 1
    heir.shutdown(1)


def test_retry_after_is_honoured_even_by_a_flush(receiver: Receiver, tmp_path: Path) -> None:
    receiver.behave = lambda _names, _size: (429, {"retry-after": "3600"}, b"slow down")
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(1))
    assert not sink.force_flush(10_000)
    assert receiver.requests == 1
    assert not sink.force_flush(200)
    assert receiver.requests == 1
    sink.shutdown(0.1)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_passing_trouble_is_retried(status: int, receiver: Receiver, tmp_path: Path) -> None:
    receiver.behave = lambda _names, _size: (status, {}, b"") if receiver.requests < 2 else None
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(4))
    assert receiver.wait_for(lambda: len(receiver.names) == 4)
    assert sink.force_flush(5_000)
    stats = sink.stats()
    assert stats["exported"] == 4
    assert stats["retries"] == 2
    assert stats["failing"] == 0
    sink.shutdown(1)


@pytest.mark.parametrize("status", [301, 401, 403, 404, 405, 415])
def test_a_wrong_setting_keeps_every_span(status: int, receiver: Receiver, tmp_path: Path) -> None:
    receiver.behave = lambda _names, _size: (status, {}, b"who are you?")
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(4))
    assert not sink.force_flush(5_000)
    stats = sink.stats()
    assert stats["pending"] == 4
    assert str(status) in stats["last_error"]
    assert balanced(stats)
    receiver.behave = lambda _names, _size: None
    assert sink.force_flush(5_000)
    sink.shutdown(1)


def test_too_large_is_split_down_to_the_span(receiver: Receiver, tmp_path: Path) -> None:
    receiver.behave = lambda _names, size: (413, {}, b"") if size > 5_000 else None
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(63, size=1000))
    sink.export(spans(1, start=63, size=9_000))
    assert sink.force_flush(10_000)
    stats = sink.stats()
    assert sorted(receiver.names) == sorted(f"s{number}" for number in range(63))
    assert stats["dropped"] == {"refused": 1}
    assert balanced(stats)
    sink.shutdown(1)


def test_one_refused_span_is_set_aside_with_the_reason(receiver: Receiver, tmp_path: Path) -> None:
    receiver.behave = lambda names, _size: (400, {}, b"span s17 is not to my taste") if "s17" in names else None
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(200))
    assert sink.force_flush(10_000)
    stats = sink.stats()
    assert len(receiver.names) == 199
    assert stats["dropped"] == {"refused": 1}
    assert balanced(stats)
    (reason,) = tmp_path.rglob("refused/*.json")
    assert "not to my taste" in json.loads(reason.read_text())["reason"]
    sink.export(spans(5, start=500))
    assert sink.force_flush(5_000)
    assert len(receiver.names) == 204
    sink.shutdown(1)


def test_a_backend_that_refuses_everything_is_a_setting_not_poison(receiver: Receiver, tmp_path: Path) -> None:
    receiver.behave = lambda _names, _size: (422, {}, b"x-experiment-id missing")
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(20))
    assert not sink.force_flush(5_000)
    assert sink.stats()["pending"] == 20
    receiver.behave = lambda _names, _size: None
    assert sink.force_flush(5_000)
    assert len(receiver.names) == 20
    sink.shutdown(1)


def test_partial_success_is_counted(receiver: Receiver, tmp_path: Path) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 3
    answer.partial_success.error_message = "three were too old"
    receiver.behave = lambda _names, _size: (200, {}, answer.SerializeToString())
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(10))
    assert sink.force_flush(5_000)
    stats = sink.stats()
    assert stats["exported"] == 7
    assert stats["dropped"] == {"rejected_by_backend": 3}
    assert balanced(stats)
    assert "too old" in stats["last_error"]
    sink.shutdown(1)


def test_the_spool_is_bounded_and_the_oldest_go_first(receiver: Receiver, tmp_path: Path) -> None:
    sink = OTLPExporter(f"http://127.0.0.1:{closed_port()}", directory=tmp_path, max_bytes=200_000)
    for number in range(100):
        sink.export(spans(10, start=number * 10, size=1000))
    stats = sink.stats()
    assert sum(path.stat().st_size for path in segments(tmp_path)) <= 200_000
    assert stats["dropped"]["spool_full"] > 0
    assert balanced(stats)
    sink.shutdown(0)
    receiver_sink = OTLPExporter(receiver.url, directory=tmp_path)
    next(tmp_path.iterdir()).rename(receiver_sink.folder)
    receiver_sink.export(spans(1, start=5000))
    assert receiver.wait_for(lambda: "s999" in receiver.names)
    assert receiver_sink.force_flush(5000)
    assert "s0" not in receiver.names
    assert len(receiver.names) == stats["pending"] + 1
    receiver_sink.shutdown(1)


def test_spans_too_old_are_dropped_and_counted(tmp_path: Path) -> None:
    sink = OTLPExporter(f"http://127.0.0.1:{closed_port()}", directory=tmp_path, max_age=1e-6)
    sink.export(spans(5))
    sink.force_flush(3_000)
    assert sink.stats()["dropped"] == {"too_old": 5}
    assert balanced(sink.stats())
    sink.shutdown(0)


def test_without_a_disk_memory_holds_a_bounded_number(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    receiver.behave = lambda _names, _size: (503, {}, b"")
    sink = OTLPExporter(receiver.url, directory=tmp_path / "file" / "spool", memory_bytes=3_000_000)
    for number in range(60):
        sink.export(spans(10, start=number * 10, size=10_000))
    stats = sink.stats()
    assert stats["disk_error"]
    assert not stats["durable"]
    assert stats["dropped"]["spool_full"] > 0
    assert stats["spooled_bytes"] <= 3_000_000
    assert balanced(stats)
    receiver.behave = lambda _names, _size: None
    assert sink.force_flush(10_000)
    assert "s599" in receiver.names
    assert balanced(sink.stats())
    sink.shutdown(1)


def test_a_spool_that_vanishes_under_us_loses_nothing(receiver: Receiver, tmp_path: Path) -> None:
    import shutil

    receiver.behave = lambda _names, _size: (503, {}, b"")
    sink = OTLPExporter(receiver.url, directory=tmp_path / "spool")
    sink.export(spans(10))
    shutil.rmtree(tmp_path / "spool")
    sink.export(spans(10, start=10))
    receiver.behave = lambda _names, _size: None
    assert sink.force_flush(5_000)
    assert len(set(receiver.names)) == 20
    assert balanced(sink.stats())
    sink.shutdown(1)


def test_what_memory_held_at_exit_is_lost_and_counted(tmp_path: Path) -> None:
    sink = OTLPExporter(f"http://127.0.0.1:{closed_port()}", directory=None)
    sink.export(spans(5))
    sink.shutdown(0.5)
    assert sink.stats()["dropped"] == {"exit_without_disk": 5}
    assert balanced(sink.stats())


def test_a_hanging_backend_does_not_hold_up_exit(tmp_path: Path) -> None:
    import time

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        sink = OTLPExporter(f"http://127.0.0.1:{silent.getsockname()[1]}", directory=tmp_path)
        sink.export(spans(5))
        started = time.monotonic()
        sink.shutdown(0.5)
        assert time.monotonic() - started < 2
    assert sink.stats()["pending"] == 5
    assert segments(tmp_path)


def test_a_forked_child_sends_only_its_own(receiver: Receiver, tmp_path: Path) -> None:
    receiver.behave = lambda names, _size: (503, {"retry-after": "0"}, b"") if "s0" in names else None
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(10))
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            sink.after_fork()
            sink.export(spans(10, start=10))
            code = 0 if sink.force_flush(10_000) and sink.stats()["accepted"] == 10 else 2
            sink.shutdown(1)
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert sorted(receiver.names) == sorted(f"s{number}" for number in range(10, 20))
    receiver.behave = lambda _names, _size: None
    assert sink.force_flush(5_000)
    assert len(receiver.names) == 20
    assert balanced(sink.stats())
    sink.shutdown(1)


def test_nothing_is_logged_on_the_hosts_log_and_nothing_traced(
    receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import logging

    with caplog.at_level(logging.INFO):
        sink = OTLPExporter(receiver.url, directory=tmp_path)
        sink.export(spans(5))
        assert sink.force_flush(5_000)
        sink.shutdown(1)
    assert caplog.records == []


def test_a_backend_that_cannot_unpack_gets_it_as_it_is(receiver: Receiver, tmp_path: Path) -> None:
    receiver.unpacks = False
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(3))
    assert sink.force_flush(5_000)
    sink.export(spans(3, start=3))
    assert sink.force_flush(5_000)
    assert [headers.get("content-encoding") for headers in receiver.headers] == ["gzip", None, None]
    assert len(receiver.names) == 6
    sink.shutdown(1)


@pytest.mark.guard_swallows
def test_a_proxy_setting_that_makes_no_sense_stops_nothing_for_good(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "gopher://nowhere")
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(3))
    assert not sink.force_flush(5_000)
    assert sink.stats()["pending"] == 3
    assert sink.stats()["last_error"]
    monkeypatch.delenv("http_proxy")
    assert sink.force_flush(5_000)
    assert len(receiver.names) == 3
    sink.shutdown(1)
