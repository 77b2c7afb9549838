"""Rewrite every page and picture that is made from the code; with --check, only say what is out of date.

A page holds ``<!-- begin generated: NAME -->`` and ``<!-- end generated: NAME -->``; what is between is made here. Some
files are made as a whole. Times and ids differ from run to run, so the picture of the demo's tree is compared without.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import termios
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import framework_matrix
import monitoring

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TREE = ROOT / "docs" / "images" / "tree.svg"
DOCS = "DOCS:"
"""Before the path of a link in a generated section: where `docs/` is, seen from the page that the section is on."""
SHARED_PAGES = {"openai-dialect": ("cerebras", "groq", "perplexity", "together"), "pgvector": ("asyncpg", "psycopg")}
"""Pages about several integrations; any other has a page of its own name."""


def settings() -> str:
    """The table of settings."""
    from agentops_sdk import config

    lines = ["| Setting | Default | Environment | Live | What it does |", "|---|---|---|---|---|"]
    for row in config.rows():
        default = row.default if row.default is not dataclasses.MISSING else ()
        names = " ".join(f"`{name}`" for name in row.metadata["env"])
        live = "yes" if row.metadata["live"] else ""
        lines.append(f"| `{row.name}` | {_value(default)} | {names} | {live} | {row.metadata['sentence']} |")
    return "\n".join(lines)


def _value(default: Any) -> str:
    if default in (None, "", ()):
        return ""
    return f"`{', '.join(default) if isinstance(default, tuple) else default}`".replace("|", "\\|")


def otel_variables() -> str:
    """The table of OpenTelemetry's environment variables: those that are honoured, then those that are not."""
    from agentops_sdk.otel_variables import ROWS

    lines = ["| Variable | What it does |", "|---|---|"]
    for row in sorted(ROWS, key=lambda row: not row.read):
        names = ", ".join(f"`{name}`" for name in row.names)
        about = row.about if row.read else f"**not read**: {row.about}"
        lines.append(f"| {names} | {about} |")
    return "\n".join(lines)


def integrations() -> str:
    """The table of integrations, as the registry finds them, each with a link to its page."""
    from agentops_sdk._pipeline import registry

    lines = ["| Integration | Package | Imported as | Versions |", "|---|---|---|---|"]
    for name, found in sorted(registry.find_integrations().items()):
        page = next((page for page, names in SHARED_PAGES.items() if name in names), name.replace("_", "-"))
        package = getattr(found, "distribution", None) or found.target.partition(".")[0]
        versions = f"`{found.requires}`" if found.requires else "any"
        lines.append(f"| [`{name}`]({DOCS}integrations/{page}.md) | `{package}` | `{found.target}` | {versions} |")
    return "\n".join(lines)


def exporters() -> str:
    """The table of sinks, as the registry finds them."""
    from agentops_sdk._pipeline import registry

    lines = ["| Sink | What it does |", "|---|---|"]
    for name in registry.exporter_names():
        module = importlib.import_module(f"agentops_sdk.exporters.{name}")
        lines.append(f"| `{name}` | {_first_sentence(module.__doc__)} |")
    return "\n".join(lines)


def _first_sentence(docstring: str | None) -> str:
    first = " ".join((docstring or "").strip().split("\n\n")[0].split())
    return first.replace("``", "`").replace("|", "\\|")


def formats() -> str:
    """The table of formats of other tools that can be read."""
    from agentops_sdk.traces.formats.readers import readers

    lines = ["| Format | Written by |", "|---|---|"]
    lines += [f"| {reader.name} | {reader.written_by} |" for reader in readers()]
    return "\n".join(lines)


def vocabularies() -> str:
    """The table of vocabularies in which spans of other tools are understood."""
    from agentops_sdk.traces.formats.vocabularies import vocabularies

    lines = ["| Vocabulary | Written by | Names known |", "|---|---|---|"]
    for vocabulary in vocabularies():
        names = len({row.source for row in vocabulary.rows})
        lines.append(f"| {vocabulary.name} | {vocabulary.written_by} | {names} |")
    return "\n".join(lines)


def metrics() -> str:
    """The table of metrics, in both states of the conventions."""
    from agentops_sdk.semconv_metrics import ROWS

    lines = ["| Kind | In `pin` | In `main` | Unit | By | What |", "|---|---|---|---|---|---|"]
    for row in ROWS:
        names = [f"`{name}`" if name else "" for name in (row.pin, row.main)]
        if row.pin == row.main:
            names[1] = "the same"
        kind = "counter" if row.buckets is None else "histogram"
        by = ", ".join(f"`{name}`" for name in row.attributes)
        lines.append(f"| {kind} | {names[0]} | {names[1]} | `{row.unit}` | {by} | {row.description} |")
    return "\n".join(lines)


def conformance() -> str:
    """What the spans of the tests have of the conventions, by integration and type of span."""
    from agentops_sdk.traces.conformance.conventions import span_types

    levels = {(state, one.short): one.levels for state in ("pin", "main") for one in span_types(state)}
    reasons = tomllib.loads((ROOT / "docs" / "conformance_reasons.toml").read_text(encoding="utf-8"))["reason"]
    collected = json.loads((ROOT / "docs" / "conformance.json").read_text(encoding="utf-8"))
    lines = ["| Spans of | Span | `pin` | `main` | Violations | Not seen, and why |", "|---|---|---|---|---|---|"]
    for integration, kinds in collected.items():
        if not kinds:
            lines.append(f"| {integration} | none that the conventions have | | | 0 | |")
        for name, states in kinds.items():
            counts = [
                f"{len(found['present'])} of {len(levels[state, name])}" if (found := states.get(state)) else ""
                for state in ("pin", "main")
            ]
            absent = sorted(
                {one for state in states for one in levels[state, name].keys() - {*states[state]["present"]}}
            )
            violations = sum(found["violations"] for found in states.values())
            by_reason: dict[int, list[str]] = {}
            for one in absent:
                short = one.removeprefix("gen_ai.")
                by_reason.setdefault(_why(reasons, integration, name, short), []).append(short)
            told = "; ".join(f"({number}) {', '.join(names)}" for number, names in sorted(by_reason.items()))
            lines.append(f"| {integration} | `{name}` | {counts[0]} | {counts[1]} | {violations} | {told} |")
    return "\n".join([*lines, "", *(f"{number}. {one['why']}" for number, one in enumerate(reasons, 1))])


def _why(reasons: list[dict[str, Any]], integration: str, span: str, name: str) -> int:
    """The number of the first reason that fits."""
    for number, one in enumerate(reasons, 1):
        asked = ((name, one["names"]), (integration, one.get("of", "*")), (span, one.get("spans", "*")))
        if all(any(fnmatch(value, pattern) for pattern in patterns) for value, patterns in asked):
            return number
    raise SystemExit(f"docs/conformance_reasons.toml does not say why {span} of {integration} has no {name}")


def filters() -> str:
    """The table of filters."""
    from agentops_sdk.traces.search.filters import table

    lines = ["| Option | Keyword | Only runs |", "|---|---|---|"]
    for name, row in table().items():
        option = " ".join(filter(None, (f"--{name.replace('_', '-')}", row.metavar)))
        lines.append(f"| `{option}` | `{name}` | {row.help} |")
    return "\n".join(lines)


def cli() -> str:
    """The help of every subcommand."""
    from agentops_sdk import cli

    names = sorted(path.stem for path in Path(cli.__path__[0]).glob("*.py") if not path.stem.startswith("_"))
    return "\n\n".join(f"## agentops {name}\n\n```text\n{_help(cli.main, [name, '--help'])}\n```" for name in names)


def _help(main: Callable[[list[str]], int], arguments: list[str]) -> str:
    printed = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "80"
    try:
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            main(arguments)
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return printed.getvalue().strip()


def schema() -> str:
    """The JSON Schema of one line of a trace file."""
    from agentops_sdk.traces.record import SpanRecord

    return json.dumps(SpanRecord.model_json_schema(), indent=2) + "\n"


@dataclasses.dataclass(frozen=True)
class Demo:
    """What the demo recorded, as text and as a picture."""

    text: str
    picture: str


def demo() -> Demo:
    """Run the demo in an empty directory, against the bundled model server, and have its trace shown."""
    hidden = ("AGENTOPS_", "OTEL_", "OPENAI_")
    env = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    env |= {"COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    with tempfile.TemporaryDirectory() as directory:

        def run(*command: str) -> str:
            done = subprocess.run(
                [sys.executable, *command], cwd=directory, env=env, capture_output=True, encoding="utf-8", check=False
            )
            if done.returncode:
                sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
            return done.stdout

        run(str(ROOT / "examples" / "demo.py"))
        text = _in_a_terminal([sys.executable, "-m", "agentops_sdk", "show", "latest"], directory, env)
        run("-m", "agentops_sdk", "show", "latest", "--svg", "tree.svg")
        return Demo(text.rstrip(), (Path(directory) / "tree.svg").read_text(encoding="utf-8"))


def _in_a_terminal(command: list[str], directory: str, env: dict[str, str]) -> str:
    """What a command prints for a person, without colours: through a pipe it would print for programs."""
    near, far = os.openpty()
    termios.tcsetwinsize(far, (40, 80))
    with subprocess.Popen(command, cwd=directory, env={**env, "NO_COLOR": "1", "TERM": "dumb"}, stdout=far) as running:
        os.close(far)
        printed = b""
        with contextlib.suppress(OSError):  # on Linux, the end of what a terminal says
            while part := os.read(near, 65_536):
                printed += part
    os.close(near)
    if running.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{printed.decode()}")
    return printed.decode().replace("\r\n", "\n")


def without_chance(text: str) -> str:
    """A text less what differs from run to run: times, dates, ids, alignment, a picture's own marks."""
    text = re.sub(r"<[^>]*>", " ", text)
    text = re.sub(r"&#160;|\xa0", " ", text)
    text = re.sub(r"terminal-[\w-]+", "", text)
    text = re.sub(r"\d{4}-\d\d-\d\d", "DATE", text)
    text = re.sub(r"\d\d:\d\d:\d\d(\.\d+)?", "TIME", text)
    text = re.sub(r"\b[0-9a-f]{8,32}\b", "ID", text)
    text = re.sub(r"\d+(\.\d+)?\s?(ms|µs|s|min)\b", "DURATION", text)
    return re.sub(r"\s+", " ", text).strip()


ROOMS = {
    "_http": "1 intercept", "_track": "1 intercept", "_capture": "2 call", "_snapshot": "2 call", "_scrub": "2 call",
    "_recorder": "3 span", "_pipeline.queue": "4 queue", "exporters": "5 sink",
}  # fmt: skip
"""Which room of the story a module is, as docs/architecture.md tells it; the floors are in pyproject.toml."""
SIDES = {"traces": "read", "cli": "read", "pytest_plugin": "read", "testing": "read"}
FILL = {"room": "#d6e6fb", "read": "#dcf0dc", "other": "#f1f1ee"}


def floors() -> str:
    """The floors that imports go down, as a picture: a row for each, a box for each module on it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "floors")
    rows = [["agentops_integrations"], *(re.findall(r"[\w.]+", layer) for layer in layers)]
    missing = {*ROOMS, *SIDES} - {name for row in rows for name in row}
    if missing:
        sys.exit(f"no floor has {', '.join(sorted(missing))}: scripts/generate.py names them")
    boxes = []
    for number, row in enumerate(rows):
        left, top = 24, 60 + 46 * number
        for name in row:
            room = ROOMS.get(name)
            label = f"{name} · room {room}" if room else name
            width = round(7.3 * len(label)) + 18
            fill = FILL["room" if room else SIDES.get(name, "other")]
            boxes.append(
                f'<rect x="{left}" y="{top}" width="{width}" height="30" rx="4" fill="{fill}" stroke="#8a8a85"/>'
                f'<text x="{left + 9}" y="{top + 20}">{label}</text>'
            )
            left += width + 10
    height = 60 + 46 * len(rows) + 10
    arrow = (
        f'<path d="M12 60 V{height - 24} m-4 -8 l4 8 l4 -8" fill="none" stroke="#555"/>'
        '<text x="24" y="24">Imports go down only. Blue: the rooms that a call passes. Green: the read side.</text>'
        '<text x="24" y="44">What stands on one floor is blind to its neighbours.</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 {height}" role="img" aria-label="The floors"'
        ' font-family="ui-monospace, monospace" font-size="12" fill="#222">'
        f'<rect width="960" height="{height}" fill="#ffffff"/>{arrow}{"".join(boxes)}</svg>\n'
    )


def instrumentors() -> str:
    """``pyproject.toml`` with one entry point for each integration, as the registry finds them."""
    from agentops_sdk._pipeline import registry

    rows = "".join(f'{name} = "agentops_sdk.instrumentors:{name}"\n' for name in sorted(registry.find_integrations()))
    head, section, rest = (
        (ROOT / "pyproject.toml")
        .read_text(encoding="utf-8")
        .partition("[project.entry-points.opentelemetry_instrumentor]\n")
    )
    return head + section + rows + rest[rest.index("\n[") :]


def libraries() -> str:
    """The library of each integration, as the registry finds them, for those who would not load them all."""
    from agentops_sdk._pipeline import registry

    lines = [
        '"""The library of each integration: import name, versions, distribution. Made by ``make generated``.',
        "",
        "``init()`` waits for libraries by this list, and loads an integration with its library. What is not here is",
        "loaded at once.",
        '"""',
        "",
        "LIBRARIES = {",
    ]
    for name, found in sorted(registry.find_integrations().items()):
        distribution = getattr(found, "distribution", found.target)
        lines.append(f'    "{name}": ("{found.target}", "{found.requires}", "{distribution}"),')
    return "\n".join([*lines, "}", ""])


SECTIONS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "otel variables": otel_variables,
    "integrations": integrations,
    "exporters": exporters,
    "cli": cli,
    "filters": filters,
    "conformance": conformance,
    "formats": formats,
    "frameworks": framework_matrix.table,
    "metrics": metrics,
    "vocabularies": vocabularies,
}
FILES: dict[Path, Callable[[], str]] = {
    ROOT / "docs" / "span-record.schema.json": schema,
    ROOT / "docs" / "images" / "floors.svg": floors,
    ROOT / "pyproject.toml": instrumentors,
    ROOT / "integrations" / "agentops_integrations" / "_libraries.py": libraries,
}


def main() -> int:
    """Rewrite or check; the exit code is 1 when a check finds something out of date."""
    check = "--check" in sys.argv[1:]
    wanted: dict[Path, str] = {path: make() for path, make in FILES.items()}
    shown = demo()
    made = {name: make() for name, make in SECTIONS.items()}
    made["tree"] = f"```text\n$ agentops show latest\n{shown.text}\n```"
    for page in PAGES:
        wanted[page] = _filled(
            wanted.get(page) or page.read_text(encoding="utf-8"), made, "docs/" if page.parent == ROOT else ""
        )
    wanted[TREE] = shown.picture
    wanted |= monitoring.files()
    stale = [path for path, text in wanted.items() if _differs(path, text)]
    for path in stale:
        print(("out of date, run 'make generated': " if check else "rewritten: ") + str(path.relative_to(ROOT)))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
    return 1 if check and stale else 0


def _filled(page: str, made: dict[str, str], prefix: str) -> str:
    for name, text in made.items():
        begin, end = f"<!-- begin generated: {name} -->", f"<!-- end generated: {name} -->"
        text = text.replace(DOCS, prefix)
        pattern = re.compile(f"{begin}.*?{end}", re.DOTALL)
        page = pattern.sub(lambda _, new=f"{begin}\n{text}\n{end}": new, page)  # type: ignore[misc]  # mypy infers no lambda with a default
    return page


def _differs(path: Path, text: str) -> bool:
    if not path.exists():
        return True
    present = path.read_text(encoding="utf-8")
    if path == TREE:
        return without_chance(present) != without_chance(text)
    if path == ROOT / "README.md":  # its tree holds times; everything else must be equal to the letter
        return _split(present)[0] != _split(text)[0] or _split(present)[1] != _split(text)[1]
    return present != text


def _split(page: str) -> tuple[str, str]:
    """A page without its tree, and its tree without chance."""
    match = re.search(r"<!-- begin generated: tree -->.*?<!-- end generated: tree -->", page, re.DOTALL)
    if match is None:
        return page, ""
    return page.replace(match[0], ""), without_chance(match[0])


if __name__ == "__main__":
    sys.exit(main())
