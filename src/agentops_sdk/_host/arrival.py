"""What a thread of ours is about to tell: waited for by another thread, or awaited, so that the event loop goes on."""

from __future__ import annotations

import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

__all__ = ["Arrival"]


class Arrival:
    """One answer, for one who waits for it.

    Args:
        seconds: for which each wait lasts at the most.
    """

    __slots__ = ("_here", "_seconds", "_wake")

    def __init__(self, seconds: float) -> None:
        self._here = threading.Lock()
        self._here.acquire()
        self._seconds = seconds
        self._wake: Callable[[], object] | None = None

    def has_come(self) -> bool:
        """Whether it is here."""
        return not self._here.locked()

    def come(self) -> None:
        """It is here. Once, on a thread of ours."""
        self._here.release()
        if (wake := self._wake) is not None:
            with suppress(RuntimeError):  # the loop is closed, and nobody waits on it
                wake()

    def wait(self) -> None:
        """Until it is here, or for a while."""
        if self._here.acquire(timeout=self._seconds):
            self._here.release()

    def awaited(self) -> Awaitable[object] | None:
        """The same to be awaited in the current task of asyncio or trio; ``None`` outside of one."""
        trio: Any = sys.modules.get("trio")
        if trio is not None and trio.lowlevel.in_trio_task():
            return self._awaited_in_trio(trio)
        asyncio: Any = sys.modules.get("asyncio")
        with suppress(RuntimeError):  # no loop runs
            if asyncio is not None and asyncio.current_task() is not None:
                return self._future(asyncio.get_running_loop())
        return None

    def _future(self, loop: Any) -> Awaitable[object]:
        future = loop.create_future()
        timer = loop.call_later(self._seconds, _end, future)
        future.add_done_callback(lambda _: timer.cancel())
        self._wake = partial(loop.call_soon_threadsafe, _end, future)
        if self.has_come():  # it came meanwhile
            _end(future)
        awaitable: Awaitable[object] = future
        return awaitable

    async def _awaited_in_trio(self, trio: Any) -> None:
        event = trio.Event()
        self._wake = partial(trio.lowlevel.current_trio_token().run_sync_soon, event.set)
        if self.has_come():
            return
        with trio.move_on_after(self._seconds):
            await event.wait()


def _end(future: Any) -> None:
    if not future.done():
        future.set_result(None)
