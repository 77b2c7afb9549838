"""Prompts: templates with versions by what they hold, labels, and a folder that keeps them."""
