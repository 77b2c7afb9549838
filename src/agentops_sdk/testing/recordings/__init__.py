"""Exchanges with a model as files, and the boundary where requests are recorded, answered or refused."""
