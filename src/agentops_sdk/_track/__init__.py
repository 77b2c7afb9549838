"""What stands behind ``@track`` and ``span()``: functions and generators of the user's own as operations."""
