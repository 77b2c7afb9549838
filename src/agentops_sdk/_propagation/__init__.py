"""What a span inherits from where it runs, and how that follows threads, processes and requests."""
