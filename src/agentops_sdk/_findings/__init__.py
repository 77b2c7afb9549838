"""Security findings: what in a run looks like an attack, or its consequence. Consumer thread; no protection."""
