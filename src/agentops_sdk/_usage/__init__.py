"""Tokens and cost: worked out on the consumer thread from what a reply or a stream told."""
