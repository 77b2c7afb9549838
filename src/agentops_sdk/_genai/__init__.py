"""Bodies of requests and replies in the conventions' form: pure functions, on the consumer thread."""
