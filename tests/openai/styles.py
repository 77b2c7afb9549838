"""Every way of making a request with the client, sync and async, as functions from a client and a body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Body = dict[str, Any]
_DIRECT = {
    "chat.completions": ("model", "messages", "stream"),
    "responses": ("model", "input", "stream"),
    "completions": ("model", "prompt", "stream"),
    "embeddings": ("model", "input"),
}


def resource(client: Any, api: str) -> Any:
    for name in api.split("."):
        client = getattr(client, name)
    return client


def keywords(api: str, body: Body) -> Body:
    """The few arguments the client insists on, and all the rest as it would be sent."""
    known = _DIRECT[api]
    given = {name: body[name] for name in known if name in body}
    for name in known:
        if name != "stream":
            given.setdefault(name, "")
    if given.get("stream") is False:
        del given["stream"]
    extra = {name: value for name, value in body.items() if name not in known}
    return {**given, "extra_body": extra or None}


# --- sync ------------------------------------------------------------------------------------------


def create(client: Any, api: str, body: Body) -> Any:
    result = resource(client, api).create(**keywords(api, body))
    return list(result) if body.get("stream") else result


def create_with(client: Any, api: str, body: Body) -> Any:
    with resource(client, api).create(**keywords(api, body)) as stream:
        return list(stream)


def create_next(client: Any, api: str, body: Body) -> Any:
    stream, items = resource(client, api).create(**keywords(api, body)), []
    while True:
        try:
            items.append(next(stream))
        except StopIteration:
            return items


def raw(client: Any, api: str, body: Body) -> Any:
    response = resource(client, api).with_raw_response.create(**keywords(api, body))
    parsed = response.parse()
    return list(parsed) if body.get("stream") else parsed


def streaming_parse(client: Any, api: str, body: Body) -> Any:
    with resource(client, api).with_streaming_response.create(**keywords(api, body)) as response:
        parsed = response.parse()
        return list(parsed) if body.get("stream") else parsed


def streaming_read(client: Any, api: str, body: Body) -> Any:
    with resource(client, api).with_streaming_response.create(**keywords(api, body)) as response:
        return response.read()


def streaming_lines(client: Any, api: str, body: Body) -> Any:
    with resource(client, api).with_streaming_response.create(**keywords(api, body)) as response:
        return list(response.iter_lines())


def helper(client: Any, api: str, body: Body) -> Any:
    given = {name: value for name, value in keywords(api, body).items() if name != "stream"}
    with resource(client, api).stream(**given) as stream:
        return [event.type for event in stream]


def parse(client: Any, api: str, body: Body) -> Any:
    return resource(client, api).parse(**keywords(api, body))


# --- async -----------------------------------------------------------------------------------------


async def acreate(client: Any, api: str, body: Body) -> Any:
    result = await resource(client, api).create(**keywords(api, body))
    return [item async for item in result] if body.get("stream") else result


async def acreate_with(client: Any, api: str, body: Body) -> Any:
    async with await resource(client, api).create(**keywords(api, body)) as stream:
        return [item async for item in stream]


async def araw(client: Any, api: str, body: Body) -> Any:
    response = await resource(client, api).with_raw_response.create(**keywords(api, body))
    parsed = response.parse()
    return [item async for item in parsed] if body.get("stream") else parsed


async def astreaming_parse(client: Any, api: str, body: Body) -> Any:
    async with resource(client, api).with_streaming_response.create(**keywords(api, body)) as response:
        parsed = await response.parse()
        return [item async for item in parsed] if body.get("stream") else parsed


async def astreaming_read(client: Any, api: str, body: Body) -> Any:
    async with resource(client, api).with_streaming_response.create(**keywords(api, body)) as response:
        return await response.read()


async def ahelper(client: Any, api: str, body: Body) -> Any:
    given = {name: value for name, value in keywords(api, body).items() if name != "stream"}
    async with resource(client, api).stream(**given) as stream:
        return [event.type async for event in stream]


async def aparse(client: Any, api: str, body: Body) -> Any:
    return await resource(client, api).parse(**keywords(api, body))


Style = Callable[[Any, str, Body], Any]


def fitting(api: str, body: Body, client: Any) -> tuple[list[Style], list[Style]]:
    """The sync and the async styles that this request can be made in."""
    streamed = bool(body.get("stream"))
    sync: list[Style] = [create, raw, streaming_parse, streaming_read]
    asynchronous: list[Style] = [acreate, araw, astreaming_parse, astreaming_read]
    target = resource(client, api)
    if streamed:
        sync += [create_with, create_next, streaming_lines]
        asynchronous += [acreate_with]
        if hasattr(target, "stream"):
            sync.append(helper)
            asynchronous.append(ahelper)
    elif hasattr(target, "parse"):
        sync.append(parse)
        asynchronous.append(aparse)
    return sync, asynchronous
