"""What the contract's tests have to know of a library: how to make its client ask a server, in each way that it has.

An integration called ``acme`` is tested once ``tests/acme/contract.py`` holds a :class:`Driver` called ``driver``.
Nothing there may import the library before one of the driver's methods is called: some tests are about its import.
"""

from __future__ import annotations

import importlib
import os
import runpy
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import Any

from tests.wire.http import Reply, Request

TESTS = Path(__file__).parents[1]


class Driver:
    """Subclass it, and put an instance called ``driver`` into ``tests/NAME/contract.py``.

    First see that it works where the SDK is not at work: a call that fails by itself fails every test here, and
    none says so. Of a client that speaks OpenAI's dialect, ``tests.openai.contract.ChatDriver`` knows the most.

    Each way to call makes one request, and leaves one span, called :attr:`span`. A library that has no streams, or is
    not asynchronous, says so in :attr:`lacks`.
    """

    span: str
    """The name of the span that one call leaves."""

    packages: tuple[str, ...]
    """Import names of what is patched: all their attributes are the originals again after ``shutdown()``."""

    modules: tuple[str, ...] = ()
    """Modules that have to be imported, beside the library itself, for everything that is patched to be there."""

    needs: tuple[str, ...] = ()
    """Import names of what the tests need beside the library."""

    lacks: Mapping[str, str] = {}
    """Which of ``call``, ``call_async``, ``stream`` and ``stream_async`` the library has not, and why."""

    optional: Mapping[str, str] = {}
    """Seams, as ``Class.method`` (``*`` stands for anything), that ``status()`` need not miss: each with why."""

    replaces: bool = False
    """Whether what is wrapped is answered by the integration, and who has wrapped it before is not asked."""

    registers: bool = False
    """Whether the integration registers with an object of the library's, and changes no attribute of its modules."""

    uncut: str = ""
    """Why no limit ends its streams, where the integration does not hold what is streamed."""

    warnings: tuple[str, ...] = ()
    """Warnings of the library itself that are no failures, as ``filterwarnings`` of pytest takes them."""

    refusal = Reply({"error": {"message": "refused", "type": "invalid_request_error"}}, status=400)
    """An answer on which the client raises."""

    error_type: str | None = None
    """What ``error.type`` is of that where the exception is not known yet when the call ends: the status."""

    def answer(self, request: Request) -> Reply:
        """What the server answers: a whole reply, or a stream of three pieces or more where one was asked for."""
        raise NotImplementedError

    def client(self, url: str) -> AbstractContextManager[Any]:
        """A client that asks the server at ``url``, such as ``http://127.0.0.1:1234/v1``, once, without retries."""
        raise NotImplementedError

    def async_client(self, url: str) -> AbstractAsyncContextManager[Any]:
        """The asynchronous one; made and closed inside a running event loop."""
        raise NotImplementedError

    def arguments(self) -> dict[str, Any]:
        """Fresh arguments for one request, with lists and mappings in them as users write them."""
        raise NotImplementedError

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        """Ask for a whole reply."""
        raise NotImplementedError

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        """Ask for a whole reply."""
        raise NotImplementedError

    def stream(self, client: Any, arguments: dict[str, Any]) -> AbstractContextManager[Iterator[Any]]:
        """Ask for a stream; leaving the context closes it, as a program does that has read enough.

        Close it in a ``finally`` (or by ``contextlib.closing``): tests leave by an exception as well.
        """
        raise NotImplementedError

    def stream_async(self, client: Any, arguments: dict[str, Any]) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Ask for a stream."""
        raise NotImplementedError

    def message(self, error: BaseException) -> str:
        """What is to be the same of an exception's message, with us and without us."""
        return str(error)

    def content(self, result: Any) -> Any:
        """What is to be the same with us and without us, of a reply or of one piece of a stream."""
        return result.model_dump() if hasattr(result, "model_dump") else result


def installed(package: str) -> bool:
    """Whether a module can be found; ``find_spec()`` imports the packages that it is in, for seconds."""
    path: Sequence[str] | None = None
    names = package.split(".")
    for depth in range(1, len(names) + 1):
        name = ".".join(names[:depth])
        specs = (finder.find_spec(name, path) for finder in sys.meta_path)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is None:
            return False
        path = spec.submodule_search_locations
    return True


def driver_of(name: str) -> Driver:
    """The driver of one integration: from these tests, or from a folder that ``CONTRACT_DRIVERS`` names.

    Raises:
        LookupError: there is none; the message says what to write.
    """
    driver: Driver
    if (TESTS / name / "contract.py").is_file():
        driver = importlib.import_module(f"tests.{name}.contract").driver
        return driver
    elsewhere = Path(os.environ.get("CONTRACT_DRIVERS", os.devnull)) / name / "contract.py"
    if not elsewhere.is_file():
        raise LookupError(
            f"integration {name!r} has no tests/{name}/contract.py: subclass tests.integrations.driver.Driver in it,"
            f" and call an instance of it 'driver'. tests/anthropic/contract.py is an example."
        )
    if elsewhere not in _ELSEWHERE:
        _ELSEWHERE[elsewhere] = runpy.run_path(str(elsewhere))["driver"]
    return _ELSEWHERE[elsewhere]


_ELSEWHERE: dict[Path, Driver] = {}
