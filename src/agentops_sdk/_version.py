"""This package's version and its distribution's name, written once here; a test checks both against the metadata."""

__version__ = VERSION = "0.1.0"

# The name to install; what is imported is `agentops_sdk`.
DISTRIBUTION = "agentops-recorder"
