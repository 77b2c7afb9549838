"""What the package knows many of is a table: one row more, in a copy of the package, is seen everywhere.

Each edit is made in one place of one file. A program then runs against the copy, as a user's would.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
Run = Callable[[str], str]


class Copy:
    """A copy of the package, and programs that run against it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = folder / "src" / "agentops_sdk"
        for name in ("src", "integrations"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "work").mkdir()

    def insert(self, file: str, after: str, row: str) -> None:
        """One row, behind a line that the file has once."""
        path = self.package / file
        text = path.read_text(encoding="utf-8")
        assert text.count(after) == 1, f"{file} has {text.count(after)} times {after!r}"
        path.write_text(text.replace(after, after + row), encoding="utf-8")

    def run(self, program: str, *arguments: str) -> str:
        """What a program prints."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
        path = os.pathsep.join(str(self.folder / name) for name in ("src", "integrations"))
        head = f"import agentops_sdk\nassert agentops_sdk.__file__.startswith({str(self.folder)!r})\n"
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", head + textwrap.dedent(program), *arguments],
            cwd=self.folder / "work", env={**variables, "PYTHONPATH": path, "COLUMNS": "200", "PYTHONUTF8": "1"},
            capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def command(self, *arguments: str) -> str:
        """What ``agentops …`` prints."""
        return self.run("import sys\nfrom agentops_sdk.cli import main\nsys.exit(main(sys.argv[1:]))", *arguments)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_a_kind_of_decision(copy: Copy) -> None:
    copy.insert("traces/decisions/decision_kinds.py", "    for kind in (\n", """
        DecisionKind(
            "budget",
            lambda decision, again, named: f"allowed {phrases.series(decision.choices)}",
            lambda span, name, by, choices: name == "budget",
            lambda decision: "The budget",
            names_subject=True,
        ),
""")  # fmt: skip
    copy.run("""
        import agentops_sdk as agentops
        agentops.init(integrations=[])
        with agentops.span("run", kind="agent"):
            agentops.decide("budget", "the small model", options=["the small model", "the large model"])
            agentops.decide("route", "left", options=["left", "right"])
        agentops.shutdown()
        (trace,) = agentops.traces.load(".agentops/traces")
        assert [made.kind for made in trace.decisions] == ["budget", "stated"], trace.decisions
    """)
    assert "The budget allowed the small model." in copy.command("decisions", "latest")
    assert '"kind": "budget"' in copy.command("decisions", "latest", "--json")
    assert "The budget allowed the small model" in copy.command("show", "latest")
    assert "budget: the small model" in copy.command("stats", "--by", "decision")


def test_a_kind_of_span(copy: Copy) -> None:
    copy.insert("semconv.py", "SPAN_KINDS: Final = {\n", """
    "cache": SpanKindRow("read_cache", "read_cache", DATA_SOURCE_ID, True, ("▲", "^"), "blue"),
""")  # fmt: skip
    copy.run("""
        import agentops_sdk as agentops
        from agentops_sdk.traces.record import SpanRecord

        @agentops.track(kind="cache")
        def prices() -> int:
            return 1

        with agentops.testing.capture() as traces, agentops.span("run", kind="agent"):
            prices()
            with agentops.span("quotes", kind="cache"):
                pass
        traces.assert_tree('''
            agent run
              cache prices
              cache quotes
        ''')
        agentops.init(integrations=[])
        with agentops.span("run", kind="agent"):
            prices()
        agentops.shutdown()
        (trace,) = agentops.traces.load(".agentops/traces")
        read = next(span for span in trace.spans if "prices" in span.name)
        assert (read.name, read.kind, read.span_kind) == ("read_cache prices", "cache", "CLIENT")
        assert read.attributes["gen_ai.operation.name"] == "read_cache"
        assert read.attributes["gen_ai.data_source.id"] == "prices"
        assert SpanRecord.model_validate(read.model_dump()).kind == "cache"
        assert "cache" in SpanRecord.model_json_schema()["properties"]["kind"]["enum"]
        from agentops_sdk.traces.classify import kind_of
        assert kind_of({"gen_ai.operation.name": "read_cache"}) == "cache"
    """)
    assert "▲ read_cache prices" in copy.command("show", "latest")


def test_a_column_of_the_list(copy: Copy) -> None:
    copy.insert("cli/ls.py", "COLUMNS: Final[Sequence[Column[Listed]]] = (\n", """
    Column("depth", lambda row: (f"{len(row.trace):,} deep", ""), "depth", lambda row: len(row.trace)),
""")  # fmt: skip
    record(copy)
    head, row = copy.command("ls").splitlines()
    assert head.startswith("depth")
    assert row.startswith("2 deep")
    assert '"depth": 2' in copy.command("ls", "--json")


def test_a_column_of_the_tables(copy: Copy) -> None:
    copy.insert("cli/stats.py", "COLUMNS: Final[Sequence[Column[Line]]] = (\n", """
    Column("twice", lambda line: (f"{line.row.calls * 2} x", ""), "twice", lambda line: line.row.calls * 2),
""")  # fmt: skip
    record(copy)
    head, row = copy.command("stats", "--by", "tool").splitlines()[:2]
    assert "twice" in head
    assert "2 x" in row
    assert '"twice": 2' in copy.command("stats", "--by", "tool", "--json")
    names, values = copy.command("stats", "--by", "tool", "--csv").splitlines()
    assert dict(zip(names.split(","), values.split(","), strict=True))["twice"] == "2"


def record(copy: Copy) -> None:
    copy.run("""
        import agentops_sdk as agentops
        agentops.init(integrations=[])
        with agentops.span("run", kind="agent"), agentops.span("search", kind="tool"):
            pass
        agentops.shutdown()
    """)


def test_a_kind_of_secret(copy: Copy) -> None:
    copy.insert("_scrub/secret_rules.py", "TOKENS: Final = (\n", """
    _token("acme-key", "acme_", _A + "{24,}"),
""")  # fmt: skip
    copy.run("""
        import agentops_sdk as agentops
        key = "acme_" + "k7Qz" * 7

        @agentops.tool
        def look_up(question: str) -> str:
            return f"I used {key}"

        agentops.init(integrations=[])
        with agentops.context(user_id=key), agentops.span("run", note=f"with {key}."):
            look_up(f"what does {key} open?")
        agentops.shutdown()
        import pathlib
        (file,) = pathlib.Path(".agentops/traces").glob("*.jsonl")
        text = file.read_text()
        assert "k7Qz" not in text, text
        assert text.count("[redacted:acme-key]") >= 4, text

        agentops.init(exporters=["memory"], integrations=[], redact=False)
        with agentops.testing.capture() as traces, agentops.span("run", note=f"with {key}."):
            pass
        try:
            traces.assert_no_secrets()
        except AssertionError as found:
            assert "1 span holds one" in str(found), found
        else:
            raise SystemExit("assert_no_secrets() did not see it")
    """)


def test_a_sink(copy: Copy) -> None:
    (copy.package / "exporters" / "names.py").write_text('''"""The names sink: a line per span, with its name."""

from pathlib import Path


class NamesExporter:
    inline = True

    def __init__(self, path):
        self.path = path

    def export(self, spans):
        from opentelemetry.sdk.trace.export import SpanExportResult

        with Path(self.path).open("a") as file:
            file.writelines(span.name + "\\n" for span in spans)
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis=30_000):
        return True

    def shutdown(self):
        pass


def create(argument, settings):
    return NamesExporter(argument or "names.txt")
''')
    copy.run("""
        import agentops_sdk as agentops
        agentops.init(exporters=["names:spans.txt"], integrations=[])
        with agentops.span("one"):
            pass
        agentops.shutdown()
        assert open("spans.txt").read() == "one\\n"
        try:
            agentops.init(exporters=["nowhere"])
        except agentops.ConfigError as wrong:
            assert "names" in str(wrong), wrong
        from agentops_sdk._pipeline.registry import exporter_names
        assert "names" in exporter_names()
    """)


def test_an_attribute_that_holds_content(copy: Copy) -> None:
    copy.insert("semconv.py", "# --- What the values are " + 69 * "-" + "\n", """
DIARY: Final = _holds("agentops.diary", content=True, structure=True)
""")  # fmt: skip
    program = """
        import sys
        import agentops_sdk as agentops
        agentops.init(integrations=[], capture_content=sys.argv[1] == "yes")
        with agentops.span("run", other="kept") as span:
            span.set("agentops.diary", {"day": "rain"})
        agentops.shutdown()
        attributes = next(iter(agentops.traces.load(".agentops/traces"))).spans[0].attributes
        print(attributes.get("agentops.diary"), attributes["other"])
    """
    assert copy.run(program, "yes") == '{"day":"rain"} kept\n'
    shutil.rmtree(copy.folder / "work" / ".agentops")
    assert copy.run(program, "no") == "None kept\n"


def test_a_format_and_a_vocabulary_of_another_recorder(copy: Copy) -> None:
    formats = copy.package / "traces" / "formats"
    (formats / "readers" / "acme_json.py").write_text(
        textwrap.dedent("""
            from agentops_sdk.traces.formats.readers import Reader, each, span

            def read(line):
                return span(trace_id=line["run"], span_id=line["step"], name="ask", start=line["at"],
                            end=line["at"] + 1, attributes=line["facts"])

            READER = Reader("Acme", lambda line: "run" in line and "step" in line, lambda lines: each(lines, read))
        """)
    )
    (formats / "vocabularies" / "acme_names.py").write_text(
        textwrap.dedent("""
            from agentops_sdk import semconv
            from agentops_sdk.traces.formats.vocabularies import Row, Vocabulary, count, has

            VOCABULARY = Vocabulary("Acme", (
                Row(semconv.KIND, "acme.model", has("llm")), Row(semconv.REQUEST_MODEL, "acme.model"),
                Row(semconv.USAGE_INPUT_TOKENS, "acme.read", count),
                Row(semconv.USAGE_OUTPUT_TOKENS, "acme.wrote", count),
            ))
        """)
    )
    facts = '{"acme.model": "gpt-4o", "acme.read": 100, "acme.wrote": 20}'
    line = f'{{"run": "r1", "step": 1, "at": 1786000000, "facts": {facts}}}'
    (copy.folder / "work" / "acme.jsonl").write_text(f"{line}\n")
    shown = copy.command("stats", "--by", "model", "--dir", "acme.jsonl")
    assert "gpt-4o" in shown
    assert "100" in shown
