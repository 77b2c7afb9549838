"""Release, environment and variant stand on every span: from settings, from variables, from git's files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk._recorder.release_identity import revision
from agentops_sdk.cli import main

SHA = "0123456789abcdef0123456789abcdef01234567"
VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT", "SENTRY_RELEASE", "DD_VERSION", "APP_ENV", "DD_ENV")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def resource_of_a_span(**settings: Any) -> dict[str, Any]:
    agentops.init(exporters=["jsonl"], integrations=[], **settings)
    with agentops.span("run", kind="llm"):
        pass
    agentops.shutdown()
    (trace,) = agentops.traces.load("./.agentops/traces")
    return trace.root.resource


def test_settings_name_them_and_tables_group_by_them(capsys: pytest.CaptureFixture[str]) -> None:
    resource = resource_of_a_span(release="1.4.0", environment="staging", variant="canary")
    names = "service.version", "deployment.environment.name", "agentops.variant"
    assert [resource[name] for name in names] == ["1.4.0", "staging", "canary"]
    for by, key in (("release", "1.4.0"), ("environment", "staging"), ("variant", "canary")):
        assert main(["stats", "--by", by, "--json"]) == 0
        table = json.loads(capsys.readouterr().out)
        assert [row["key"] for row in table["rows"]] == [key]
        assert main(["ls", "--where", f"{by}={key}", "--json"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 1


def test_the_commit_of_a_ci_system_is_the_release_where_nobody_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SHA", SHA)
    monkeypatch.setenv("APP_ENV", "ci")
    resource = resource_of_a_span(resource_attributes={"deployment.environment.name": "mine"})
    assert (resource["vcs.ref.head.revision"], resource["service.version"]) == (SHA, SHA[:12])
    assert resource["deployment.environment.name"] == "mine", "the program's own word wins over a variable"


def test_git_is_read_in_every_form_it_has(elsewhere: Path) -> None:
    def git(*words: str, at: Path = elsewhere) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=trunk")
        return subprocess.check_output(["git", *identity, *words], cwd=at, text=True, stderr=subprocess.DEVNULL).strip()

    repository = elsewhere / "repository"
    repository.mkdir()
    git("init", at=repository)
    git("commit", "--allow-empty", "-m", "one", at=repository)
    commit, inner = git("rev-parse", "HEAD", at=repository), repository / "deep" / "er"
    inner.mkdir(parents=True)
    assert revision({}, lambda: inner) == commit
    git("pack-refs", "--all", at=repository)
    assert revision({}, lambda: repository) == commit
    git("worktree", "add", str(elsewhere / "tree"), at=repository)
    assert revision({}, lambda: elsewhere / "tree") == commit
    git("checkout", "--detach", at=repository)
    assert revision({}, lambda: repository) == commit


@pytest.mark.parametrize("head", ["ref: ../../secret", "ref: refs/heads/none", "rm -rf", ""])
def test_what_is_no_object_id_is_not_believed(head: str, elsewhere: Path) -> None:
    (elsewhere / ".git").mkdir()
    (elsewhere / "secret").write_text(SHA)
    (elsewhere / ".git" / "HEAD").write_text(head)
    assert revision({"GITHUB_SHA": "not a commit"}, lambda: elsewhere) is None


def test_where_the_programs_own_provider_does_not_say_so_each_span_does() -> None:
    program = """
import agentops_sdk as agentops
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider(resource=Resource({"service.name": "theirs", "service.version": "1"})))
agentops.init(exporters=["jsonl"], integrations=[], release="1", environment="staging", variant="canary")
with agentops.span("run"):
    pass
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    root = agentops.traces.load("./.agentops/traces").latest.root
    assert (root.resource["service.version"], "service.version" in root.attributes) == ("1", False)
    assert root.attributes["deployment.environment.name"] == "staging"
    assert root.attributes["agentops.variant"] == "canary"
