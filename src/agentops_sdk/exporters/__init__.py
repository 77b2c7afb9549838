"""Room 5, the way out: one file or folder is one sink.

A file ``NAME.py`` or a folder ``NAME`` here makes the exporter string ``"NAME"`` and ``"NAME:argument"``
work. It has one function, ``create(argument: str | None, settings: Settings)``, which returns an
OpenTelemetry ``SpanExporter`` and raises :class:`~agentops_sdk.errors.ConfigError` for an argument that
cannot work. What else an exporter may offer is in ``contract.py``. Names that begin with an underscore are parts that
sinks share.
"""
