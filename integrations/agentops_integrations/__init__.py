"""One file or package here is one library that agentops understands.

PYTEST_DONT_REWRITE: pytest finds it imported already where ``agentops run`` began it, and would warn of that.
"""
