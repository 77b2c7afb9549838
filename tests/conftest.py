"""What every test gets: a guard that re-raises, and an SDK that is shut down again afterwards."""

from __future__ import annotations

import gc
import importlib.util
import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.shared import SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["pytester", "tests.browser", "tests.recorded", "tests.seen"]

_HAS_GUARD = importlib.util.find_spec("agentops_sdk._host.guard") is not None


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a shell: what the tests start would inherit that interrupts are ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """No test goes over TLS, and a client reads a list of 150 certificates when it is made: give it one of them."""
    if os.environ.get("COLLECT_CONFORMANCE"):
        from tests.conformance.collect import Collector

        config.pluginmanager.register(Collector())
    if importlib.util.find_spec("certifi") is None:
        return
    import certifi

    end = "-----END CERTIFICATE-----\n"
    handle, name = tempfile.mkstemp(suffix=".pem")
    os.write(handle, (Path(certifi.where()).read_text().partition(end)[0] + end).encode())
    os.close(handle)
    config.add_cleanup(lambda: Path(name).unlink(missing_ok=True))
    os.environ["SSL_CERT_FILE"] = name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Programs are frozen first: each takes a minute, and at the end the other workers would wait for the last."""
    items.sort(key=lambda item: "frozen" not in item.path.parts)
    for path in {item.path for item in items if item.get_closest_marker("slow")}:
        if "mark.slow" not in path.read_text():
            raise pytest.UsageError(f"{path}: 'make test-slow' reads the files that say 'mark.slow'; this one does not")


def pytest_report_header() -> list[str]:
    missing = [name for name in ("recorded", "semconv") if not (SHARED / name).is_dir()]
    return [f"not tested against ../shared/{name}: it is missing" for name in missing]


@pytest.fixture(autouse=True)
def _bugs_are_red(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In production the guard swallows our own bugs; in our tests it re-raises them."""
    if request.node.get_closest_marker("guard_swallows") or not _HAS_GUARD:
        return
    from agentops_sdk._host import guard  # type: ignore[attr-defined,unused-ignore]  # older sources have no such module

    monkeypatch.setattr(guard, "reraise", True)


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    """No test inherits the SDK of another."""
    yield
    import agentops_sdk

    shutdown = getattr(agentops_sdk, "shutdown", None)
    if shutdown is not None:
        shutdown()
    if _HAS_GUARD:
        from agentops_sdk._host import guard  # type: ignore[attr-defined,unused-ignore]  # older sources have no such module

        guard.errors.clear()  # what a test made us contain is no finding of the next one's status()
        guard.last_error.clear()


@pytest.fixture
def collected() -> Iterator[None]:
    """What a test leaves to the collector is collected while its marks hold."""
    gc.freeze()  # a dozen clients may be loaded, and each collection would look through them
    yield
    gc.collect()
    gc.unfreeze()
