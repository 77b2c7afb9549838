"""Life in somebody else's program: nothing of ours breaks it, holds it up or stays behind in it."""
