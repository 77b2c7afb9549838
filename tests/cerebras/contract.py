"""How the contract's tests drive this client: as those of its dialect."""

from tests.openai_dialect.driver import DialectDriver

driver = DialectDriver("cerebras")
