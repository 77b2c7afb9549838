"""What a directory of traces can show to who asks how agents are watched: figures, each with its query."""
