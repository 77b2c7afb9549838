"""Who made the spans: the process as an OpenTelemetry resource, and our instrumentation scope."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.version import __version__ as OPENTELEMETRY_VERSION  # noqa: N812 - a constant

from agentops_sdk import semconv
from agentops_sdk._recorder.host_provider import SCOPE
from agentops_sdk._recorder.release_identity import release_attributes
from agentops_sdk._recorder.resource_detection import detect
from agentops_sdk._scrub.policy import Policy
from agentops_sdk._version import DISTRIBUTION, VERSION
from agentops_sdk.config import Settings
from agentops_sdk.traces.formats.finished_span import ProcessScope

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource


SPAN_SCOPE: Final[Any] = ProcessScope(SCOPE, VERSION)
"""By what our spans were made."""


def resource(settings: Settings, policy: Policy, here: Path | None) -> Resource:
    """The process as an OpenTelemetry resource."""
    from opentelemetry.sdk.resources import Resource

    # Not Resource.create(): its detectors start a thread pool, which an ending interpreter refuses.
    return Resource(attributes(settings, policy, here))


def attributes(settings: Settings, policy: Policy, here: Path | None) -> dict[str, Any]:
    """The process, and where it runs; limited and scrubbed like everything else.

    What the user's settings say wins over what the release is found to be, and both over what is detected.

    Args:
        settings: those in force.
        policy: what may leave.
        here: the working directory as recording began.
    """
    return {
        semconv.TELEMETRY_SDK_LANGUAGE: "python",
        semconv.TELEMETRY_SDK_NAME: "opentelemetry",
        semconv.TELEMETRY_SDK_VERSION: OPENTELEMETRY_VERSION,
        semconv.TELEMETRY_DISTRO_NAME: DISTRIBUTION,
        semconv.TELEMETRY_DISTRO_VERSION: VERSION,
        semconv.PROCESS_PID: os.getpid(),
        **policy.apply(
            {
                **detect(settings.resource_detectors, os.environ),
                semconv.SERVICE_NAME: settings.service_name,
                **settings.resource_attributes,
                **release_attributes(settings, os.environ, here),
            }
        ),
    }
