"""Takes notices to where rules say, on a thread of its own: signed, tried again, and kept on disk meanwhile.

A notice is on disk before it is sent, so that a process that is killed meanwhile leaves it to the next one. What fails
waits and is tried again, later each time; beyond a bound, or after a day, it is dropped, counted and told in the log. A
file of it holds the notice and a hash of where it goes: no address and no key is written. It is long because a notice
that waits, that lies on disk and that is sent is one parcel, and each way to send is a few lines.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shlex
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from agentops_sdk._alerts.notice import Notice, pagerduty, slack
from agentops_sdk._host.guard import UserFunction, guard, logger
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk.encryption import opened, sealed
from agentops_sdk.private_files import open_private, private_directory

if TYPE_CHECKING:
    from agentops_sdk.alert_rules import AlertRule

__all__ = ["SECRET_VARIABLE", "Delivery", "signature"]

SECRET_VARIABLE = "AGENTOPS_ALERT_SECRET"  # noqa: S105 - a name, no secret
_PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
_SECONDS = 10.0  # of one request
_COMMAND_SECONDS = 30.0
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 300.0
_MOST = 1_000
_OLDEST = 86_400.0
_TICK = 1.0

Target = str | Callable[[Any], Any]


def signature(secret: str, moment: str, body: bytes) -> str:
    """What a webhook's receiver compares: HMAC-SHA256 of the time stamp, a point and the body."""
    return "sha256=" + hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()


class _Parcel(NamedTuple):
    notice: Notice
    target: Target
    attempt: int = 0
    due: float = 0.0
    file: str | None = None


class Delivery:
    """Delivers, and tells the engine that time passes.

    Args:
        rules: whose targets are known; what an earlier process left for one of them is delivered too.
        folder: for what waits; ``None`` keeps it in memory alone.
        tick: called every second, also while there is much to send; while one request lasts, it waits.
        clock: the time.
        keep: called before anything is sent: by then it is remembered that it was told.
    """

    def __init__(
        self,
        rules: Sequence[AlertRule],
        folder: Path | None,
        tick: Callable[[float], None] = lambda now: None,
        clock: Callable[[], float] = time.time,
        keep: Callable[[], None] = lambda: None,
    ) -> None:
        self._keep_told = keep
        self._own_files: set[str] = set()
        self._targets: dict[str, Target] = {}
        self.reconfigure(rules)
        self._folder = folder
        self._tick = tick
        self._clock = clock
        self._new: deque[_Parcel] = deque()
        self._waiting: list[_Parcel] = []
        self._event = threading.Event()
        self._stopping = False
        self._thread: OwnThread | None = None
        self.first_wait = _FIRST_WAIT
        self.delivered = self.failed = self.dropped = 0
        self._put = self._tried = 0
        self._ticked = 0.0
        self._failing: set[Target] = set()
        """Where nothing has arrived in this pass: what else goes there is not tried before the next."""

    def reconfigure(self, rules: Sequence[AlertRule]) -> None:
        """Know the targets of other rules, for which an earlier process may have left something."""
        self._targets = {_hashed(target): target for rule in rules for target in rule.then}
        self._adopts = True

    def start(self) -> None:
        """Begin, with what an earlier process left; once it has begun, nothing."""
        if self._thread is not None:
            return
        thread = OwnThread("alerts", self._run)
        with guard("alerts.start"):
            thread.start()
            self._thread = thread

    def put(self, rule: AlertRule, notice: Notice) -> None:
        """Have it told; what may have to be tried again is on disk by then. On a thread of ours."""
        for target in rule.then:
            file = None
            if _is_retried(target):
                with guard("alerts.spool"):
                    file = self._written(notice, target)
            self._put += 1
            self._new.append(_Parcel(notice, target, file=file))
        self._event.set()

    def stop(self, timeout: float) -> None:
        """Try once more what waits, and end. What cannot be delivered stays on disk."""
        self._stopping = True
        self._event.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    @property
    def has_new(self) -> bool:
        """Whether something has not been tried yet."""
        return self._tried < self._put

    @property
    def waiting(self) -> int:
        """How many notices have not been delivered."""
        return len(self._new) + len(self._waiting)

    def _run(self) -> None:
        while not self._stopping:
            self._event.wait(_TICK)
            self._event.clear()
            with guard("alerts.tick"):
                self._pass_time()
            with guard("alerts.work"):
                self.work()
        with guard("alerts.work"):
            self.work(last=True)

    def _pass_time(self, least: float = 0.0) -> None:
        """Tell the engine that time has passed, where that is ``least`` seconds."""
        now = time.monotonic()
        if now - self._ticked >= least:
            self._ticked = now
            self._tick(self._clock())

    def work(self, *, last: bool = False) -> None:
        """Deliver what is new, and what is due again, also what an earlier process left."""
        with guard("alerts.spool"):
            self.adopt()
        with guard("alerts.told"):
            self._keep_told()
        now = self._clock()
        self._failing.clear()
        due = sorted((parcel for parcel in self._waiting if parcel.due <= now or last), key=lambda each: each.notice.at)
        self._waiting = [parcel for parcel in self._waiting if parcel not in due]
        for parcel in due:
            self._try(parcel)
            with guard("alerts.tick"):
                self._pass_time(_TICK)
        while new := len(self._new):
            for _ in range(new):
                self._try(self._new.popleft())
                self._tried += 1
                with guard("alerts.tick"):
                    self._pass_time(_TICK)
            with guard("alerts.told"):
                self._keep_told()  # of what has come meanwhile

    def _is_early(self, parcel: _Parcel) -> bool:
        """Whether what was told before it is still to arrive: an end that comes first would leave an alarm open."""
        return any(
            other.notice.id == parcel.notice.id and other.target == parcel.target and other.notice.at < parcel.notice.at
            for other in self._waiting
        )

    def _try(self, parcel: _Parcel) -> None:
        arrived = False
        if parcel.target in self._failing or self._is_early(parcel):
            self._keep(parcel)
            return
        with guard("alerts.deliver"):
            try:
                self._deliver(parcel.notice, parcel.target)
                arrived = True
            except _NotDeliveredError as error:
                self.failed += 1
                self._failing.add(parcel.target)
                if parcel.attempt == 0:
                    logger.warning("agentops_sdk: an alert could not be delivered, and is tried again: %s", error)
        if arrived:
            self.delivered += 1
            self._forget(parcel)
        else:
            self._keep(parcel)

    def _keep(self, parcel: _Parcel) -> None:
        notice, target, attempt, _, file = parcel
        if callable(target) or not _is_retried(target):
            return  # its failure is a bug, and not mended by trying again
        if len(self._waiting) >= _MOST or self._clock() - notice.at > _OLDEST:
            self.dropped += 1
            self._forget(parcel)
            logger.warning("agentops_sdk: an alert was given up: %s", notice.text)
            return
        with guard("alerts.spool"):
            file = file or self._written(notice, target)
        wait = min(_LONGEST_WAIT, self.first_wait * 2**attempt)
        self._waiting.append(_Parcel(notice, target, attempt + 1, self._clock() + wait, file))

    def _written(self, notice: Notice, target: str) -> str | None:
        if self._folder is None:
            return None
        private_directory(self._folder)
        number = _hashed(target)
        path = self._folder / f"{time.time_ns()}-{os.getpid()}-{number}.json"
        self._own_files.add(str(path))
        fields = {name: getattr(notice, name) for name in Notice.__slots__}
        part = path.with_suffix(".part")  # who finds a file finds all of it
        descriptor = open_private(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            os.write(descriptor, sealed(json.dumps({"target": number, "notice": fields}).encode()))
        finally:
            os.close(descriptor)
        part.rename(path)
        return str(path)

    def _forget(self, parcel: _Parcel) -> None:
        if parcel.file is not None:
            with guard("alerts.spool"):
                Path(parcel.file).unlink(missing_ok=True)
                self._own_files.discard(parcel.file)

    def adopt(self, tell: Callable[[Notice], None] = lambda notice: None) -> None:
        """Take over what an earlier process could not deliver, once: whoever renames a file has it, and is told."""
        if not self._adopts:
            return
        self._adopts = False
        for path in sorted(self._folder.glob("*.json"))[:_MOST] if self._folder is not None else ():
            if str(path) in self._own_files:
                continue
            owner = path.name.split("-")[1]
            if owner.isdigit() and int(owner) != os.getpid() and _lives(int(owner)):
                continue
            with guard("alerts.spool"):
                target = self._targets.get(path.stem.rpartition("-")[2])
                if target is None:
                    continue
                own = path.with_name(f"{time.time_ns()}-{os.getpid()}-{_hashed(target)}.json")
                self._own_files.add(str(own))
                try:
                    path.rename(own)
                except OSError:
                    continue  # somebody else was first
                fields = json.loads(opened(own.read_bytes()))["notice"]
                known = {name: fields[name] for name in Notice.__slots__ if name in fields}
                notice = Notice(**known)
                self._waiting.append(_Parcel(notice, target, 0, 0.0, str(own)))
                tell(notice)

    def _deliver(self, notice: Notice, target: Target) -> None:
        if callable(target):
            with UserFunction("alert"):
                target(notice)
            return
        channel, _, argument = target.partition(":")
        if channel == "log":
            logger.warning("agentops_sdk: %s", notice.text)
        elif channel == "event":
            _emit(notice)
        elif channel == "command":
            _command(notice, argument)
        elif channel == "slack":
            _post(argument, slack(notice), {})
        elif channel == "pagerduty":
            key, _, address = argument.partition("@")
            _post(address or _PAGERDUTY, pagerduty(notice, key), {})
        else:
            body, moment = notice.body(), str(int(time.time()))
            headers = {"x-agentops-alert": notice.id, "x-agentops-timestamp": moment}
            if secret := os.environ.get(SECRET_VARIABLE):
                headers["x-agentops-signature"] = signature(secret, moment, body)
            _post(argument, body, headers)


class _NotDeliveredError(Exception):
    """It did not arrive; what it says names no address."""


def _post(address: str, body: bytes, headers: dict[str, str]) -> None:
    import httpx2
    from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value

    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
    try:
        reply = httpx2.post(
            address, content=body, headers={"content-type": "application/json", **headers}, timeout=_SECONDS,
            follow_redirects=False,
        )  # fmt: skip
    except Exception as error:  # noqa: BLE001 - whatever a network may raise is told and tried again
        raise _NotDeliveredError(type(error).__name__) from None
    finally:
        detach(token)
    if reply.status_code >= 300:
        raise _NotDeliveredError(f"HTTP status {reply.status_code}")


def _command(notice: Notice, command: str) -> None:
    try:
        code = subprocess.run(  # noqa: S603 - what the program's own rule says
            shlex.split(command), input=notice.body(), timeout=_COMMAND_SECONDS, check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ).returncode  # fmt: skip
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise _NotDeliveredError(type(error).__name__) from None
    if code:
        raise _NotDeliveredError(f"exit code {code}")


def _emit(notice: Notice) -> None:
    """As an event of OpenTelemetry's, to the program's own logger provider."""
    from opentelemetry._logs import LogRecord, SeverityNumber, get_logger

    fields = {f"agentops.alert.{name}": value for name, value in notice.as_dict().items() if value is not None}
    get_logger("agentops_sdk").emit(
        LogRecord(
            timestamp=int(notice.at * 1e9), severity_number=SeverityNumber.WARN, body=notice.text,
            event_name="agentops.alert", attributes=fields,
        )
    )  # fmt: skip


def _is_retried(target: Target) -> TypeGuard[str]:
    """Whether it goes where it may not arrive; what a function or the log does with it is over at once."""
    return isinstance(target, str) and target.partition(":")[0] not in ("log", "event")


def _hashed(target: Target) -> str:
    return hashlib.sha256(target.encode()).hexdigest()[:16] if isinstance(target, str) else ""


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
