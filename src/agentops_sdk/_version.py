"""This package's version, written once here; the distribution's metadata is checked against it by a test."""

__version__ = VERSION = "0.1.0"
