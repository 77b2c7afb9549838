"""Room 3: a span from its start to the form that sinks take, through our recorder or the program's own provider."""
