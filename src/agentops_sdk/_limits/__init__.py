"""Limits that hold: what has been used, what calls under way are expected to use, and whether the next may begin."""
