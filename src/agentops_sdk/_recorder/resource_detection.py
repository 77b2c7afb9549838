"""What can be seen of process, host, container and cluster from inside: variables and small files, no network.

Run on the consumer thread with the first span. Left out is what may be personal: the user's name, the command line and
its arguments, paths, the machine's id.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from agentops_sdk._recorder.cloud_platforms import cloud_attributes

__all__ = ["DETECTORS", "detect"]

_ARCHITECTURES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "i386": "x86",
                         "i686": "x86", "armv7l": "arm32", "ppc64le": "ppc64", "s390x": "s390x"}  # fmt: skip
_SYSTEMS: Final = {"win32": "windows", "cygwin": "windows"}
_CONTAINER: Final = r"(?:^|[/:-])([0-9a-f]{64}|[0-9a-f]{32}-[0-9]{8,})(?:\.scope)?(?:$|[/\s])"
_MOUNTED: Final = r"/(?:containers|overlay-containers|sandboxes)/([0-9a-f]{64})/"
_POD: Final = r"pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})"
_ACCOUNT: Final = "var/run/secrets/kubernetes.io/serviceaccount"
_KUBERNETES: Final = {
    "k8s.pod.name": ("K8S_POD_NAME", "KUBERNETES_POD_NAME", "POD_NAME", "MY_POD_NAME", "HOSTNAME"),
    "k8s.pod.uid": ("K8S_POD_UID", "KUBERNETES_POD_UID", "POD_UID", "MY_POD_UID"),
    "k8s.namespace.name": ("K8S_NAMESPACE_NAME", "KUBERNETES_NAMESPACE", "POD_NAMESPACE", "MY_POD_NAMESPACE"),
    "k8s.node.name": ("K8S_NODE_NAME", "KUBERNETES_NODE_NAME", "NODE_NAME", "MY_NODE_NAME"),
    "k8s.container.name": ("K8S_CONTAINER_NAME", "KUBERNETES_CONTAINER_NAME", "CONTAINER_NAME"),
    "k8s.deployment.name": ("K8S_DEPLOYMENT_NAME", "KUBERNETES_DEPLOYMENT_NAME"),
    "k8s.cluster.name": ("K8S_CLUSTER_NAME", "KUBERNETES_CLUSTER_NAME", "CLUSTER_NAME"),
}
"""By which names the downward API's values are usually passed on; the pod's host name is its name."""
_LARGEST: Final = 1_048_576

Detector = Callable[[Mapping[str, str], Path], Mapping[str, Any]]


def detect(names: tuple[str, ...], environ: Mapping[str, str], root: Path = Path("/")) -> dict[str, Any]:
    """What the detectors of these names find; one that fails finds nothing."""
    found: dict[str, Any] = {}
    for name in names:
        try:
            found.update(DETECTORS[name](environ, root))
        except (OSError, ValueError, KeyError):
            continue
    return found


def _process(environ: Mapping[str, str], root: Path) -> dict[str, Any]:
    version = sys.implementation.version
    attributes = {
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": ".".join(map(str, version[:3])) + (f"{version[3]}{version[4]}"
                                                                      if version[3] != "final" else ""),
        "process.runtime.description": sys.version.replace("\n", ""),
    }  # fmt: skip
    if sys.executable:
        attributes["process.executable.name"] = Path(sys.executable).name
    return attributes


def _host(environ: Mapping[str, str], root: Path) -> dict[str, Any]:
    machine = platform.machine().lower()
    attributes = {
        "host.name": platform.node(),
        "host.arch": _ARCHITECTURES.get(machine, machine),
        "os.type": _SYSTEMS.get(sys.platform, sys.platform),
        "os.version": platform.release(),
    }
    return {name: value for name, value in attributes.items() if value}


def _container(environ: Mapping[str, str], root: Path) -> dict[str, Any]:
    for line in _lines(root / "proc/self/cgroup"):  # version 1, and 2 where the container sees the host's groups
        if (match := re.search(_CONTAINER, line)) is not None:
            return {"container.id": match[1]}
    for line in _lines(root / "proc/self/mountinfo"):  # version 2: what the engine mounts is named after the container
        of_engine = any(f" /etc/{name} " in line for name in ("hostname", "hosts", "resolv.conf"))
        if of_engine and (match := re.search(_MOUNTED, line)) is not None:
            return {"container.id": match[1]}
    return {}


def _kubernetes(environ: Mapping[str, str], root: Path) -> dict[str, Any]:
    account = root / _ACCOUNT
    if not environ.get("KUBERNETES_SERVICE_HOST") and not account.is_dir():
        return {}
    attributes: dict[str, Any] = {}
    for name, variables in _KUBERNETES.items():
        if value := next((value for variable in variables if (value := environ.get(variable, "").strip())), ""):
            attributes[name] = value
    if "k8s.namespace.name" not in attributes and (namespace := "".join(_lines(account / "namespace")).strip()):
        attributes["k8s.namespace.name"] = namespace
    if "k8s.pod.uid" not in attributes:
        for line in _lines(root / "proc/self/cgroup"):
            if (match := re.search(_POD, line)) is not None:
                attributes["k8s.pod.uid"] = match[1].replace("_", "-")
                break
    return attributes


def _cloud(environ: Mapping[str, str], root: Path) -> dict[str, Any]:
    return cloud_attributes(environ)


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode("utf-8", "replace").splitlines()
    except OSError:
        return []


DETECTORS: Final[Mapping[str, Detector]] = {
    "process": _process,
    "host": _host,
    "container": _container,
    "kubernetes": _kubernetes,
    "cloud": _cloud,
}
