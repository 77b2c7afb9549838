"""Rewrite every page that is made from the code; with --check, only say whether one is out of date."""

from __future__ import annotations
