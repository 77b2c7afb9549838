"""What a program can see of where it runs: variables and small files, and nothing personal."""

from __future__ import annotations

import getpass
import json
import os
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk._recorder.resource_detection import detect

ID = "ab" * 32
POD = "12345678-1234-1234-1234-123456789abc"


def root_with(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        path = (
            directory
            / {
                "cgroup": "proc/self/cgroup",
                "mountinfo": "proc/self/mountinfo",
                "namespace": "var/run/secrets/kubernetes.io/serviceaccount/namespace",
            }[name]
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


@pytest.mark.parametrize(
    "files",
    [
        {"cgroup": f"12:memory:/docker/{ID}\n"},
        {"cgroup": f"1:name=systemd:/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-{ID}.scope\n"},
        {"cgroup": "0::/\n", "mountinfo": f"1 2 0:1 /docker/containers/{ID}/hostname /etc/hostname rw - ext4 a rw"},
        {"cgroup": f"0::/../cri-containerd-{ID}.scope\n"},
    ],
)  # fmt: skip
def test_a_containers_id_is_read_from_either_version_of_cgroups(tmp_path: Path, files: dict[str, str]) -> None:
    assert detect(("container",), {}, root_with(tmp_path, **files)) == {"container.id": ID}


def test_outside_of_containers_there_is_no_id(tmp_path: Path) -> None:
    root = root_with(
        tmp_path,
        cgroup="0::/user.slice/user-1000.slice/session-2.scope\n",
        mountinfo=f"1 2 0:1 /var/lib/docker/containers/{ID}/x /mnt/other rw - ext4 /dev/vda rw",
    )
    assert detect(("container", "kubernetes", "cloud"), {"HOSTNAME": "laptop"}, root) == {}


def test_kubernetes_is_told_by_the_downward_api_and_the_service_account(tmp_path: Path) -> None:
    group = f"0::/kubepods/burstable/pod{POD}/{ID}\n"
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "shop-7f9", "NODE_NAME": "node-1"}
    assert detect(("kubernetes", "container"), environ, root_with(tmp_path, cgroup=group, namespace="prod\n")) == {
        "k8s.pod.name": "shop-7f9", "k8s.pod.uid": POD, "k8s.namespace.name": "prod", "k8s.node.name": "node-1",
        "container.id": ID,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_REGION": "eu-west-1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"},
         {"cloud.provider": "aws", "cloud.platform": "aws_lambda", "cloud.region": "eu-west-1", "faas.name": "f",
          "faas.max_memory": 134_217_728}),
        ({"ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/x", "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE"},
         {"cloud.provider": "aws", "cloud.platform": "aws_ecs", "aws.ecs.launchtype": "fargate"}),
        ({"K_SERVICE": "s", "K_REVISION": "s-1", "K_CONFIGURATION": "s"},
         {"cloud.provider": "gcp", "cloud.platform": "gcp_cloud_run", "faas.name": "s", "faas.version": "s-1"}),
        ({"K_SERVICE": "s", "K_REVISION": "s-1", "FUNCTION_TARGET": "main"},
         {"cloud.provider": "gcp", "cloud.platform": "gcp_cloud_functions", "faas.name": "s", "faas.version": "s-1"}),
        ({"WEBSITE_SITE_NAME": "w", "WEBSITE_INSTANCE_ID": "i", "REGION_NAME": "West Europe"},
         {"cloud.provider": "azure", "cloud.platform": "azure.app_service", "service.instance.id": "i",
          "cloud.region": "West Europe"}),
        ({"CONTAINER_APP_NAME": "a", "CONTAINER_APP_REPLICA_NAME": "a--1-x"},
         {"cloud.provider": "azure", "cloud.platform": "azure.container_apps", "faas.name": "a",
          "service.instance.id": "a--1-x"}),
        ({"DYNO": "web.1", "HEROKU_APP_ID": "u", "HEROKU_RELEASE_VERSION": "v42"},
         {"cloud.provider": "heroku", "cloud.platform": "heroku", "service.instance.id": "web.1", "heroku.app.id": "u",
          "service.version": "v42"}),
        ({"FLY_APP_NAME": "x", "FLY_REGION": "ams", "FLY_MACHINE_ID": "m"},
         {"cloud.provider": "fly_io", "cloud.platform": "fly_io", "cloud.region": "ams", "service.instance.id": "m"}),
    ],
)  # fmt: skip
def test_a_platform_is_known_by_its_variables(environ: dict[str, str], wanted: dict[str, Any], tmp_path: Path) -> None:
    assert detect(("cloud",), environ, tmp_path) == wanted


def resource_of_a_span(**settings: Any) -> dict[str, Any]:
    agentops.init(integrations=[], **settings)
    with agentops.span("work"):
        pass
    agentops.shutdown()
    (path,) = Path(".agentops/traces").glob("*.jsonl")
    record: dict[str, Any] = json.loads(path.read_text())
    path.unlink()
    return record["resource"]


def test_every_span_tells_it_and_nothing_personal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("OTEL_", "AGENTOPS_", "GITHUB_", "CI_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["program.py", "--password=hunter2"])
    Path("pyproject.toml").write_text('[project]\nname = "shop"\nversion = "4.2"\n')
    status = agentops.init(integrations=[])
    resource = resource_of_a_span()
    assert resource["process.runtime.name"] == "cpython"
    assert resource["host.name"] == os.uname().nodename
    assert resource["os.type"] == "linux"
    assert resource["service.version"] == "4.2"
    assert status.resource == resource
    text = json.dumps(resource)
    assert "hunter2" not in text
    assert str(Path.home()) not in text
    assert getpass.getuser() not in {str(value) for value in resource.values()}
    assert "host.id" not in resource
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "host.name=mine")
    assert resource_of_a_span()["host.name"] == "mine"
    monkeypatch.setenv("AGENTOPS_RESOURCE_DETECTORS", "none")
    assert set(resource_of_a_span()) == {
        "telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version", "telemetry.distro.name",
        "telemetry.distro.version", "process.pid", "service.name", "host.name",
    }  # fmt: skip


def test_a_branch_is_told_with_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = "0123456789" * 4
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "CI_")):
            monkeypatch.delenv(name)
    (tmp_path / ".git/refs/heads/feature").mkdir(parents=True)
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/feature/x\n")
    (tmp_path / ".git/refs/heads/feature/x").write_text(f"{commit}\n")
    names = "vcs.ref.head.revision", "vcs.ref.head.name", "vcs.ref.head.type", "service.version"
    resource = resource_of_a_span()
    assert tuple(resource[name] for name in names) == (commit, "feature/x", "branch", commit[:12])
    monkeypatch.setenv("GITHUB_SHA", "f" * 40)
    monkeypatch.setenv("GITHUB_REF_NAME", "v1")
    monkeypatch.setenv("GITHUB_REF_TYPE", "tag")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "team/shop")
    resource = resource_of_a_span()
    assert tuple(resource[name] for name in names[:3]) == ("f" * 40, "v1", "tag")
    assert resource["vcs.repository.url.full"] == "https://github.example/team/shop"
    monkeypatch.setenv("AGENTOPS_RESOURCE_DETECTORS", "process,host")
    assert "vcs.ref.head.revision" not in resource_of_a_span()
