"""What may leave: the content switch, size limits and the search for secrets. Consumer thread."""
