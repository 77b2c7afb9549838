"""What PyInstaller asks an installed package for, by the entry point ``pyinstaller40``: where its hooks are."""

from __future__ import annotations

from pathlib import Path


def get_hook_dirs() -> list[str]:
    """The folder of ``hook-agentops_sdk.py``."""
    return [str(Path(__file__).parent)]
