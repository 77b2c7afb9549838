"""Room 1 for clients: one request and its reply, whoever's client it is. Knows no provider."""
