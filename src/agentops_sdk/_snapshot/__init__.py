"""Values of the user's as bytes, at once: bounded, and without running a line of the user's code."""
