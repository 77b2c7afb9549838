"""Servers on loopback that answer as told: what tests of integrations talk to."""
