"""What a backend may answer, and what it costs: real servers that trickle, bomb, greet, redirect and refuse."""

from __future__ import annotations

import email.utils
import gzip
import json
import logging
import os
import resource
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.export.receiver import Receiver, spans
from tests.waiting import until

from agentops_sdk.exporters.otlp import OTLPExporter
from agentops_sdk.exporters.otlp.answer import judge
from agentops_sdk.exporters.otlp.destination import Endpoint
from agentops_sdk.exporters.otlp.http_client import Sender

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"


@pytest.fixture(autouse=True)
def _no_standard_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Reads each request to its end, then ``answer`` does what it likes with the connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(client: socket.socket) -> None:
        with client:
            try:
                while True:
                    data = b""
                    while b"\r\n\r\n" not in data:
                        if not (more := client.recv(65536)):
                            return
                        data += more
                    head, _, body = data.partition(b"\r\n\r\n")
                    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                    while len(body) < length:
                        body += client.recv(65536)
                    answer(client)
            except OSError:
                pass  # the client has had enough

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def post(url: str, timeout: float = 1.0, **headers: str) -> Any:
    sender = Sender(Endpoint(url=url, timeout=timeout, headers=headers))
    try:
        return sender.post(b"")
    finally:
        sender.close()


def answering(status: str, body: bytes = b"", **headers: str) -> Callable[[socket.socket], None]:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return lambda client: client.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)


def trickling(data: bytes, forever: bytes) -> Callable[[socket.socket], None]:
    def answer(client: socket.socket) -> None:
        client.sendall(data)
        while True:
            time.sleep(0.05)
            client.sendall(forever)

    return answer


@pytest.mark.parametrize(
    ("data", "forever"),
    [
        (b"HTTP/1.1 200 OK\r\nx-header: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
        (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["a header", "headers", "informational answers", "the body", "chunks"],
)
def test_an_answer_that_trickles_in_holds_nobody_beyond_the_timeout(data: bytes, forever: bytes) -> None:
    replies: list[Any] = []
    with server(trickling(data, forever)) as url:
        thread = threading.Thread(target=lambda: replies.append(post(url, 0.5)), daemon=True)
        thread.start()
        thread.join(20)
    assert [reply.verdict for reply in replies] == ["retry"]


def test_the_deadline_is_each_requests_own(receiver: Receiver) -> None:
    """The connection is kept; what one request has used up of its time is not the next one's loss."""
    sender = Sender(Endpoint(url=receiver.url, timeout=1.5))
    for _ in range(4):
        assert sender.post(b"").verdict == "accepted"
        time.sleep(0.5)
    sender.close()


@pytest.mark.parametrize("status", ["200 OK", "500 Oh"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_answer_is_not_unpacked_beyond_some_kilobytes(status: str, encoding: str) -> None:
    pack = zlib.compressobj(1, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    bomb = b"".join(pack.compress(bytes(1 << 20)) for _ in range(256)) + pack.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with server(answering(status, bomb, content_encoding=encoding)) as url:
        assert post(url, 20).verdict == ("misconfigured" if status.startswith("2") else "retry")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB; the bomb holds 256 MB


def test_a_compressed_answer_is_understood() -> None:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 3
    packed = gzip.compress(answer.SerializeToString())
    with server(answering("200 OK", packed, content_encoding="gzip", content_type="application/x-protobuf")) as url:
        assert (post(url).verdict, post(url).rejected) == ("accepted", 3)
    with server(answering("400 Bad", gzip.compress(b"too old"), content_encoding="gzip")) as url:
        assert post(url).reason == "HTTP 400: too old"


PARTIAL = ExportTraceServiceResponse()
PARTIAL.partial_success.rejected_spans = 2
PARTIAL.partial_success.error_message = "why \x1b[31mnot"
PROTOBUF, JSON = "application/x-protobuf", "application/json; charset=utf-8"


def test_an_answer_with_a_long_head_is_delivery_and_is_not_sent_for_again() -> None:
    fields = b"".join(b"x-trail-%d: %b\r\n" % (number, b"t" * 900) for number in range(80))

    def answer(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\n" + fields)
        time.sleep(0.05)  # the rest comes apart
        client.sendall(OK.partition(b"\r\n")[2])

    with server(answer) as url:
        reply = post(url)
    assert (reply.verdict, reply.status) == ("accepted", 200), reply


def test_a_request_that_a_header_has_sent_in_chunks_comes_to_its_end() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            data = b""
            while not data.endswith(b"\r\n0\r\n\r\n") and (more := client.recv(65536)):
                data += more
            client.sendall(OK)

    with listener:
        threading.Thread(target=serve, daemon=True).start()
        reply = post(f"http://127.0.0.1:{listener.getsockname()[1]}", **{"transfer-encoding": "chunked"})
    assert reply.verdict == "accepted", reply


@pytest.mark.parametrize(
    ("kind", "body", "rejected"),
    [
        (PROTOBUF, b"", 0),
        (PROTOBUF, PARTIAL.SerializeToString(), 2),
        ("application/octet-stream", PARTIAL.SerializeToString(), 2),
        (JSON, b"{}", 0),
        (JSON, b'{"partialSuccess": {}}', 0),
        (JSON, b'{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "why not"}}', 2),
        (JSON, b'{"partialSuccess": {"rejectedSpans": -2}}', 0),
        (JSON, b'{"partialSuccess": {"rejectedSpans": 1e99}}', 0),
        (JSON, b'{"status": "ok", "message": "accepted"}', 0),
        ("text/html", b"", 0),
        ("text/plain", b"OK\n", 0),
        ("text/plain", b"", 0),
    ],
)
def test_an_answer_of_otlp_is_delivery(kind: str, body: bytes, rejected: int) -> None:
    with server(answering("200 OK", body, content_type=kind)) as url:
        reply = post(url)
    assert (reply.verdict, reply.rejected) == ("accepted", rejected)
    assert reply.reason.isprintable()


LOGIN = b"<!doctype html><html><head><title>Sign in\x1b[2J to Acme</title></head><body>OK</body></html>"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content_type": "text/html"}, LOGIN),
        ({"content_type": "text/html"}, b"ok"),
        ({}, LOGIN),
        ({"content_type": PROTOBUF}, LOGIN),
        ({"content_type": "application/octet-stream"}, LOGIN),
        ({"content_type": "text/html"}, LOGIN * 2_000),
        ({"content_type": "text/plain"}, b"Welcome to nginx!"),
        ({"content_type": JSON}, b'{"error": "unauthorized"}'),
        ({"content_type": JSON}, b'{"message": "Unauthorized"}'),
        ({"content_type": JSON}, b'{"success": false}'),
        ({"content_type": JSON}, b'{"torn'),
        ({"content_type": JSON}, b"[" * 60_000),
        ({"content_type": "application/grpc", "grpc_status": "12", "grpc_message": "unimplemented"}, b""),
        ({"content_type": PROTOBUF, "grpc_status": "16"}, b""),
        ({"content_encoding": "br"}, b"\x00\x01"),
    ],
)
def test_a_success_that_is_no_answer_of_otlp_is_not_delivery(
    headers: dict[str, str], body: bytes, tmp_path: Path
) -> None:
    with server(answering("200 OK", body, **headers)) as url:
        sink = OTLPExporter(url, directory=tmp_path)
        sink.export(spans(5))
        assert not sink.force_flush(20_000)
    stats = sink.stats()
    assert (stats["exported"], stats["pending"], stats["dropped"]) == (0, 5, {})
    assert "no answer of OTLP" in stats["last_error"]
    assert stats["last_error"].isprintable()
    sink.shutdown(0)


def test_what_a_proxy_swallowed_arrives_once_it_is_gone(receiver: Receiver, tmp_path: Path) -> None:
    receiver.behave = lambda _names, _size: (200, {"content-type": "text/html"}, LOGIN)
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(5))
    assert not sink.force_flush(5_000)
    receiver.behave = lambda _names, _size: None
    assert sink.force_flush(5_000)
    assert len(receiver.names) == 5
    sink.shutdown(1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status: int, receiver: Receiver, tmp_path: Path) -> None:
    elsewhere = Receiver()
    target = f"http://user:secret-in-url@127.0.0.1:{elsewhere.port}/v1/traces?token=hidden-away"
    receiver.behave = lambda _names, _size: (status, {"location": target}, b"")
    sink = OTLPExporter(Endpoint(url=receiver.url, headers={"authorization": "Bearer my-own-key"}), directory=tmp_path)
    sink.export(spans(3))
    assert not sink.force_flush(5_000)
    stats = sink.stats()
    assert (stats["pending"], elsewhere.requests) == (3, 0)
    assert f"127.0.0.1:{elsewhere.port}" in stats["last_error"]
    assert "secret-in-url" not in stats["last_error"]
    assert "hidden-away" not in stats["last_error"]
    sink.shutdown(0)
    elsewhere.close()


def test_the_answers_text_is_harmless_and_quotes_no_key(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    body = b"\x1b]0;owned\x07 unknown key my-own-key-1234\r\n\xe2\x80\xae\x9b31m"
    with server(answering("401 No", body)) as url:
        endpoint = Endpoint(url=url, headers={"authorization": "Bearer my-own-key-1234"})
        sink = OTLPExporter(endpoint, directory=tmp_path)
        with caplog.at_level(logging.DEBUG, "agentops_sdk"):
            sink.export(spans(1))
            assert not sink.force_flush(5_000)
    for text in (sink.stats()["last_error"], caplog.text.replace("\n", "")):
        assert "unknown key" in text
        assert "my-own-key" not in text
        assert text.isprintable()
    sink.shutdown(0)


FUTURE = email.utils.formatdate(time.time() + 100_000, usegmt=True)


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("7", 7, 7),
        ("0.5", 0.5, 0.5),
        ("0", 0, 0),
        ("-5", 0, 0),
        ("99999999999999", 3600, 3600),
        ("1e400", None, None),
        ("nan", None, None),
        ("", None, None),
        ("soon", None, None),
        # Named, so that the workers of a parallel run, which collect at different moments, collect the same tests.
        pytest.param(email.utils.formatdate(time.time() + 3_000, usegmt=True), 1_000, 3_001, id="in 50 minutes"),
        pytest.param(FUTURE, 3600, 3600, id="tomorrow"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600, 3600),
        ("Mon, 01 Jan 0001 00:00:00 GMT", 0, 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Wed, 99 Foo 2015", None, None),
    ],
)
def test_retry_after_within_reason(value: str, least: float | None, most: float | None) -> None:
    with server(answering("503 Later", retry_after=value)) as url:
        pause = post(url).retry_after
    if least is None or most is None:
        assert pause is None
    else:
        assert pause is not None
        assert least <= pause <= most


def test_retry_after_zero_is_no_invitation_to_hammer(receiver: Receiver, tmp_path: Path) -> None:
    receiver.behave = lambda _names, _size: (503, {"retry-after": "0"}, b"")
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(1))
    assert receiver.wait_for(lambda: receiver.requests >= 1)
    time.sleep(2.0)
    assert receiver.requests <= 6
    sink.shutdown(0)


def test_sending_leaves_the_callers_context_as_it_was(receiver: Receiver) -> None:
    from opentelemetry import context

    before = context.get_current()
    assert post(receiver.url).verdict == "accepted"
    assert context.get_current() == before


def test_a_grpc_port_is_named_as_such(tmp_path: Path) -> None:
    sender = Sender(Endpoint(url="http://127.0.0.1:4317/v1/traces", timeout=1.0))
    reply = sender.post(b"")
    assert reply.verdict == "retry"  # nobody listens there, or somebody who speaks HTTP/2 only
    assert "4318" in reply.reason
    sender.close()


def test_an_answer_is_judged_by_its_status_first() -> None:
    from agentops_sdk.exporters.otlp.answer import Answer

    endpoint = Endpoint(url="http://127.0.0.1:1/v1/traces")
    for status in (*range(100, 200), *range(300, 700)):
        assert judge(Answer(status, {}, b"{}"), endpoint).verdict != "accepted"


# --- a backend that refuses -----------------------------------------------------------------------


def balanced(stats: dict[str, Any]) -> bool:
    return bool(stats["accepted"] == stats["exported"] + stats["pending"] + sum(stats["dropped"].values()))


def refused_files(folder: Path) -> list[Path]:
    return list(folder.rglob("refused/*.seg"))


@pytest.mark.parametrize("takes_empty", [True, False])
@pytest.mark.parametrize("at_once", [1, 64])
def test_a_phase_of_refusals_after_a_success_costs_few_requests_and_no_span(
    takes_empty: bool, at_once: int, receiver: Receiver, tmp_path: Path
) -> None:
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(10))
    assert sink.force_flush(10_000)
    calm = receiver.requests
    receiver.behave = lambda names, _size: (400, {}, b"schema change") if names or not takes_empty else None
    for number in range(10):
        sink.export(spans(at_once, start=100 + number * at_once))
        sink.force_flush(2_000)
    assert receiver.requests - calm <= 80
    assert len(refused_files(tmp_path)) <= 10
    assert balanced(sink.stats())
    receiver.behave = lambda _names, _size: None
    sink.export(spans(1, start=9_999))
    assert until(lambda: sink.force_flush(2_000) and len(receiver.names) == 11 + 10 * at_once)
    stats = sink.stats()
    assert (stats["exported"], stats["pending"], stats["dropped"]) == (11 + 10 * at_once, 0, {})
    assert len(set(receiver.names)) == len(receiver.names)
    assert refused_files(tmp_path) == []
    sink.shutdown(1)


def test_many_spans_at_fault_in_one_batch_are_found_and_cost_no_other(receiver: Receiver, tmp_path: Path) -> None:
    bad = {f"s{number}" for number in range(0, 200, 29)}
    receiver.behave = lambda names, _size: (400, {}, b"no") if bad & set(names) else None
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(200))
    assert until(lambda: sink.force_flush(2_000) and len(receiver.names) >= 200 - len(bad))
    assert sorted(receiver.names) == sorted({f"s{number}" for number in range(200)} - bad)
    stats = sink.stats()
    assert stats["dropped"] == {"refused": len(bad)}
    assert balanced(stats)
    sink.shutdown(1)


def test_nothing_is_sent_twice_when_the_backend_goes_away_in_the_middle(receiver: Receiver, tmp_path: Path) -> None:
    def behave(names: list[str], size: int) -> Any:
        if size > 9_000:
            return 413, {}, b""
        return (503, {}, b"") if 3 <= receiver.requests - first < 6 else None

    receiver.behave = behave
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    first = receiver.requests
    sink.export(spans(32, size=1_000))
    assert until(lambda: sink.force_flush(2_000))
    assert sorted(receiver.names) == sorted(f"s{number}" for number in range(32))
    assert balanced(sink.stats())
    sink.shutdown(1)


def test_what_was_refused_is_tried_again_later_and_counted_once(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.behave = lambda names, _size: (400, {}, b"not s3") if "s3" in names else None
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(8))
    assert sink.force_flush(10_000)
    (path,) = refused_files(tmp_path)
    assert sink.stats()["dropped"] == {"refused": 1}
    sink.export(spans(1, start=50))
    assert sink.force_flush(10_000)
    assert refused_files(tmp_path) == [path]  # its time has not come
    facts = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**facts, "time": facts["time"] - 3_600}))
    receiver.behave = lambda _names, _size: None

    def delivered() -> bool:
        sink.export(spans(1, start=60))
        return sink.force_flush(2_000) and "s3" in receiver.names

    assert until(delivered)
    assert sink.force_flush(10_000)
    stats = sink.stats()
    assert stats["dropped"] == {}
    assert balanced(stats)
    assert receiver.names.count("s3") == 1
    assert refused_files(tmp_path) == []
    sink.shutdown(1)


def test_what_is_refused_for_good_is_not_tried_for_ever(receiver: Receiver, tmp_path: Path) -> None:
    receiver.behave = lambda names, _size: (400, {}, b"not s3") if "s3" in names else None
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(8))
    assert sink.force_flush(10_000)
    for _ in range(8):
        (path,) = refused_files(tmp_path)
        facts = json.loads(path.with_suffix(".json").read_text())
        path.with_suffix(".json").write_text(json.dumps({**facts, "time": 0.0}))
        sink._spool._look_for_refused = 0.0
        sink.export(spans(1, start=60))
        assert sink.force_flush(10_000)
    assert facts["tries"] == 5
    assert sink.stats()["dropped"] == {"refused": 1}
    assert balanced(sink.stats())
    sink.shutdown(1)


def test_another_process_takes_up_what_this_one_set_aside(receiver: Receiver, tmp_path: Path) -> None:
    receiver.behave = lambda names, _size: (400, {}, b"no") if "s0" in names else None
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    sink.export(spans(1))
    assert sink.force_flush(10_000)
    sink.shutdown(1)
    assert len(refused_files(tmp_path)) == 1
    receiver.behave = lambda _names, _size: None
    heir = OTLPExporter(receiver.url, directory=tmp_path)
    heir.export(spans(1, start=1))
    assert until(lambda: heir.force_flush(2_000) and len(receiver.names) == 2)
    delivered = {"spans": 1, "exported": 1, "pending": 0, "dropped": {}}
    assert until(lambda: heir.stats()["adopted"] == delivered), heir.stats()
    heir.shutdown(1)


# --- spools as they are found ----------------------------------------------------------------------


def left_behind(tmp_path: Path) -> Path:
    """A dead process's spool: one segment of records with five spans each."""
    sink = OTLPExporter("http://127.0.0.1:1", directory=tmp_path)
    for number in range(3):
        sink.export(spans(5, start=number * 5, size=100))
    sink.shutdown(0)
    (segment,) = tmp_path.rglob("*.seg")
    return segment


def adopted(receiver: Receiver, tmp_path: Path) -> OTLPExporter:
    (spool,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    heir = OTLPExporter(receiver.url, directory=tmp_path)
    heir.adopt(spool)
    assert heir.force_flush(10_000)
    return heir


@pytest.mark.parametrize("place", [60, 700, -50], ids=["the first", "the second", "the last"])
def test_a_damaged_record_costs_no_other_and_is_counted(place: int, receiver: Receiver, tmp_path: Path) -> None:
    segment = left_behind(tmp_path)
    data = bytearray(segment.read_bytes())
    third = (len(data) - 16) // 3
    at = {60: 16 + 60, 700: 16 + third + 60, -50: len(data) - 50}[place]
    data[at] ^= 0xFF
    segment.write_bytes(data)
    heir = adopted(receiver, tmp_path)
    assert len(receiver.names) == 10
    stats = heir.stats()
    assert stats["adopted"] == {"spans": 15, "exported": 10, "pending": 0, "dropped": {"damaged": 5}}
    assert stats["torn_records"] == 1
    (remark,) = heir.remarks
    assert segment.name in remark
    assert "5 spans lost" in remark
    heir.shutdown(1)


def test_what_is_no_segment_is_left_alone(receiver: Receiver, tmp_path: Path) -> None:
    segment = left_behind(tmp_path)
    run = segment.parent
    (run / "notes.seg").write_text("what I wanted to remember")
    (run / "notes.txt").write_text("more of it")
    (run / "folder.seg").mkdir()
    (run / "folder.seg" / "x").write_text("y")
    (run / "link.seg").symlink_to("/etc/hostname")
    (run / "empty.seg").touch()
    heir = adopted(receiver, tmp_path)
    assert len(receiver.names) == 15
    assert sorted(path.name for path in run.iterdir()) == ["folder.seg", "link.seg", "lock", "notes.seg", "notes.txt"]
    assert len(heir.remarks) == 4
    assert all("not a segment" in remark for remark in heir.remarks)
    assert balanced(heir.stats())
    heir.shutdown(1)


def test_a_spool_without_its_lock_is_adopted_once_its_owner_is_dead(receiver: Receiver, tmp_path: Path) -> None:
    program = """
import sys
from tests.export.receiver import spans
from agentops_sdk.exporters.otlp import OTLPExporter
sink = OTLPExporter("http://127.0.0.1:1", directory=sys.argv[1])
sink.export(spans(5))
print("spooled", flush=True)
sys.stdin.read()
"""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "spooled\n"
    (lock,) = tmp_path.rglob("lock")
    lock.unlink()
    heir = OTLPExporter(receiver.url, directory=tmp_path)
    assert heir.adopt(lock.parent.parent) == 0  # it lives
    process.kill()
    process.communicate()
    assert heir.adopt(lock.parent.parent) == 5
    assert heir.force_flush(10_000)
    assert len(receiver.names) == 5
    heir.shutdown(1)
