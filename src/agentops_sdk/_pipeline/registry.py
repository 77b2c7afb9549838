"""Finds exporters and integrations: ours by looking into their folders, other people's by entry points.

Long because how an integration is found, waited for, and told of belongs together.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from agentops_sdk._host.guard import guard
from agentops_sdk._host.patches import Patches
from agentops_sdk._pipeline.entry_point_groups import EXPORTERS_GROUP, INTEGRATIONS_GROUP, entries
from agentops_sdk._pipeline.known_libraries import version_of
from agentops_sdk._vocabularies import vocabularies
from agentops_sdk.addresses import sink_parts
from agentops_sdk.config import Settings, log_once, warn_once
from agentops_sdk.errors import ConfigError, IntegrationError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from agentops_sdk.integration import Integration

_EXPORTERS_PACKAGE = "agentops_sdk.exporters"
_INTEGRATIONS_PACKAGE = "agentops_integrations"
_ABSENT = ("not installed", "version too old")
FROZEN_WITHOUT = (
    "are not in this program. Whatever put it together has to take agentops_sdk and agentops_integrations along whole, "
    "as the hook for PyInstaller does that is installed with them."
)


def exporter_names() -> list[str]:
    """Names that an exporter string may begin with."""
    folder = importlib.import_module(_EXPORTERS_PACKAGE)
    ours = [name for name in _modules(tuple(folder.__path__)) if not name.startswith("_") and name != "contract"]
    return sorted({*ours, *(entry.name for entry in entries(EXPORTERS_GROUP))})


def make_exporter(sink: Any, settings: Settings) -> tuple[str, SpanExporter]:
    """A name for the account, and the exporter that ``given`` asks for.

    Args:
        given: an instance, or ``"name"`` or ``"name:argument"``, with ``+vocabulary`` behind the name for each one
            in whose names spans go there as well.

    Raises:
        ConfigError: no exporter or vocabulary has that name, or it refuses its argument.
    """
    if not isinstance(sink, str):
        return type(sink).__name__, sink
    name, chosen, argument = sink_parts(sink)
    if chosen:
        if unknown := [each for each in chosen if each not in vocabularies()]:
            raise ConfigError("exporters", sink, f"{' or '.join(vocabularies())} in place of {unknown[0]!r}")
        from agentops_sdk._pipeline.vocabulary_exporter import WithVocabulary

        name, exporter = make_exporter(name if argument is None else f"{name}:{argument}", settings)
        return name, cast("SpanExporter", WithVocabulary(exporter, chosen))
    known = exporter_names()
    if name not in known:
        raise ConfigError("exporters", sink, "an exporter instance or a string that begins with " + ", ".join(known))
    for entry in entries(EXPORTERS_GROUP):
        if entry.name == name:
            return name, entry.load()(argument, settings)
    module = importlib.import_module(f"{_EXPORTERS_PACKAGE}.{name}")
    return name, module.create(argument, settings)


class LateIntegration:
    """An integration of ours by its row in the list of libraries: its module is loaded with the library."""

    def __init__(self, name: str, target: str, requires: str, distribution: str) -> None:
        self.name, self.target, self.requires, self.distribution = name, target, requires, distribution

    def _loaded(self) -> Any:
        return _load_own(self.name)

    def is_library(self, module: ModuleType) -> bool:
        """Whether what was imported under the target's name is the library."""
        look = getattr(self._loaded(), "is_library", None)
        return look is None or bool(look(module))

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch the library."""
        self._loaded().install(module, patches)

    def remark(self) -> str | None:
        """What there is to say of what is patched."""
        own = getattr(self._loaded(), "remark", None)
        return own() if own is not None else None


def find_integrations(*, late: bool = False) -> dict[str, Integration]:
    """Every integration by name. Loading them imports none of the libraries they are for.

    Args:
        late: have those of ours that are listed load when their library is imported.
    """
    integrations: dict[str, Integration] = {}
    for name, load in _integration_loaders(late=late):
        with guard(f"registry.{name}"):
            integration: Integration = load()
            integrations[integration.name] = integration
    return integrations


def _integration_loaders(*, late: bool) -> Iterator[tuple[str, Callable[[], Any]]]:
    if importlib.util.find_spec(_INTEGRATIONS_PACKAGE) is not None:
        package = importlib.import_module(_INTEGRATIONS_PACKAGE)
        listed = importlib.import_module(f"{_INTEGRATIONS_PACKAGE}._libraries").LIBRARIES if late else {}
        for name in _modules(tuple(package.__path__)):
            if name in listed:
                yield name, lambda name=name: LateIntegration(name, *listed[name])  # type: ignore[misc]  # mypy infers no lambda with a default
            elif not name.startswith("_"):
                yield name, lambda name=name: _load_own(name)  # type: ignore[misc]  # mypy infers no lambda with a default
    for entry in entries(INTEGRATIONS_GROUP):
        yield entry.name, lambda entry=entry: _instance(entry.load())  # type: ignore[misc]  # mypy infers no lambda with a default


@cache
def _modules(path: tuple[str, ...]) -> tuple[str, ...]:
    """Looked for once: ``init()`` asks twice."""
    return tuple(module.name for module in pkgutil.iter_modules(path))


def _load_own(name: str) -> Any:
    return importlib.import_module(f"{_INTEGRATIONS_PACKAGE}.{name}").integration


def _instance(loaded: Any) -> Any:
    return loaded() if isinstance(loaded, type) else loaded


def request_attributes(integration: str, path: str) -> Callable[[Any], Mapping[str, Any]]:
    """Reads requests as an integration of ours does.

    Args:
        integration: its name; it is loaded with the first request.
        path: of an endpoint in its table.

    Returns:
        A function from a request's body to the attributes that its span has.
    """

    def read(body: Any) -> Mapping[str, Any]:
        attributes: Mapping[str, Any] = _load_own(integration).endpoints.find("POST", path).request(body)
        return attributes

    return read


class Installed:
    """One integration's state while the SDK runs: waiting for its library's import, patched, or why not.

    What is installed, and in which version, is looked for when the library is imported or somebody asks: it takes
    longer than the rest of ``init()``.
    """

    def __init__(self, integration: Integration) -> None:
        self.integration = integration
        self._state = "waiting for import"
        self._reason: str | None = None
        self._version: str | None = None
        self._looked = False
        # Made before anything is patched, and kept here: what a failed install did is undone as well.
        self._patches = Patches(f"integration.{integration.name}")
        self._begun = False
        self._in_place = False

    @property
    def state(self) -> str:
        self._see()
        return self._state

    @property
    def reason(self) -> str | None:
        self._see()
        return self._reason

    @property
    def version(self) -> str | None:
        self._see()
        return self._version

    def _see(self) -> None:
        if not self._looked:
            self.look()

    @property
    def active(self) -> bool:
        """Whether it has begun and has not ended."""
        return self._begun and self._patches.alive

    def begin(self, on_patched: Callable[[], object]) -> None:
        """Hook on to the library's import. Safe to call again."""
        if self._begun:
            return
        self._begun = True

        def imported(module: ModuleType) -> None:
            self._imported(module)
            if self._in_place:
                on_patched()

        self._patches.when_imported(self.integration.target, imported)

    def look(self, *, asked: bool = False) -> Installed:
        """Find out whether the library is here in a version that fits; changes nothing else.

        Args:
            asked: by name, so failing is loud.

        Raises:
            IntegrationError: asked for by name, and the library is missing or too old.
        """
        integration = self.integration
        self._looked, self._state, self._reason = True, "waiting for import", None
        self._version = version_of(getattr(integration, "distribution", integration.target))
        fits = self._version is None or satisfies(self._version, integration.requires)
        here = _can_be_imported(integration.target)
        if self._version is not None and not fits and (here or not _newer(self._version, integration.requires)):
            # an old one may have its modules elsewhere
            self._reason = f"version {self._version} is outside of {integration.requires}"
            self._state = "version untested" if _newer(self._version, integration.requires) else "version too old"
        elif not here:
            self._state, self._reason = "not installed", f"{integration.target} cannot be imported"
        if self._state == "version too old":
            log_once(f"{integration.name} is not captured: {self._reason}. The installed version is too old.")
        if asked and self._state in _ABSENT:
            raise IntegrationError(f"integration {integration.name!r} was requested, but {self._reason}")
        return self

    def _imported(self, module: ModuleType) -> None:
        self.look()
        if self._state in _ABSENT:
            return
        is_library = getattr(self.integration, "is_library", None)
        if is_library is not None and not is_library(module):
            self._state, self._reason = "not installed", f"this program's {self.integration.target} is another module"
            return
        try:
            self.integration.install(module, self._patches)
        except Exception as error:
            self._state, self._reason = "failed", f"{type(error).__name__} while patching"
            self._patches.undo()
            raise
        self._in_place = True
        if self._state == "waiting for import":
            self._state = "patched"

    def moment(self) -> Callable[[], dict[str, Any]]:
        """What it is now, for ``status()``, looked for and put into words when that is asked for."""
        if not self._looked:
            return lambda: Installed(self.integration).look().told()
        told = self.told()
        return lambda: told

    def told(self) -> dict[str, Any]:
        """What ``status()`` says of it."""
        return {"state": self.state, "version": self.version, "reason": self.remark()}

    def remark(self) -> str | None:
        """Why it is not patched; else what this version lacks, and what the integration itself has to say."""
        if self.reason is not None or not self._in_place:
            return self.reason
        remarks = [f"this version lacks {', '.join(self._patches.missing)}"] if self._patches.missing else []
        if self.version is None:
            remarks.append(self.unknown_version)
        own = getattr(self.integration, "remark", None)
        if own is not None:
            with guard(f"integration.{self.integration.name}.remark"):
                if remark := own():
                    remarks.append(str(remark))
        return "; ".join(remarks) or None

    @property
    def unknown_version(self) -> str:
        """What is to be said where nobody knows which version is installed."""
        distribution = getattr(self.integration, "distribution", self.integration.target)
        return f"its version cannot be found: no distribution {distribution!r} is installed"

    def end(self) -> None:
        """Take the patches out again, whatever else fails."""
        self._patches.undo()
        self._in_place = False
        self._looked, self._state = True, "removed"


def choose(settings: Settings) -> list[Installed]:
    """The integrations that the settings want, looked for and not begun.

    Raises:
        ConfigError: one was asked for by a name that nobody has.
        IntegrationError: one was asked for by name and cannot be had.
    """
    wanted = settings.integrations
    available = {} if wanted == () else find_integrations(late=True)
    if not available and wanted is None:
        log_once(f"no library is captured: the integrations {FROZEN_WITHOUT}")
    loud = wanted is not None and not settings.deployed("integrations")
    for name in wanted or ():
        if name not in available:
            expected = "names of integrations: " + ", ".join(sorted(available))
            if loud:
                raise ConfigError("integrations", name, expected)
            warn_once(
                f"{settings.source('integrations')}: integrations is {name!r}; expected {expected}. It is ignored."
            )
    if wanted and not loud:
        wanted = tuple(name for name in wanted if name in available) or None
    chosen = [Installed(available[name]) for name in (sorted(available) if wanted is None else dict.fromkeys(wanted))]
    if loud:
        for installed in chosen:
            installed.look(asked=True)
    return chosen


def exchange(running: list[Installed], chosen: Iterable[Installed], on_patched: Callable[[], object]) -> None:
    """Let ``running`` be the chosen ones: those that run already go on untouched, others are taken out.

    ``on_patched`` is called when one's library is here and is captured.
    """
    before = {installed.integration.name: installed for installed in running if installed.active}
    wanted = [before.pop(installed.integration.name, installed) for installed in chosen]
    for installed in reversed(list(before.values())):
        installed.end()
    running[:] = wanted
    for installed in wanted:
        installed.begin(on_patched)


def _can_be_imported(name: str) -> bool:
    """Whether there is such a module. Unlike ``find_spec``, imports no package around it, and misses none."""
    path: Any = None
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        around = ".".join(parts[:end])
        spec = next((spec for each in sys.meta_path if (spec := each.find_spec(around, path)) is not None), None)
        if spec is None:
            return False
        path = spec.submodule_search_locations
    return True


def satisfies(version: str, requires: str) -> bool:
    """Whether a release satisfies a specifier of ``>=`` and ``<`` clauses, such as ``>=1.50,<4``."""
    release = _release(version)
    for clause in filter(None, (part.strip() for part in requires.split(","))):
        bound = _release(clause.lstrip("<>="))
        if clause.startswith(">=") and release < bound:
            return False
        if clause.startswith("<") and not clause.startswith("<=") and release >= bound:
            return False
    return True


def _newer(version: str, requires: str) -> bool:
    least = [clause for clause in requires.split(",") if clause.strip().startswith(">=")]
    return satisfies(version, ",".join(least))


def _release(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in re.findall(r"\d+", version.split("+", maxsplit=1)[0])[:3]]
    return tuple(numbers + [0] * (3 - len(numbers)))
