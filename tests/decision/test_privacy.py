"""What is said of a decision passes the scrubber and the content switch: judged by the bytes on disk."""

from __future__ import annotations

from pathlib import Path

import agentops_sdk as agentops

SECRET = "sk-proj-" + "A1b2C3d4" * 6


def written(folder: Path) -> bytes:
    agentops.shutdown()
    return b"".join(file.read_bytes() for file in folder.glob("*.jsonl"))


def decide(word: str) -> None:
    agentops.decide(
        "pay", "yes", options=["yes", {"name": "no", "description": "or not"}], inputs={"note": f"in {word}"},
        reason=f"because {word}", evidence=[f"seen {word}"], rejected={"no": f"not {word}"}, scores={"yes": 1.0},
    )  # fmt: skip

    @agentops.track(kind="decision", options=["yes", "no"])
    def tracked(note: str) -> str:
        return "yes"

    @agentops.guardrail
    def guarded(text: str) -> dict[str, object]:
        return {"allowed": False, "reason": f"found {text}"}

    @agentops.guardrail
    def cleaned(text: str) -> str:
        return text

    @agentops.agent
    def boss() -> None:
        agentops.handoff("clerk", reason=f"handing {word}")

    tracked(f"note {word}")
    guarded(f"text {word}")
    cleaned(word)
    boss()


def test_secrets_never_reach_the_file(tmp_path: Path) -> None:
    agentops.init(exporters=[f"jsonl:{tmp_path}"], integrations=[])
    decide(SECRET)
    found = written(tmp_path)
    assert b"agentops.decision.reason" in found
    assert b"agentops.handoff.reason" in found
    assert SECRET.encode() not in found
    assert SECRET[10:].encode() not in found


def test_without_content_only_the_choice_is_written(tmp_path: Path) -> None:
    agentops.init(exporters=[f"jsonl:{tmp_path}"], integrations=[], capture_content=False)
    decide("confidential")
    found = written(tmp_path)
    assert b'"agentops.decision.chosen":"yes"' in found.replace(b": ", b":")
    assert b"not allowed" in found
    assert b"confidential" not in found
    for name in (b"reason", b"evidence", b"inputs", b"rejected"):
        assert b"agentops.decision." + name not in found
