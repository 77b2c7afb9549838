"""Lint and render a Helm chart with Helm itself, whose library PyPI's `helm-python-sdk` carries.

    python scripts/check_chart.py CHART RELEASE NAMESPACE [VALUES-FILE]  # the manifests, on standard output

A finding of the linter above information fails.
"""

from __future__ import annotations

import sys
from pathlib import Path

from helm_python import Chart  # type: ignore[import-not-found,unused-ignore]  # where it is needed
from helm_python.chart import lint, values_from_yaml  # type: ignore[import-not-found,unused-ignore]  # as above

INFORMATION = 1


def main(path: str, release: str, namespace: str, values_file: str | None = None) -> int:
    """Print the manifests; 1 if the linter finds something."""
    values = values_from_yaml(Path(values_file).read_text(encoding="utf-8")) if values_file else None
    report = lint(path, values, strict=True, namespace=namespace)
    found = [f"{told['path']}: {told['error']}" for told in report["messages"] if told["severity"] > INFORMATION]
    found += report["errors"]
    with Chart.load(path) as chart:
        manifests = chart.render(values, name=release, namespace=namespace)
    for name, text in manifests.items():
        if text.strip() and not name.endswith(".txt"):
            print(f"---\n# {name}\n{text}")
    print("\n".join(found), file=sys.stderr, end="")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
