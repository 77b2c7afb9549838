"""Who made the spans: the process as an OpenTelemetry resource, and our instrumentation scope."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.version import __version__ as OPENTELEMETRY_VERSION  # noqa: N812 - a constant

from agentops_sdk import semconv
from agentops_sdk._recorder.host_provider import SCOPE
from agentops_sdk._recorder.release_identity import release_attributes
from agentops_sdk._scrub.policy import Policy
from agentops_sdk._version import DISTRIBUTION, VERSION
from agentops_sdk.config import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope


def scope() -> InstrumentationScope:
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    return InstrumentationScope(SCOPE, VERSION)


def resource(settings: Settings, policy: Policy) -> Resource:
    """The process as an OpenTelemetry resource."""
    from opentelemetry.sdk.resources import Resource

    # Not Resource.create(): its detectors start a thread pool, which an ending interpreter refuses.
    return Resource(attributes(settings, policy))


def attributes(settings: Settings, policy: Policy) -> dict[str, Any]:
    """The process; what the user's settings say of it is limited and scrubbed like everything else."""
    return {
        semconv.TELEMETRY_SDK_LANGUAGE: "python",
        semconv.TELEMETRY_SDK_NAME: "opentelemetry",
        semconv.TELEMETRY_SDK_VERSION: OPENTELEMETRY_VERSION,
        semconv.TELEMETRY_DISTRO_NAME: DISTRIBUTION,
        semconv.TELEMETRY_DISTRO_VERSION: VERSION,
        semconv.PROCESS_PID: os.getpid(),
        **policy.apply(
            {
                semconv.SERVICE_NAME: settings.service_name,
                **settings.resource_attributes,
                **release_attributes(settings),
            }
        ),
    }
