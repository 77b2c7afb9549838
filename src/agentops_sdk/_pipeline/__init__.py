"""Room 4: the queue and its one consumer thread, the sinks' adapters, and what ties all rooms together."""
