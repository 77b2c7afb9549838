"""Room 5, the way out: one file or folder is one sink.

A file ``NAME.py`` or a folder ``NAME`` here makes the exporter string ``"NAME"`` and ``"NAME:argument"``
work. It has one function, ``create(argument: str | None, settings: Settings)``, which returns an
OpenTelemetry ``SpanExporter`` and raises :class:`~agentops_sdk.errors.ConfigError` for an argument that
cannot work. An exporter whose ``export`` is quick and local says ``inline = True`` and runs on the consumer
thread; every other one gets a thread of its own. Names that begin with an underscore are parts that sinks share.
"""
