"""``fallback()``: call the next model where one fails, or is not to be called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from typing import Any

from agentops_sdk._capture.call import Call, NullCall
from agentops_sdk._capture.decision_attributes import decision_attributes, option_name, options_json
from agentops_sdk._capture.start import start
from agentops_sdk._host.guard import guard
from agentops_sdk._limits.limit_answer import is_of_limit
from agentops_sdk.errors import ConfigError

__all__ = ["Fallback", "fallback"]


class Fallback:
    """What :func:`fallback` returns."""

    def __init__(self, choices: Sequence[Any], on: tuple[type[BaseException], ...], name: str, argument: str) -> None:
        self._choices = choices
        self._on = on
        self._name = name
        self._argument = argument
        self._are_functions = all(callable(choice) for choice in choices)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """With names: decorate a function, which is called with one of them. With functions: call one of them."""
        if self._are_functions:
            ways = list(self._choices)
            return self._run_of(ways)(ways, args, kwargs)
        (function,) = args
        if not callable(function) or not _takes(function, self._argument):
            raise ConfigError("argument", self._argument, "an argument of the function that is decorated")
        run = self._run_of([function])

        @functools.wraps(function)
        def with_model(*args: Any, **kwargs: Any) -> Any:
            ways = [functools.partial(function, **{self._argument: choice}) for choice in self._choices]
            return run(ways, args, kwargs)

        if not inspect.iscoroutinefunction(function):
            return with_model

        @functools.wraps(function)
        async def with_model_async(*args: Any, **kwargs: Any) -> Any:
            return await with_model(*args, **kwargs)

        return with_model_async

    def _run_of(self, functions: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
        if any(map(inspect.isasyncgenfunction, functions)):
            return self._begun_async
        if any(map(inspect.isgeneratorfunction, functions)):
            return self._begun
        return self._tried_async if any(map(inspect.iscoroutinefunction, functions)) else self._tried

    def _begun(self, ways: Sequence[Callable[..., Any]], args: Any, kwargs: Any) -> Generator[Any, Any, Any]:
        """Of generators, which do nothing before they are asked: each as far as its first item."""
        stream: Any = ()
        first: Any = None
        with self._recorded() as record:
            for index, way in enumerate(ways):
                with record.trying(index, self._on):
                    stream = iter(way(*args, **kwargs))
                    try:
                        first = next(stream)
                    except StopIteration as end:
                        return record.answered(index, end.value)
                    record.answered(index, None)
                    break
        return (yield from _from_first(first, stream))

    async def _begun_async(self, ways: Sequence[Callable[..., Any]], args: Any, kwargs: Any) -> AsyncIterator[Any]:
        stream: Any = None
        first: Any = None
        with self._recorded() as record:
            for index, way in enumerate(ways):
                with record.trying(index, self._on):
                    stream = way(*args, **kwargs)
                    try:
                        first = await anext(stream)
                    except StopAsyncIteration:
                        record.answered(index, None)
                        return
                    record.answered(index, None)
                    break
        async with aclosing(stream):
            item = first
            with suppress(StopAsyncIteration):
                while True:
                    try:
                        sent = yield item
                    except GeneratorExit:
                        raise
                    except BaseException as error:  # noqa: BLE001 - the stream says what becomes of it
                        item = await stream.athrow(error)
                    else:
                        item = await (anext(stream) if sent is None else stream.asend(sent))

    def _tried(self, ways: Sequence[Callable[..., Any]], args: Any, kwargs: Any) -> Any:
        with self._recorded() as record:
            for index, way in enumerate(ways):
                with record.trying(index, self._on):
                    result = way(*args, **kwargs)
                    if inspect.iscoroutine(result):  # of a plain function, such as a method of an asynchronous client
                        record.leave()
                        return self._awaited(record, index, result, ways, args, kwargs)
                    return record.answered(index, result)
        raise AssertionError("the last one returns or raises")

    async def _awaited(
        self, record: _Record, first: int, result: Any, ways: Sequence[Callable[..., Any]], args: Any, kwargs: Any
    ) -> Any:
        """What the way at ``first`` gave, or else the next ones, when it is waited for."""
        record.enter()
        with self._recorded(record):
            for index in range(first, len(ways)):
                with record.trying(index, self._on):
                    if index > first:
                        result = ways[index](*args, **kwargs)
                    return record.answered(index, await result if inspect.isawaitable(result) else result)
        raise AssertionError("the last one returns or raises")

    async def _tried_async(self, ways: Sequence[Callable[..., Any]], args: Any, kwargs: Any) -> Any:
        with self._recorded() as record:
            for index, way in enumerate(ways):
                with record.trying(index, self._on):
                    result = way(*args, **kwargs)
                    return record.answered(index, await result if inspect.isawaitable(result) else result)
        raise AssertionError("the last one returns or raises")

    @contextmanager
    def _recorded(self, record: _Record | None = None) -> Iterator[_Record]:
        if record is None:
            record = _Record(self._name, self._choices)
        try:
            yield record
        except BaseException as error:
            record.end(error)
            raise
        if not record.is_left:
            record.end(None)


def _from_first(item: Any, stream: Any) -> Generator[Any, Any, Any]:
    """As ``yield from stream``, of which the first item has been taken."""
    if not isinstance(stream, Generator):
        yield item
        return (yield from stream)
    while True:
        try:
            sent = yield item
        except GeneratorExit:
            stream.close()
            raise
        except BaseException as error:  # noqa: BLE001 - the stream says what becomes of it
            step = functools.partial(stream.throw, error)
        else:
            if sent is None:
                return (yield from stream)
            step = functools.partial(stream.send, sent)
        try:
            item = step()
        except StopIteration as end:
            return end.value


def _takes(function: Callable[..., Any], argument: str) -> bool:
    """Whether ``argument`` can be given to the function by its name; so it is where nobody can tell."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return True
    found = parameters.get(argument)
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    return takes_any or (found is not None and found.kind in (found.POSITIONAL_OR_KEYWORD, found.KEYWORD_ONLY))


class _Record:
    """The decision in the trace, guarded throughout."""

    def __init__(self, name: str, choices: Sequence[Any]) -> None:
        self._names: list[str] = []
        self._failures: dict[str, str] = {}
        self._call: Call | NullCall | None = None
        self._token: Any = None
        self._count = len(choices)
        with guard("fallback.begin"):
            self._names, options = options_json(choices)
            self._call = start("decision", name, attributes=decision_attributes(options=options, by="code"))
        self.enter()

    def enter(self) -> None:
        """What is called from now on is a part of it."""
        self.is_left = False
        with guard("fallback.enter"):
            if self._call is not None:
                self._token = self._call.attach()

    def leave(self) -> None:
        """Nothing is, until it is entered again; it does not end."""
        self.is_left = True
        with guard("fallback.leave"):
            if self._call is not None:
                self._call.detach(self._token)

    @contextmanager
    def trying(self, index: int, on: tuple[type[BaseException], ...]) -> Iterator[None]:
        """One is tried; its error is kept to ourselves where there is another one, and no limit is reached."""
        try:
            yield
        except on as error:
            with guard("fallback.failure"):
                self._failures[self._names[index]] = type(error).__name__
            if index + 1 == self._count or is_of_limit(error):
                raise

    def answered(self, index: int, result: Any) -> Any:
        """This one answered; returns ``result``."""
        with guard("fallback.choice"):
            if self._call is not None and self._call.recording:
                reason = "; ".join(f"{name}: {failure}" for name, failure in self._failures.items())
                chosen = decision_attributes(
                    self._names[index], among=self._names, by="code", reason=reason or "the first one answered",
                    rejected=self._failures or None,
                )  # fmt: skip
                self._call.update(chosen)
        return result

    def end(self, error: BaseException | None) -> None:
        with guard("fallback.end"):
            if self._call is not None:
                self._call.detach(self._token)
                if error is None:
                    self._call.finish("ok")
                else:
                    self._call.fail(error)


def fallback(
    choices: Sequence[Any],
    *,
    on: type[BaseException] | tuple[type[BaseException], ...] = Exception,
    name: str = "fallback",
    argument: str = "model",
) -> Fallback:
    """Try one model after the other until one answers.

    With names of models it decorates a function, plain or asynchronous, that takes one as its argument ``model``; with
    functions it is called in their place. A model whose breaker is open is passed over at once. Which one answered,
    and why the others did not, is a decision by code in the trace. A limit that is reached stops it: the next model
    would cost as well. Of a stream, only its beginning is tried.

    Args:
        choices: names of models, or functions, the best first.
        on: the errors after which the next one is tried.
        name: of the decision.
        argument: what the function calls the model.

    Raises:
        ConfigError: an argument has a value that cannot work.
    """
    if isinstance(choices, str) or not isinstance(choices, Sequence) or not choices:
        raise ConfigError("choices", choices, "a list of names of models, or of functions")
    for choice in choices:
        if not callable(choice) and not (isinstance(choice, str) and choice):
            raise ConfigError("choices", choice, "names of models, or functions")
    if len({callable(choice) for choice in choices}) > 1:
        raise ConfigError("choices", [option_name(each) for each in choices], "names, or functions, and not both")
    kinds = on if isinstance(on, tuple) else (on,)
    if not kinds or not all(isinstance(kind, type) and issubclass(kind, Exception) for kind in kinds):
        raise ConfigError("on", on, "classes of exceptions")
    return Fallback(tuple(choices), kinds, name, argument)
