"""What PyInstaller cannot see: sinks, integrations and commands are found by looking into their folders at run time."""

from importlib.metadata import PackageNotFoundError

from PyInstaller.utils.hooks import collect_data_files, collect_entry_point, collect_submodules, copy_metadata

from agentops_sdk._pipeline.known_libraries import LIBRARIES
from agentops_sdk._version import DISTRIBUTION


def _runs_in_programs(module: str) -> bool:
    return "__pyinstaller" not in module and "pytest" not in module


excludedimports = ["pytest", "syrupy"]
hiddenimports = [
    *collect_submodules("agentops_sdk", filter=_runs_in_programs),
    *collect_submodules("agentops_integrations"),
    *collect_submodules("opentelemetry.context"),
    *collect_submodules("opentelemetry.exporter.otlp.proto.common"),
    *collect_submodules("opentelemetry.proto"),
]
datas = [*collect_data_files("agentops_sdk"), *collect_data_files("genai_prices")]

# Versions decide what is captured, and other people's sinks and integrations are found by entry points.
datas += copy_metadata(DISTRIBUTION, recursive=True)
for distribution in sorted(set(LIBRARIES.values())):
    try:
        datas += copy_metadata(distribution)
    except PackageNotFoundError:
        continue
for group in ("agentops_sdk.exporters", "agentops_sdk.integrations"):
    more_datas, more_imports = collect_entry_point(group)
    datas += more_datas
    hiddenimports += more_imports
