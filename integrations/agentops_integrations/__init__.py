"""One file or package here is one library that agentops understands."""
