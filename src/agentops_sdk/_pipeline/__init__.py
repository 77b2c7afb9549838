"""Rooms 3 and 4: spans, the queue and its one consumer thread, the sinks' adapters, and what ties them together."""
