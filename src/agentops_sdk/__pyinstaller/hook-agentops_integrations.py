"""The libraries that integrations are for come along where the program itself imports them, and not through us."""

from agentops_sdk._pipeline.known_libraries import LIBRARIES

excludedimports = sorted({*LIBRARIES, "langchain", "langchain_openai", "langgraph"})
