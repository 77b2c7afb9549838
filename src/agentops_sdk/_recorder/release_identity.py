"""Which release of the program runs, where, and as which variant: from settings, CI's variables and git.

Git is asked by reading two small files, never by starting it; what is no object id there is not believed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk._lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentops_sdk.config import Settings

__all__ = ["head", "release_attributes", "revision"]

_REVISIONS: Final = (
    "GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT", "CIRCLE_SHA1", "BITBUCKET_COMMIT", "BUILD_SOURCEVERSION",
    "BUILDKITE_COMMIT", "DRONE_COMMIT_SHA", "CODEBUILD_RESOLVED_SOURCE_VERSION", "VERCEL_GIT_COMMIT_SHA",
    "RENDER_GIT_COMMIT", "RAILWAY_GIT_COMMIT_SHA", "HEROKU_SLUG_COMMIT", "SOURCE_VERSION",
)  # fmt: skip
"""Variables in which CI systems and hosts name the commit that runs."""
_BRANCHES: Final = (
    "GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_BRANCH", "CI_COMMIT_REF_NAME", "CIRCLE_BRANCH", "BITBUCKET_BRANCH",
    "BUILDKITE_BRANCH", "DRONE_BRANCH", "BUILD_SOURCEBRANCHNAME", "GIT_BRANCH", "VERCEL_GIT_COMMIT_REF",
    "RENDER_GIT_BRANCH", "RAILWAY_GIT_BRANCH",
)  # fmt: skip
_TAGS: Final = ("CI_COMMIT_TAG", "CIRCLE_TAG", "BITBUCKET_TAG", "BUILDKITE_TAG", "DRONE_TAG")
_RUNNERS: Final = frozenset(
    ("agentops_sdk", "celery", "chainlit", "coverage", "debugpy", "flask", "gunicorn", "hypercorn",
     "ipykernel_launcher", "opentelemetry", "pytest", "streamlit", "uvicorn")
)  # fmt: skip
"""What is run by ``python -m`` and is not the program."""
_OBJECT_ID: Final = lazy_pattern(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHORT: Final = 12
_LARGEST: Final = 16 * 1_048_576


def release_attributes(settings: Settings, environ: Mapping[str, str], here: Path | None) -> dict[str, Any]:
    """``service.version``, ``deployment.environment.name``, ``vcs.ref.head.revision`` and ``agentops.variant``.

    A resource attribute of the user's own wins over what is found in the surroundings, and a keyword over both. Where
    nobody names a release it is the short form of the revision; what nobody knows is left out.
    """
    own = settings.resource_attributes
    named = {
        semconv.SERVICE_VERSION: ("release", settings.release),
        semconv.DEPLOYMENT_ENVIRONMENT: ("environment", settings.environment),
        semconv.VARIANT: ("variant", settings.variant),
    }
    attributes: dict[str, Any] = {}
    for attribute, (setting, value) in named.items():
        if value and (attribute not in own or settings.origins.get(setting) == "keyword"):
            attributes[attribute] = value
    if semconv.VCS_REVISION not in own and settings.detects("vcs"):
        attributes.update(head(environ, here))
    commit = own.get(semconv.VCS_REVISION) or attributes.get(semconv.VCS_REVISION)
    if semconv.SERVICE_VERSION not in own:
        if isinstance(commit, str):
            attributes.setdefault(semconv.SERVICE_VERSION, commit[:_SHORT])
        elif semconv.SERVICE_VERSION not in attributes and settings.detects("service"):
            attributes.update(_of_package(here))
    return attributes


def head(environ: Mapping[str, str], here: Path | None) -> dict[str, Any]:
    """The commit that runs and its branch or tag: as a CI system or host names them, else the repository around."""
    for variable in _REVISIONS:
        commit = environ.get(variable, "").strip().lower()
        if _OBJECT_ID.fullmatch(commit):
            return {semconv.VCS_REVISION: commit, **_reference_in(environ), **_repository_in(environ)}
    try:
        own, reference = _of_repository(here) if here is not None else (None, "")
    except (OSError, ValueError):  # no directory any more; a file that cannot be read
        return {}
    branch = reference.removeprefix("refs/heads/")
    named = {"vcs.ref.head.name": branch, "vcs.ref.head.type": "branch"} if branch != reference else {}
    return {semconv.VCS_REVISION: own, **named} if own else {}


def revision(environ: Mapping[str, str], here: Any) -> str | None:
    """The commit that runs."""
    found: str | None = head(environ, here()).get(semconv.VCS_REVISION)
    return found


def _reference_in(environ: Mapping[str, str]) -> dict[str, str]:
    for variables, kind in ((_TAGS, "tag"), (_BRANCHES, "branch")):
        for variable in variables:
            name = environ.get(variable, "").strip()
            if name and not (variable == "GITHUB_REF_NAME" and environ.get("GITHUB_REF_TYPE") == "tag"):
                return {"vcs.ref.head.name": name, "vcs.ref.head.type": kind}
    if environ.get("GITHUB_REF_TYPE") == "tag" and (name := environ.get("GITHUB_REF_NAME", "").strip()):
        return {"vcs.ref.head.name": name, "vcs.ref.head.type": "tag"}
    return {}


def _repository_in(environ: Mapping[str, str]) -> dict[str, str]:
    """Where the repository is, as CI says. What stands in git's own configuration may name people, and is not read."""
    server, path = environ.get("GITHUB_SERVER_URL", "").strip(), environ.get("GITHUB_REPOSITORY", "").strip()
    url = f"{server}/{path}" if server and path else environ.get("CI_PROJECT_URL", "").strip()
    if not url.startswith("https://") or "@" in url:
        return {}
    return {"vcs.repository.url.full": url, "vcs.repository.name": url.rstrip("/").rpartition("/")[2]}


def _of_package(here: Path | None) -> dict[str, str]:
    """The version of the project in the working directory, else of the package that runs (``python -m package``)."""
    version = _of_project(here / "pyproject.toml") if here is not None else ""
    specification = getattr(sys.modules.get("__main__"), "__spec__", None)
    package = str(getattr(specification, "name", "") or "").partition(".")[0]
    if not version and package and package not in _RUNNERS:
        import importlib.metadata

        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pass
    return {semconv.SERVICE_VERSION: version} if version else {}


def _of_project(path: Path) -> str:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return ""
        import tomllib

        document: Any = tomllib.loads(_text(path))
    except (OSError, ValueError, RecursionError):
        return ""
    tools = document.get("tool")
    for table in (document.get("project"), tools.get("poetry") if isinstance(tools, dict) else None):
        version = table.get("version") if isinstance(table, dict) else None
        if isinstance(version, str) and version:
            return version
    return ""


def _of_repository(here: Path) -> tuple[str | None, str]:
    """The commit and, unless the head is detached, the reference that names it."""
    for folder in (here, *here.parents):
        entry = folder / ".git"
        if entry.is_dir():
            return _head(entry, entry)
        if entry.is_file():  # a worktree or a submodule
            git = (folder / _text(entry).removeprefix("gitdir:").strip()).resolve()
            common = git / "commondir"
            return _head(git, (git / _text(common).strip()).resolve() if common.is_file() else git)
    return None, ""


def _head(git: Path, common: Path) -> tuple[str | None, str]:
    head = _text(git / "HEAD").strip()
    if not head.startswith("ref:"):
        return (head if _OBJECT_ID.fullmatch(head) else None), ""
    name = head.removeprefix("ref:").strip()
    for folder in (git, common):
        file = folder / name
        if file.resolve().is_relative_to(folder.resolve()) and file.is_file():
            commit = _text(file).strip()
            return (commit if _OBJECT_ID.fullmatch(commit) else None), name
    packed = common / "packed-refs"
    for line in _text(packed).splitlines() if packed.is_file() else ():
        commit, _, ref = line.partition(" ")
        if ref == name and _OBJECT_ID.fullmatch(commit):
            return commit, name
    return None, name


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LARGEST).decode("utf-8", "replace")
