"""Room 2: the live operation, from its start to the one end it has. Knows nothing of queues or sinks."""
