"""Large contents of messages beside the trace, by reference, when asked."""

from __future__ import annotations

import hashlib
import json
import stat
from base64 import b64encode
from pathlib import Path
from typing import Any

from tests.conformance.spans import wrong

import agentops_sdk as agentops
from agentops_sdk._genai import openai_items
from agentops_sdk.erasure.erase import Erasure, Subject
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.integration import start

PICTURE = bytes(range(256)) * 400
SECRET = f"sk-proj-{'Ab3dEf6hIj9lMn2pQr5tUv8x' * 2}"
SMALL = {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "aGk="}


def part() -> dict[str, Any]:
    return {**SMALL, "content": b64encode(PICTURE).decode()}


def ask(as_text: bool = False, **settings: Any) -> list[dict[str, Any]]:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], restart=True, **settings)
    messages: Any = [{"role": "user", "parts": [{"type": "text", "content": "What is it?"}, part(), SMALL]}]
    call = start("llm", "m", attributes={
        "gen_ai.provider.name": "p", "gen_ai.request.model": "m",
        "gen_ai.input.messages": json.dumps(messages) if as_text else messages,
    })  # fmt: skip
    call.finish()
    assert agentops.flush()
    (span,) = exporter.finished_spans()
    assert wrong([span]) == []
    text = dict(span.attributes).get("gen_ai.input.messages")
    return [] if text is None else list(json.loads(text)[0]["parts"])


def test_a_picture_is_a_file_and_is_kept_once(tmp_path: Path) -> None:
    name = f"blobs/{hashlib.sha256(PICTURE).hexdigest()}.png"
    reference = {"type": "uri", "modality": "image", "mime_type": "image/png", "uri": name}
    for as_text in (False, True):
        text, picture, small = ask(as_text, blobs="files", directory=tmp_path / "ops")
        assert (text["content"], picture, small) == ("What is it?", reference, SMALL)
    (file,) = (tmp_path / "ops" / "blobs").iterdir()
    assert file.read_bytes() == PICTURE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_what_a_tool_gave_is_looked_into(tmp_path: Path) -> None:
    """Its pictures are files as well; what it calls a blob itself is its own and is redacted like all text."""
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], directory=tmp_path / "ops", blobs="files")
    made = {"type": "image_generation_call", "id": "ig", "status": "completed", "result": part()["content"]}
    shot = {"type": "computer_screenshot", "image_url": f"data:image/png;base64,{part()['content']}"}
    own = {"type": "blob", "content": f"{SECRET} {'x' * 2_000}"}
    items = [
        {"type": "function_call_output", "call_id": "a", "output": [{**shot, "type": "input_image"}]},
        {"type": "computer_call_output", "call_id": "b", "output": shot},
        {"type": "function_call_output", "call_id": "c", "output": own},
    ]  # fmt: skip
    start("llm", "m", attributes={
        "gen_ai.input.messages": openai_items.messages(items),
        "gen_ai.output.messages": openai_items.messages([made]),
    }).finish()  # fmt: skip
    assert agentops.flush()
    (span,) = exporter.finished_spans()
    asked, answer = (json.loads(span.attributes[f"gen_ai.{way}.messages"]) for way in ("input", "output"))
    given = [message["parts"][0]["response"] for message in asked]
    picture = answer[0]["parts"][1]["server_tool_call_response"]["result"]
    assert given[0][0] == given[1][0] == picture
    assert (picture["type"], picture["mime_type"]) == ("uri", "image/png")
    assert "[redacted:openai-key]" in given[2]["content"]
    assert len(list((tmp_path / "ops" / "blobs").iterdir())) == 1


def test_none_is_written_unasked_or_where_content_is_not_captured(tmp_path: Path) -> None:
    assert ask(directory=tmp_path / "ops")[1]["type"] == "blob"
    assert ask(directory=tmp_path / "ops", blobs="files", capture_content=False) == []
    assert not (tmp_path / "ops" / "blobs").exists()


def test_what_cannot_be_written_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "blobs").write_text("in the way")
    assert ask(directory=tmp_path / "ops", blobs="files")[1]["type"] == "blob"
    agentops.shutdown()


def test_they_take_no_more_than_traces_may(tmp_path: Path) -> None:
    folder = tmp_path / "ops" / "blobs"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"old{number}.png").write_bytes(b"x" * 1_000)
    ask(directory=tmp_path / "ops", blobs="files", traces_max_bytes=1_500)
    left = {file.name for file in folder.iterdir()}
    assert len([name for name in left if name.startswith("old")]) == 1
    assert len(left) == 2


def test_an_erasure_takes_what_nobody_else_refers_to(tmp_path: Path) -> None:
    agentops.init(exporters=["jsonl"], integrations=[], directory=tmp_path / "ops", blobs="files")
    for user, pictures in {"ann": (PICTURE, b"hers" * 999), "ben": (PICTURE,)}.items():
        with agentops.context(user_id=user):
            parts = [{**SMALL, "content": b64encode(picture).decode()} for picture in pictures]
            start("llm", "m", attributes={"gen_ai.input.messages": [{"role": "user", "parts": parts}]}).finish()
    agentops.shutdown()
    assert len(list((tmp_path / "ops" / "blobs").iterdir())) == 2
    work = Erasure(tmp_path / "ops", Subject(users=frozenset(("ann",))))
    work.look()
    assert len(list((tmp_path / "ops" / "blobs").iterdir())) == 2
    work.erase()
    (left,) = (tmp_path / "ops" / "blobs").iterdir()
    assert left.read_bytes() == PICTURE
