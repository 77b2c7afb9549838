"""The runtime of this process: what ``init()``, ``configure()`` and ``shutdown()`` do to the one that runs."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentops_sdk import _recorder_port
from agentops_sdk._alerts import added_rules
from agentops_sdk._audit import audit_log as audit
from agentops_sdk._limits import scope as limits_in_force
from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk._pipeline import process_hooks
from agentops_sdk._pipeline.flush_result import FlushResult
from agentops_sdk._pipeline.runtime import Runtime
from agentops_sdk._propagation import context_keys, propagators, w3c_headers
from agentops_sdk._propagation.context_carriers import process_fields
from agentops_sdk._recorder import program_provider
from agentops_sdk.config import Settings, changes, log_once, resolve, update
from agentops_sdk.errors import ConfigError

if TYPE_CHECKING:
    from agentops_sdk._host.patches import Patches
    from agentops_sdk.integration import Integration

_SETTLE_WAIT = 1.0  # seconds

current: Runtime | None = None
"""The one that runs, or ``None`` before ``init()``, after ``shutdown()`` and when switched off."""

_last: Settings | None = None
_implied = False
_ended: Settings | None = None
_provider_watch: Patches | None = None
_lock = threading.RLock()


def make_runtime(settings: Settings) -> Runtime | None:
    """The runtime for ``settings``, not begun yet; ``None`` when they say disabled."""
    return Runtime(settings) if settings.enabled else None


class Standing(NamedTuple):
    """What runs, and by which settings: they may say that nothing should.

    ``implied``: no ``init()`` of the program has said so; its first one begins anew.
    """

    running: Runtime | None = None
    settings: Settings | None = None
    implied: bool = False


def settings_in_force() -> Settings | None:
    """Those of the last ``init()``, also where they say that nothing runs; ``None`` before it and after shutdown."""
    return _last


make: Callable[[Settings], Runtime | None] = make_runtime
"""How :func:`begin` makes one. A capture in a test puts its own here: the program's settings, other sinks."""


def swap(other: Standing) -> Standing:
    """Let ``other`` run in place of what does, which is set aside: still whole, and not ended."""
    global current, _last, _implied
    with _lock:
        aside = Standing(current, _last, _implied)
        current, _last, _implied = other
        if aside.running is not None:
            aside.running.uninstall()
        if current is not None:
            current.install()
        _activate(current)
        return aside


def initialize(keywords: Mapping[str, Any], *, restart: bool) -> None:
    """What ``init()`` does: begin; or, where it was called before, change what is named and keep the rest.

    Raises:
        ConfigError: a setting is unknown or its value cannot work; what runs goes on unchanged.
        IntegrationError: an integration asked for by name cannot be had; the same.
    """
    with _lock:
        if _last is None or _implied:
            settings = resolve(keywords)
            if _ended is not None:
                from agentops_sdk.strictness import looser

                if loosened := [name for name in looser(_ended, settings) if keywords.get(name) is None]:
                    log_once(f"init() after shutdown() starts afresh: less strict than before: {', '.join(loosened)}.")
            begin(settings)
        elif restart:
            from agentops_sdk.strictness import no_looser

            settings, kept = no_looser(resolve(keywords), _last, keywords)
            stays = f"; {', '.join(kept)} as strict as before, not being named" if kept else ""
            log_once(f"init(restart=True) shuts down and starts afresh{stays}.")
            begin(settings)
        else:
            settings = update(_last, keywords, live=False)
            changed = changes(_last, settings)
            before = _last
            _take_on(settings)
            if changed and settings.audit and current is not None:
                current.watchers.tell_audit("configure", "init()", _differences(before, settings))
            what = f"changes {', '.join(changed)} and nothing else" if changed else "changes nothing"
            log_once(f"init() was called again: it {what} (restart=True starts afresh).")


def begin(settings: Settings, *, implied: bool = False) -> Runtime | None:
    """Start a runtime by ``settings``, ending the one before it; ``None`` when they say disabled."""
    global current, _last, _implied
    with _lock:
        # Made first: settings that cannot work leave what runs now running.
        runtime = make(settings)
        if runtime is not None:
            try:
                runtime.look()
            except BaseException:
                runtime.end(0.0)
                raise
        if current is not None:
            # An exporter that is asked for again goes on: one that was shut down takes nothing any more.
            finish(current.settings.shutdown_timeout, keep=[sink.exporter for sink in runtime.sinks] if runtime else ())
        _last, _implied = settings, implied
        if runtime is None:
            return None
        runtime.install()
        current = runtime
        _watch_provider(on=True)
        context_keys.process_context = process_fields() if settings.propagate_processes else None
        _activate(runtime)
        process_hooks.hook(lambda: current, flush=_flush, end=_end, settle=_settle, in_child=_in_child)
        runtime.prepare()
        if settings.audit:
            set_here = {
                name: getattr(settings, name) for name in settings.origins if settings.origins[name] != "default"
            }
            runtime.watchers.tell_audit("start", "init()", set_here)
        return runtime


def reconfigure(keywords: Mapping[str, Any], by: str = "configure()") -> None:
    """Change live settings of what runs, or of what the last ``init()`` left switched off; ``by`` is who asks.

    Raises:
        ConfigError: nothing to change, a setting is not live, or its value cannot work.
    """
    with _lock:
        if _last is None:
            raise ConfigError("configure", "", "init() to be called first")
        before, after = _last, update(_last, keywords)
        _take_on(after)
        what = _differences(before, after)
        audit.record("configure", by, what, after.folder, after.audit_key)


def add_integration(integration: Integration, provider: Any = None, meters: Any = None, logs: Any = None) -> None:
    """Capture one library more; where nothing runs, begin, with these for the program's providers if they are given."""
    with _lock:
        if _last is None:
            program_provider.chosen = provider
            program_provider.chosen_meters, program_provider.chosen_logs = meters, logs
            begin(dataclasses.replace(resolve({}), integrations=()), implied=True)
        if current is not None:
            current.add(integration)
            _name_integrations((*(current.settings.integrations or ()), integration.name))


def remove_integration(name: str) -> None:
    """Capture one library less; with the last one, what :func:`add_integration` has begun ends."""
    with _lock:
        if current is None:
            return
        current.remove(name)
        _name_integrations([each for each in current.settings.integrations or () if each != name])
        if _implied and current.settings.integrations == ():
            program_provider.chosen = program_provider.chosen_meters = program_provider.chosen_logs = None
            finish(current.settings.shutdown_timeout)


def _name_integrations(names: Sequence[str]) -> None:
    """Let the settings say which libraries are captured now, where they name them."""
    global _last
    if current is not None and current.settings.integrations is not None:
        _last = dataclasses.replace(current.settings, integrations=tuple(dict.fromkeys(names)))
        current.settings = current.recorder.settings = _last


def _differences(before: Settings, after: Settings) -> dict[str, dict[str, Any]]:
    return {name: {"before": getattr(before, name), "after": getattr(after, name)} for name in changes(before, after)}


def _take_on(settings: Settings) -> None:
    global _last
    if current is not None:
        current.reconfigure(settings)
        context_keys.process_context = process_fields() if settings.propagate_processes else None
        _activate(current)
        current.prepare()
    elif settings.enabled:
        begin(settings)
    _last = settings


def finish(timeout: float, *, keep: Sequence[Any] = ()) -> FlushResult:
    """End the running runtime, if any."""
    global current, _last, _implied, _ended
    with _lock:
        if make is make_runtime:  # what a capture in a test ends is not the program's
            _ended = _last or _ended
        runtime, current, _last, _implied = current, None, None, False
        if runtime is None:
            return FlushResult(0, 0, 0, {})
        _activate(None)
        _watch_provider(on=False)
        context_keys.process_context = None
        return runtime.end(timeout, keep=keep)


def _watch_provider(*, on: bool) -> None:
    global _provider_watch
    if _provider_watch is None and on:
        _provider_watch = program_provider.watch(_join)
    elif _provider_watch is not None and not on:
        _provider_watch.undo()
        _provider_watch = None


def _join() -> None:
    """The program has set a provider: what begins from now on goes through it."""
    with _lock:
        if current is not None and current.join():
            _activate(current)
            current.prepare()


def _activate(runtime: Runtime | None) -> None:
    """Have ``runtime`` record from now on, within its limits; ``None`` for nobody."""
    on = runtime is not None and runtime.settings.enabled
    if runtime is not None:  # else what is still written is written as before
        runtime.protect()
    process_hooks.watch_imports(runs=runtime is not None)
    _recorder_port.activate(runtime.recorder if on and runtime is not None else None)
    _recorder_port.measure = runtime.signals.note if on and runtime is not None else None
    added_rules.on_change = runtime.watchers.look_again if on and runtime is not None else None
    limits_in_force.set_of_process(runtime.limits if on and runtime is not None else None)
    personal_data = runtime.completer.policy.personal_data if on and runtime is not None else None
    if on and runtime is not None:
        propagators.use(runtime.settings.propagators, runtime.settings.source("propagators"))
    else:
        propagators.use(propagators.USUAL)
    w3c_headers.scrub = personal_data.baggage if personal_data is not None else None


def _flush() -> None:
    if current is not None:
        current.flush(current.settings.shutdown_timeout)


def _settle() -> bool:
    return current is None or current.settle(_SETTLE_WAIT)


def _end() -> None:
    if current is not None:
        finish(current.settings.shutdown_timeout)


def _in_child() -> None:
    global _lock
    _lock = threading.RLock()
    if current is not None:
        current.after_fork()
