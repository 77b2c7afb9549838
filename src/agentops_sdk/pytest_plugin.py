"""The door through which pytest finds agentops."""
