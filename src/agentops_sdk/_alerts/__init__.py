"""Alerts: what ended spans say about rules, who is told, and the traces that are kept for them."""
