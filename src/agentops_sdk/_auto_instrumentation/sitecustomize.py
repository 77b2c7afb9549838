"""Begins recording as Python starts, because ``agentops run`` put this folder into ``PYTHONPATH``.

It stands before a ``sitecustomize`` of the user's: that one is run first, and all is then as if this were not here.
"""

import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != _here]
sys.modules.pop("sitecustomize", None)
try:
    # Where there is none, the ImportError is what Python expects.
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401 - the user's own
finally:
    try:
        from agentops_sdk._auto_instrumentation.startup import begin
    except ModuleNotFoundError as error:
        if error.name != "agentops_sdk":  # else a Python of another environment, where we are not installed
            raise
    else:
        begin()
