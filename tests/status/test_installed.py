"""Of the libraries that are known and installed here, doctor and status say whether they are captured; in every row."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

import agentops_sdk as agentops
from agentops_integrations._libraries import LIBRARIES as CAPTURED
from agentops_sdk._pipeline import known_libraries as known
from agentops_sdk.cli.doctor import examine
from agentops_sdk.exporters.memory import MemoryExporter


def _installed(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def test_each_known_library_that_is_installed_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = [finding.what for finding in examine()]
    agentops.init(exporters=[MemoryExporter()])
    states = agentops.status().integrations
    agentops.shutdown()
    seen = 0
    for name, (_, versions, distribution) in CAPTURED.items():
        if (version := _installed(distribution)) is None:
            continue
        seen += 1
        fits = version in SpecifierSet(versions, prereleases=True)
        expected = f"{name} {version}: would be captured" if fits else f"{name}: version {version} is outside of "
        assert [what for what in told if what.startswith(expected)], (expected, told)
        assert states[name].version == version
    captured = {distribution for _, _, distribution in CAPTURED.values()}
    for rows, sentence in ((known.LIBRARIES, "installed, and not captured"), (known.THROUGH_CLIENTS, "captured by")):
        for module, distribution in rows.items():
            version = _installed(distribution)
            if version is not None and distribution not in captured:
                seen += 1
                assert [what for what in told if what.startswith(f"{module} {version}: {sentence}")], (module, told)
    assert seen, "no library that is known is installed here"
