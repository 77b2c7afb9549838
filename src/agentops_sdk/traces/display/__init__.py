"""What people see of a trace: the tree in a terminal, messages, a notebook's HTML."""
