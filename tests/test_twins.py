"""What stands twice is named here, with the reason; and no test turns an exception into a skip."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUN = 6
"""So many equal lines, one after the other, are a twin. What differs between sync and async is taken for equal."""

_A_FRAME = (
    "stands around the program's own call: an await cannot be shared, and every call would pay for one more frame"
)
_SIGNATURES = (
    "the same signature and its overloads, for a type checker and a reader: there is no way to write them once"
)

TWINS = {
    ("agentops_integrations/langchain/context_attachment.py",): _A_FRAME,
    ("agentops_integrations/langchain/context_attachment.py", "agentops_integrations/langchain/stream_readers.py"):
        "the end of a generator that passes items on; what stands before it differs",
    ("agentops_integrations/langchain/handler.py",): "LangChain's own signatures of its callbacks",
    ("agentops_integrations/openai/connections.py",): _A_FRAME,
    ("agentops_integrations/openai/realtime.py",): _A_FRAME,
    ("agentops_sdk/_host/intercept.py",): _A_FRAME,
    ("agentops_sdk/_http/generated.py", "agentops_sdk/_http/methods.py"):
        "two kinds of client are told of in the same words; they share what they do, in exchange.py",
    ("agentops_sdk/_http/reply_proxies.py",): _A_FRAME,
    ("agentops_sdk/_http/stream.py",): _A_FRAME,
    ("agentops_sdk/_propagation/generators.py",): _A_FRAME,
    ("agentops_sdk/_propagation/vendor_calls.py",): _A_FRAME,
    ("agentops_sdk/_recorder/host_provider.py", "agentops_sdk/_recorder/recorder.py"):
        "two recorders with one signature, the program's provider and our own; what they do in it differs",
    ("agentops_sdk/_usage/price_arithmetic.py", "agentops_sdk/traces/usage.py"):
        "the write side and the read side know the same counts by their names, and neither imports the other",
    ("agentops_sdk/decision.py",): _SIGNATURES,
    ("agentops_sdk/testing/recordings/http_boundary.py",): _A_FRAME,
    ("agentops_sdk/testing/recordings/replay_tools.py",): _A_FRAME,
    ("agentops_sdk/track.py",): _SIGNATURES,
}  # fmt: skip

_ASYNC = (
    (re.compile(r"\b(?:async|await) "), ""), (re.compile("aiter"), "iter"), (re.compile("anext"), "next"),
    (re.compile("Async"), ""), (re.compile("__a(?=enter|exit)"), "__"), (re.compile("aclose"), "close"),
    (re.compile("_async"), ""),
)  # fmt: skip
_EMPTY = {"", ")", "}", "]", "),", "pass", '"""'}


def _code(path: Path) -> list[str]:
    """The lines that do something, as those of their twins would be."""
    source = path.read_text()
    idle: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_list = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "__slots__")
        if is_text or is_list or isinstance(node, ast.Import | ast.ImportFrom):
            idle.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))  # type: ignore[attr-defined]  # statements have lines
    lines = []
    for number, line in enumerate(source.split("\n"), 1):
        text = re.sub(r"\s+#.*", "", line).strip()
        for pattern, replacement in _ASYNC:
            text = pattern.sub(replacement, text)
        if number not in idle and text not in _EMPTY and not text.startswith("#"):
            lines.append(text)
    return lines


def test_what_stands_twice_is_named_with_its_reason() -> None:
    places: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for folder in (ROOT / "src", ROOT / "integrations"):
        for path in sorted(folder.rglob("*.py")):
            lines = _code(path)
            for start in range(len(lines) - RUN + 1):
                places[tuple(lines[start : start + RUN])].append(str(path.relative_to(folder)))
    twins: dict[tuple[str, ...], tuple[str, ...]] = {}
    for run, files in places.items():
        for one, other in combinations(files, 2):
            twins[tuple(sorted({one, other}))] = run
    unnamed = {pair: run for pair, run in twins.items() if pair not in TWINS}
    assert not unnamed, "write it once, or name it in TWINS with the reason"
    assert set(TWINS) - set(twins) == set(), "no twins any more"


def test_no_test_turns_any_exception_into_a_skip() -> None:
    """A skip stands for something that is missing: which exception says so is named, and it is none of ours."""
    wrong = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = ast.unparse(node.type) if node.type is not None else "BaseException"
            skips = any(
                isinstance(call, ast.Call) and ast.unparse(call.func) in ("pytest.skip", "pytest.xfail")
                for call in ast.walk(node)
            )
            if skips and re.search(r"\b(?:BaseException|Exception|AssertionError)\b", caught):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []
