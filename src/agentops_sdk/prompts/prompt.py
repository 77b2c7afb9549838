"""``prompt()``: a template with a name and a version by what it holds; the model calls made with it name it."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agentops_sdk import _recorder_port, encryption, semconv
from agentops_sdk._host.guard import guard
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk._propagation.privacy import is_private
from agentops_sdk._scrub import rendered_prompts
from agentops_sdk._scrub.policy import Policy
from agentops_sdk._snapshot.json_text import json_text
from agentops_sdk._snapshot.snapshot import text_of
from agentops_sdk.errors import ConfigError, TraceError
from agentops_sdk.prompts.prompt_store import PromptStore, checked_name, version_of

__all__ = ["Prompt", "prompt"]

_DOUBLE: Final = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_SINGLE: Final = re.compile(r"(?<![{$])\{([A-Za-z_]\w*)\}(?!\})")
_kept: set[tuple[str, str, str]] = set()
_lock = threading.Lock()
_NO_SHARE: Final = 2**128 - 1
"""The id of a trace that is in no share of the traces."""


class Prompt:
    """A version of a prompt.

    Attributes:
        name: of the prompt.
        template: its text.
        version: by what the template holds: 12 hexadecimal digits.
        labels: that name this version.
        variables: the names in it, each once: ``{{name}}``; or ``{name}``, where no other form is used.
    """

    __slots__ = ("_attributes", "_pattern", "labels", "name", "template", "variables", "version")

    def __init__(self, name: str, template: str, labels: Sequence[str] = ()) -> None:
        self.name = name
        self.template = template
        self.version = version_of(template)
        self.labels = tuple(labels)
        self._pattern = _DOUBLE if _DOUBLE.search(template) else _SINGLE
        self.variables = tuple(dict.fromkeys(self._pattern.findall(template)))
        self._attributes: dict[str, Any] = {
            semconv.PROMPT_NAME: name,
            semconv.PROMPT_VERSION: self.version,
            semconv.PROMPT_VERSION_NAME: f"{name}@{self.version}",
            **({semconv.PROMPT_LABELS: list(self.labels)} if self.labels else {}),
        }
        if not self.variables:
            self._note(template, {})

    def format(self, **values: Any) -> str:
        """The text with a value for each variable. A model call in which it stands names this version.

        Raises:
            ConfigError: a variable has no value, or there is none of that name.
        """
        missing = [name for name in self.variables if name not in values]
        if missing:
            raise ConfigError(
                missing[0], None, f"a value for each variable of the prompt {self.name}: {', '.join(self.variables)}"
            )
        unknown = [name for name in values if name not in self.variables]
        if unknown:
            known = ", ".join(self.variables) or "none"
            raise ConfigError(unknown[0], values[unknown[0]], f"a variable of the prompt {self.name}: {known}")
        text = self._pattern.sub(lambda match: str(values[match[1]]), self.template)
        self._note(text, values)
        return text

    def __call__(self, **values: Any) -> str:
        """See :meth:`format`."""
        return self.format(**values)

    def diff(self, other: Prompt | str) -> str:
        """How another version, or text, differs from this one, line by line; empty where it does not."""
        import difflib

        text, name = (other, "other") if isinstance(other, str) else (other.template, f"{other.name}@{other.version}")
        lines = difflib.unified_diff(
            self.template.splitlines(), text.splitlines(), f"{self.name}@{self.version}", name, lineterm=""
        )
        return "\n".join(lines)

    def _note(self, text: str, values: Mapping[str, Any]) -> None:
        with guard("prompt.note"):
            told = dict(self._attributes)
            if values:
                told[semconv.PROMPT_VARIABLES] = json_text({name: text_of(value) for name, value in values.items()})
            rendered_prompts.note(text, told)

    def __str__(self) -> str:
        return self.template if self.variables else self.format()

    def __repr__(self) -> str:
        return f"<prompt {self.name}@{self.version}{' ' + ', '.join(self.labels) if self.labels else ''}>"


def prompt(
    name: str, template: str | None = None, *, version: str | None = None, folder: str | Path | None = None,
    labels: Sequence[str] = (),
) -> Prompt:  # fmt: skip
    """A prompt, from a template or from a folder of files.

    A template is kept, once for each version and on a thread of its own, in ``prompts`` below the setting
    ``directory``, so that versions can be told apart, labelled and rolled back by ``agentops prompts``; not where
    nothing is recorded, or no content (of a span that meets no condition of ``content_rules``), or inside of
    ``private()``.

    Args:
        name: of the prompt.
        template: its text, with variables ``{name}`` or ``{{name}}``; read from the folder when not given.
        version: a label, ``latest``, or the beginning of a version. With a template, that is what is used where the
            folder has no such label.
        folder: of files ``NAME.md`` or ``NAME/*.md``; ``prompts`` below the setting ``directory`` when not given, and
            ``./prompts`` where the prompt is not in there.
        labels: that name this version, beside those of the folder.

    Raises:
        ConfigError: the name or the template is none.
        TraceError: there is no such prompt or version.
    """
    checked_name(name)
    if template is not None and not isinstance(template, str):
        raise ConfigError("template", template, "a string")
    if isinstance(labels, str):
        raise ConfigError("labels", labels, f"a list of words: [{labels!r}]")
    stores = (
        [PromptStore(Path(folder).expanduser())]
        if folder is not None
        else [PromptStore(_home()), PromptStore(Path("prompts"))]
    )
    if template is not None:
        _keep(stores[0], name, template, is_ours=folder is None)
        if version is None:
            return Prompt(name, template, labels)
    for store in stores:
        found = _found(store, name, version, template)
        if found is not None:
            chosen = version_of(found)
            known = [label for label, history in store.labels(name).items() if history[-1] == chosen]
            return Prompt(name, found, tuple(dict.fromkeys((*known, *labels))))
    if template is not None:
        return Prompt(name, template, labels)
    places = " or ".join(str(store.folder) for store in stores)
    raise TraceError(f"no prompt {name}{f' of version {version}' if version else ''} in {places}")


def _found(store: PromptStore, name: str, version: str | None, template: str | None) -> str | None:
    versions = store.versions(name)
    if template is not None:
        versions.setdefault(version_of(template), template)
    labels = store.labels(name)
    if version is None:
        version = "production" if "production" in labels else "latest"
    if version in labels:
        return versions.get(labels[version][-1])
    if version == "latest":
        return template if template is not None else list(versions.values())[-1] if versions else None
    matching = [text for key, text in versions.items() if key.startswith(version)]
    return matching[0] if len(matching) == 1 else None


def _home() -> Path:
    return Path(_recorder_port.active.settings.directory) / "prompts"


def _keep(store: PromptStore, name: str, template: str, *, is_ours: bool) -> None:
    """Keep the version, on a thread of its own: the caller waits for no disk.

    In a folder of ours it is encrypted where that is asked for; in one that was named it stays plain.
    """
    recorder = _recorder_port.active
    if not recorder.enabled or not recorder.settings.capture_content or is_private():
        return
    if is_ours and recorder.settings.encryption_key is not None and encryption.active is None:
        return  # the key cannot be had
    policy = Policy(recorder.settings)
    if not policy.captures({}, _NO_SHARE):
        return
    key = str(store.folder), name, version_of(template)
    with _lock:
        if key in _kept:
            return
        _kept.add(key)

    def work() -> None:
        with guard("prompt.keep"):
            if policy.text(template) == template:  # with a secret in it, or beyond all size, it is not written
                store.keep(name, template, seals=is_ours)

    OwnThread("prompts", work, daemon=False).start()
