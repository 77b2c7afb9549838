"""The library of each integration: import name, versions, distribution. Made by ``make generated``.

``init()`` waits for libraries by this list, and loads an integration with its library. What is not here is
loaded at once.
"""

LIBRARIES = {
    "a2a": ("a2a", ">=1.0,<2", "a2a-sdk"),
    "ag2": ("ag2", ">=1.2,<2", "ag2"),
    "agent_framework": ("agent_framework", ">=1.23,<2", "agent-framework-core"),
    "agno": ("agno", ">=3.0,<4", "agno"),
    "anthropic": ("anthropic", ">=0.40,<3", "anthropic"),
    "autogen": ("autogen_core", ">=0.7,<1", "autogen-core"),
    "bedrock": ("botocore", ">=1.35,<2", "botocore"),
    "celery": ("celery", ">=5.3,<6", "celery"),
    "cerebras": ("cerebras.cloud.sdk", ">=1.0,<2", "cerebras-cloud-sdk"),
    "chroma": ("chromadb", ">=1.0,<2", "chromadb"),
    "claude_agent": ("claude_agent_sdk", ">=0.2.189,<1", "claude-agent-sdk"),
    "cohere": ("cohere", ">=5.21,<8", "cohere"),
    "crewai": ("crewai", ">=1.15,<2", "crewai"),
    "dspy": ("dspy", ">=3.4,<4", "dspy"),
    "google_adk": ("google.adk", ">=2.13,<3", "google-adk"),
    "google_genai": ("google.genai", ">=2.0,<4", "google-genai"),
    "groq": ("groq", ">=0.13,<2", "groq"),
    "haystack": ("haystack", ">=2.20,<4", "haystack-ai"),
    "lancedb": ("lancedb", ">=0.30,<1", "lancedb"),
    "langchain": ("langchain_core", ">=1.0,<2", "langchain-core"),
    "litellm": ("litellm", ">=1.110,<2", "litellm"),
    "llama_index": ("llama_index.core", ">=0.14,<1", "llama-index-core"),
    "mcp": ("mcp", ">=1.20,<3", "mcp"),
    "mistral": ("mistralai.client", ">=2.0,<4", "mistralai"),
    "ollama": ("ollama", ">=0.5,<1", "ollama"),
    "openai": ("openai", ">=1.50,<4", "openai"),
    "openai_agents": ("agents", ">=0.20,<1", "openai-agents"),
    "perplexity": ("perplexity", ">=0.16,<1", "perplexityai"),
    "pinecone": ("pinecone", ">=9,<11", "pinecone"),
    "pydantic_ai": ("pydantic_ai", ">=2.60,<3", "pydantic-ai-slim"),
    "qdrant": ("qdrant_client", ">=1.16,<2", "qdrant-client"),
    "smolagents": ("smolagents", ">=1.20,<2", "smolagents"),
    "strands": ("strands", ">=1.62,<2", "strands-agents"),
    "together": ("together", ">=2.0,<4", "together"),
    "weaviate": ("weaviate", ">=4.16,<5", "weaviate-client"),
    "xai": ("xai_sdk", ">=1.21,<2", "xai-sdk"),
}
