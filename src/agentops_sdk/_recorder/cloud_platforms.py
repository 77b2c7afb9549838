"""Where the program runs, told by the variables that clouds and hosts set: one row a platform, nothing is asked.

The names of attributes are those of OpenTelemetry's conventions for resources.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agentops_sdk._named_tuple import NamedTuple

__all__ = ["cloud_attributes"]


class Platform(NamedTuple):
    """One platform: all ``markers`` are set there; of an attribute's variables the first that is set counts."""

    markers: tuple[str, ...]
    provider: str
    platform: str
    attributes: Mapping[str, tuple[str, ...]]


_AWS_REGION: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")
_GCP_ACCOUNT: Final = ("GOOGLE_CLOUD_PROJECT", "GCP_PROJECT", "GCLOUD_PROJECT")
_INSTANCE: Final = "service.instance.id"
_ENVIRONMENT: Final = "deployment.environment.name"

PLATFORMS: Final = (
    Platform(("AWS_LAMBDA_FUNCTION_NAME",), "aws", "aws_lambda", {
        "cloud.region": _AWS_REGION, "faas.name": ("AWS_LAMBDA_FUNCTION_NAME",),
        "faas.version": ("AWS_LAMBDA_FUNCTION_VERSION",), "faas.instance": ("AWS_LAMBDA_LOG_STREAM_NAME",),
        "faas.max_memory": ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE",), "aws.log.group.names": ("AWS_LAMBDA_LOG_GROUP_NAME",),
    }),
    Platform(("ECS_CONTAINER_METADATA_URI_V4",), "aws", "aws_ecs", {
        "cloud.region": _AWS_REGION, "aws.ecs.launchtype": ("AWS_EXECUTION_ENV",),
    }),
    Platform(("ECS_CONTAINER_METADATA_URI",), "aws", "aws_ecs", {
        "cloud.region": _AWS_REGION, "aws.ecs.launchtype": ("AWS_EXECUTION_ENV",),
    }),
    Platform(("K_SERVICE", "FUNCTION_TARGET"), "gcp", "gcp_cloud_functions", {
        "faas.name": ("K_SERVICE",), "faas.version": ("K_REVISION",), "cloud.account.id": _GCP_ACCOUNT,
        "cloud.region": ("FUNCTION_REGION", "GOOGLE_CLOUD_REGION"),
    }),
    Platform(("FUNCTION_NAME", "FUNCTION_REGION"), "gcp", "gcp_cloud_functions", {
        "faas.name": ("FUNCTION_NAME",), "faas.version": ("X_GOOGLE_FUNCTION_VERSION",),
        "cloud.account.id": _GCP_ACCOUNT, "cloud.region": ("FUNCTION_REGION",),
    }),
    Platform(("K_SERVICE", "K_REVISION"), "gcp", "gcp_cloud_run", {
        "faas.name": ("K_SERVICE",), "faas.version": ("K_REVISION",), "cloud.account.id": _GCP_ACCOUNT,
        "cloud.region": ("CLOUD_RUN_REGION", "GOOGLE_CLOUD_REGION"),
    }),
    Platform(("CLOUD_RUN_JOB",), "gcp", "gcp_cloud_run", {
        "faas.name": ("CLOUD_RUN_JOB",), "gcp.cloud_run.job.execution": ("CLOUD_RUN_EXECUTION",),
        "gcp.cloud_run.job.task_index": ("CLOUD_RUN_TASK_INDEX",), "cloud.account.id": _GCP_ACCOUNT,
    }),
    Platform(("GAE_SERVICE",), "gcp", "gcp_app_engine", {
        "faas.name": ("GAE_SERVICE",), "faas.version": ("GAE_VERSION",), "faas.instance": ("GAE_INSTANCE",),
        "cloud.account.id": _GCP_ACCOUNT,
    }),
    Platform(("CONTAINER_APP_NAME",), "azure", "azure.container_apps", {
        _INSTANCE: ("CONTAINER_APP_REPLICA_NAME",), "faas.version": ("CONTAINER_APP_REVISION",),
        "faas.name": ("CONTAINER_APP_NAME",),
    }),
    Platform(("WEBSITE_SITE_NAME", "FUNCTIONS_EXTENSION_VERSION"), "azure", "azure.functions", {
        "faas.name": ("WEBSITE_SITE_NAME",), "faas.instance": ("WEBSITE_INSTANCE_ID",),
        "faas.max_memory": ("WEBSITE_MEMORY_LIMIT_MB",), "cloud.region": ("REGION_NAME",),
        "azure.resource_group.name": ("WEBSITE_RESOURCE_GROUP",),
    }),
    Platform(("WEBSITE_SITE_NAME", "WEBSITE_INSTANCE_ID"), "azure", "azure.app_service", {
        _INSTANCE: ("WEBSITE_INSTANCE_ID",), "cloud.region": ("REGION_NAME",), _ENVIRONMENT: ("WEBSITE_SLOT_NAME",),
        "azure.resource_group.name": ("WEBSITE_RESOURCE_GROUP",),
    }),
    Platform(("DYNO",), "heroku", "heroku", {
        _INSTANCE: ("DYNO",), "heroku.app.id": ("HEROKU_APP_ID",), "heroku.release.commit": ("HEROKU_SLUG_COMMIT",),
        "heroku.release.creation_timestamp": ("HEROKU_RELEASE_CREATED_AT",),
        "service.version": ("HEROKU_RELEASE_VERSION",),
    }),
    Platform(("FLY_APP_NAME",), "fly_io", "fly_io", {
        _INSTANCE: ("FLY_MACHINE_ID", "FLY_ALLOC_ID"), "cloud.region": ("FLY_REGION",),
        "service.version": ("FLY_MACHINE_VERSION",),
    }),
    Platform(("RENDER", "RENDER_SERVICE_ID"), "render", "render", {
        _INSTANCE: ("RENDER_INSTANCE_ID",), "cloud.resource_id": ("RENDER_SERVICE_ID",),
    }),
    Platform(("RAILWAY_PROJECT_ID",), "railway", "railway", {
        _INSTANCE: ("RAILWAY_REPLICA_ID",), "cloud.region": ("RAILWAY_REPLICA_REGION",),
        "cloud.resource_id": ("RAILWAY_SERVICE_ID",), "cloud.account.id": ("RAILWAY_PROJECT_ID",),
        _ENVIRONMENT: ("RAILWAY_ENVIRONMENT_NAME", "RAILWAY_ENVIRONMENT"),
    }),
    Platform(("VERCEL", "VERCEL_ENV"), "vercel", "vercel", {
        "cloud.region": ("VERCEL_REGION",), "cloud.account.id": ("VERCEL_PROJECT_ID",),
        _INSTANCE: ("VERCEL_DEPLOYMENT_ID",), _ENVIRONMENT: ("VERCEL_ENV",),
    }),
    Platform(("MODAL_TASK_ID",), "modal", "modal", {
        "faas.instance": ("MODAL_TASK_ID",), "cloud.region": ("MODAL_REGION",), _ENVIRONMENT: ("MODAL_ENVIRONMENT",),
    }),
)  # fmt: skip
"""The first that fits is the one: what is special stands before what is general."""

_MEGABYTES: Final = "faas.max_memory"
_LAUNCH_TYPES: Final = {"AWS_ECS_FARGATE": "fargate", "AWS_ECS_EC2": "ec2"}


def cloud_attributes(environ: Mapping[str, str]) -> dict[str, Any]:
    """``cloud.*``, ``faas.*`` and what else the platform's variables tell; nothing where there is none of them."""
    for platform in PLATFORMS:
        if all(environ.get(marker, "").strip() for marker in platform.markers):
            break
    else:
        return {}
    attributes: dict[str, Any] = {"cloud.provider": platform.provider, "cloud.platform": platform.platform}
    for name, variables in platform.attributes.items():
        text = next((text for variable in variables if (text := environ.get(variable, "").strip())), "")
        if text and (value := _value(name, text)) is not None:
            attributes[name] = value
    return attributes


def _value(name: str, text: str) -> Any:
    if name == _MEGABYTES:
        return int(text) * 1_048_576 if text.isdecimal() else None
    if name == "gcp.cloud_run.job.task_index":
        return int(text) if text.isdecimal() else None
    if name == "aws.ecs.launchtype":
        return _LAUNCH_TYPES.get(text)
    return [text] if name == "aws.log.group.names" else text
