"""Somebody's data, taken out of everything below a directory."""
