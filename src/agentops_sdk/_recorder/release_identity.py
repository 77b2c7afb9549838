"""Which release of the program runs, where, and as which variant: from settings, CI's variables and git.

Git is asked by reading two small files, never by starting it; what is no object id there is not believed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentops_sdk.config import Settings

__all__ = ["release_attributes", "revision"]

_REVISIONS: Final = (
    "GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT", "CIRCLE_SHA1", "BITBUCKET_COMMIT", "BUILD_SOURCEVERSION",
    "BUILDKITE_COMMIT", "DRONE_COMMIT_SHA", "CODEBUILD_RESOLVED_SOURCE_VERSION", "VERCEL_GIT_COMMIT_SHA",
    "RENDER_GIT_COMMIT", "RAILWAY_GIT_COMMIT_SHA", "HEROKU_SLUG_COMMIT", "SOURCE_VERSION",
)  # fmt: skip
"""Variables in which CI systems and hosts name the commit that runs."""
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHORT: Final = 12
_LARGEST: Final = 16 * 1_048_576


def release_attributes(settings: Settings) -> dict[str, Any]:
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
    if semconv.VCS_REVISION not in own and (found := revision(os.environ, Path.cwd)):
        attributes[semconv.VCS_REVISION] = found
    commit = own.get(semconv.VCS_REVISION) or attributes.get(semconv.VCS_REVISION)
    if isinstance(commit, str) and semconv.SERVICE_VERSION not in own:
        attributes.setdefault(semconv.SERVICE_VERSION, commit[:_SHORT])
    return attributes


def revision(environ: Mapping[str, str], here: Any) -> str | None:
    """The commit that runs: as a CI system or host names it, else that of the working directory's repository."""
    for variable in _REVISIONS:
        commit = environ.get(variable, "").strip().lower()
        if _OBJECT_ID.fullmatch(commit):
            return commit
    try:
        return _of_repository(here())
    except (OSError, ValueError):  # no directory any more; a file that cannot be read
        return None


def _of_repository(here: Path) -> str | None:
    for folder in (here, *here.parents):
        entry = folder / ".git"
        if entry.is_dir():
            return _head(entry, entry)
        if entry.is_file():  # a worktree or a submodule
            git = (folder / _text(entry).removeprefix("gitdir:").strip()).resolve()
            common = git / "commondir"
            return _head(git, (git / _text(common).strip()).resolve() if common.is_file() else git)
    return None


def _head(git: Path, common: Path) -> str | None:
    head = _text(git / "HEAD").strip()
    if not head.startswith("ref:"):
        return head if _OBJECT_ID.fullmatch(head) else None
    name = head.removeprefix("ref:").strip()
    for folder in (git, common):
        file = folder / name
        if file.resolve().is_relative_to(folder.resolve()) and file.is_file():
            commit = _text(file).strip()
            return commit if _OBJECT_ID.fullmatch(commit) else None
    packed = common / "packed-refs"
    for line in _text(packed).splitlines() if packed.is_file() else ():
        commit, _, ref = line.partition(" ")
        if ref == name and _OBJECT_ID.fullmatch(commit):
            return commit
    return None


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LARGEST).decode("utf-8", "replace")
