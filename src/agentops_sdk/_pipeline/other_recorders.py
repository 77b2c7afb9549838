"""SDKs that record what we record: which are installed, and what works beside them."""

from __future__ import annotations

import importlib.metadata
from typing import Final

__all__ = ["installed"]

_TWICE: Final = (
    "Works beside it: each call stands once in our files. Where both use one provider, its exporter shows our spans "
    "beside its own: leave one of the two out, by init(integrations=[...])"
)
# Distribution and what works beside it.
_SDKS: Final = {
    "agentops": f"Another distribution, imported as `agentops`; ours is imported as `agentops_sdk`. {_TWICE}",
    "arize-phoenix-otel": _TWICE,
    "langfuse": _TWICE + "; import openai itself in place of langfuse.openai",
    "langsmith": "Works beside it: its client sends on its own, and each call stands once in our files",
    "logfire": "Call init() last; or logfire.instrument_openai(..., suppress_other_instrumentation=False) after it: "
    "without that it hides the calls from us. " + _TWICE,
    "mlflow": "Works beside it: it keeps to a provider of its own, and each call stands once in our files",
    "mlflow-tracing": "Works beside it: it keeps to a provider of its own, and each call stands once in our files",
    "openinference-instrumentation": _TWICE,
    "traceloop-sdk": _TWICE,
}


def installed() -> dict[str, tuple[str, str]]:
    """Version and sentence by distribution, of those that are there."""
    there: dict[str, tuple[str, str]] = {}
    for name, sentence in _SDKS.items():
        try:
            there[name] = importlib.metadata.version(name), sentence
        except importlib.metadata.PackageNotFoundError:
            continue
    return there
