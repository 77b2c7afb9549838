"""How the contract's tests drive LlamaIndex: a span of its dispatcher's around one request.

Agents, workflows and retrieval are in ``test_programs.py``.
"""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integrations.framework_driver import FrameworkDriver


class Workflow:
    def run(self) -> None: ...


class Ask(Workflow):
    """The library knows a workflow by its class."""


class LlamaIndexDriver(FrameworkDriver):
    span = "invoke_workflow Ask"
    packages = ("llama_index_instrumentation", "llama_index.core.instrumentation")

    registers = True

    @contextmanager
    def run(self) -> Iterator[None]:
        from llama_index.core.instrumentation import get_dispatcher

        dispatcher, key, instance = get_dispatcher("tests"), f"Ask.run-{uuid.uuid4()}", Ask()
        arguments = inspect.signature(instance.run).bind()
        dispatcher.span_enter(key, arguments, instance=instance)
        try:
            yield
        except BaseException as error:
            dispatcher.span_drop(key, arguments, instance=instance, err=error)
            raise
        dispatcher.span_exit(key, arguments, instance=instance)


driver = LlamaIndexDriver()
