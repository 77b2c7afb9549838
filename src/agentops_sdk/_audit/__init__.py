"""The audit log: what was done to and by the agents of a folder, in a chain that shows any change."""
