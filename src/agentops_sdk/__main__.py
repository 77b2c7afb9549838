"""``python -m agentops_sdk`` is the command ``agentops``."""

from __future__ import annotations

import sys

from agentops_sdk.cli import main

if __name__ == "__main__":
    sys.exit(main())
