"""Room 5, the way out: one file is one sink.

A file ``NAME.py`` here makes the exporter string ``"NAME"`` and ``"NAME:argument"`` work. It has one
function, ``create(argument: str | None, settings: Settings)``, which returns an OpenTelemetry
``SpanExporter`` and raises :class:`~agentops_sdk.errors.ConfigError` for an argument that cannot
work. An exporter whose ``export`` is quick and local says ``inline = True`` and runs on the consumer
thread; every other one gets a thread of its own. Files whose name has an underscore are parts.
"""
