"""Room 5, the way out: one file is one sink."""
