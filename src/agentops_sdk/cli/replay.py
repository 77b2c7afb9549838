"""``agentops replay``: a program again, with what models and tools answered in a recorded run."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentops_sdk.cli._source import add_dir, add_trace, base_directory, screen, the_trace
from agentops_sdk.errors import ConfigError
from agentops_sdk.private_files import open_private, private_directory
from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    from agentops_sdk.traces.trace import Trace

HELP = "Run a program with the answers of a recorded run; stop at the first difference, or branch from a step."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_trace(parser)
    parser.add_argument(
        "--branch", dest="from_step", type=int, metavar="N", help="really ask the models from step N on"
    )
    parser.add_argument("--model", dest="other_model", metavar="NAME", help="with --branch: another model")
    parser.add_argument("--system", metavar="TEXT", help="with --branch: other instructions; @FILE reads a file")
    parser.add_argument("--json", action="store_true", help="print both runs side by side as one JSON object")
    parser.add_argument(
        "--run", dest="program", nargs=argparse.REMAINDER, default=[], metavar="FILE.py [ARGUMENT ...]",
        help="the program, and all that follows is its own; without one, the steps of the run are listed",
    )  # fmt: skip
    add_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0 where the run went as before, or branched; 1 where it differs; the program's own if that failed."""
    trace = the_trace(args)
    if not args.program:
        _list(trace)
        return 0
    system = args.system
    if system is not None and system.startswith("@"):
        try:
            system = Path(system[1:]).read_text(encoding="utf-8")
        except (OSError, ValueError):
            raise ConfigError("--system", args.system, "@ and a file that can be read") from None
    return _replay(trace, args, system)


def _list(trace: Trace) -> None:
    from agentops_sdk.testing.run_replay import steps_of
    from agentops_sdk.traces.session import exchange

    console, _, _ = screen()
    asked, _ = exchange(trace)
    console.print(f"{trace.trace_id[:8]}  {line(trace.name)}", style="bold", markup=False, highlight=False)
    if asked:
        console.print(line(asked, 300), style="dim", markup=False, highlight=False)
    for number, span in enumerate(steps_of(trace), 1):
        outcome = "" if span.outcome == "ok" else f"  {span.outcome}"
        console.print(f"{number:>3}  {line(span.name)}{outcome}", markup=False, highlight=False)


def _replay(trace: Trace, args: argparse.Namespace, system: str | None) -> int:
    from agentops_sdk import encryption
    from agentops_sdk.testing.capture_session import capture
    from agentops_sdk.testing.refusals import ReplayError
    from agentops_sdk.testing.run_replay import replay_run

    code, cipher = 0, encryption.active
    with capture() as traces:
        with replay_run(trace, from_step=args.from_step, model=args.other_model, system=system) as running:
            try:
                code = _program(args.program)
            except ReplayError:
                pass  # it is told below
            except BaseExceptionGroup as group:  # a library whose tasks run in groups hands it on in one
                if group.split(ReplayError)[1] is not None:
                    raise
        again = max(traces.all, key=len, default=None)
        parted = running.parted(traces.all) if args.from_step is None else None
        uncompared = running.uncompared(traces.all) if args.from_step is None else []
    if again is not None:
        folder = base_directory(args) / "replays"
        private_directory(folder)
        file = folder / f"{trace.trace_id[:8]}-{time.time_ns()}.jsonl"
        lines = [f"{span.model_dump_json(exclude_unset=True)}\n" for each in traces.all for span in each.spans]
        encryption.seal_with(encryption.active or cipher)  # the program's own `init()` may have named no key
        with open(file, "wb", opener=open_private) as target:
            target.writelines(encryption.sealed_line(each.encode()) for each in lines)
        _side_by_side(trace, again, file, dict(running.replaced), as_json=args.json)
    if running.remark is not None:
        print(f"agentops: {running.remark}", file=sys.stderr)
    left = running.left() if running.difference is None and args.from_step is None else []
    if running.difference is not None:
        print(f"agentops: {running.difference}", file=sys.stderr)
    elif left:
        print(f"agentops: step {left[0]} was not asked for: the program ended before", file=sys.stderr)
    elif parted is not None:
        print(f"agentops: {parted}", file=sys.stderr)
    else:
        live = f", {running.live} model call(s) really made" if args.from_step is not None else ", no difference"
        tools = f"{running.answered_tools} tool call(s)" if running.answered_tools else ""
        models = f"{running.replayed} model call(s)" if running.replayed or not tools else ""
        both = " and ".join(filter(None, (models, tools)))
        print(f"agentops: {both} answered as recorded{live}", file=sys.stderr)
        if uncompared:
            listed = ", ".join(uncompared)
            print(f"agentops: not compared, as another version or program recorded the run: {listed}", file=sys.stderr)
    return 1 if running.difference is not None or left or parted is not None else code


def _program(words: list[str]) -> int:
    """Run a Python file as the main program of this process; its exit code."""
    import runpy
    import traceback

    if not Path(words[0]).is_file():
        raise ConfigError("FILE.py", words[0], "a Python file")
    before, path = sys.argv, list(sys.path)
    sys.argv = list(words)
    sys.path.insert(0, str(Path(words[0]).resolve().parent))
    try:
        runpy.run_path(words[0], run_name="__main__")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception:  # noqa: BLE001 - the program's own, told as Python does
        traceback.print_exc()
        return 1
    finally:
        sys.argv, sys.path[:] = before, path
    return 0


def _side_by_side(recorded: Trace, again: Trace, file: Path, replaced: dict[str, int], *, as_json: bool) -> None:
    import json

    from agentops_sdk.cli._table import Column, as_table
    from agentops_sdk.view.alignment import align

    both = align(recorded, again)
    if as_json:
        print(json.dumps({**both, "file": str(file), "replaced": replaced}))
        return
    console, width, ascii_only = screen()

    def cell(step: dict[str, Any] | None) -> str:
        if step is None:
            return ""
        chosen = f" -> {step['chosen']}" if step["chosen"] else ""
        return f"{'  ' * step['depth']}{step['name']}{chosen}{'' if step['outcome'] == 'ok' else ' ' + step['outcome']}"

    columns: list[Column[dict[str, Any]]] = [
        Column("", lambda row: (" " if row["same"] else "|", "bold yellow")),
        Column("recorded", lambda row: (cell(row["a"]), ""), shrink=2),
        Column("again", lambda row: (cell(row["b"]), "" if row["same"] else "yellow"), shrink=2),
    ]
    for text in as_table(columns, both["rows"], width, ascii_only):
        console.print(text)
    console.print(f"agentops show {file}", style="dim", markup=False, highlight=False)
