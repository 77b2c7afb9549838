"""Rooms 1 and 2: interception, the live call, content and its scrubbing. Knows nothing of queues or sinks."""
