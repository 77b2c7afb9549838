"""Who is behind a base URL, and whether it can be asked for usage on a stream without minding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Host suffix -> gen_ai.provider.name: the conventions' name where they have one, else the provider's own.
_HOSTS = {
    "openai.com": "openai",
    "openai.azure.com": "azure.ai.openai",
    "cognitiveservices.azure.com": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.inference",
    "models.inference.ai.azure.com": "azure.ai.inference",
    "models.github.ai": "github",
    "groq.com": "groq",
    "deepseek.com": "deepseek",
    "mistral.ai": "mistral_ai",
    "x.ai": "x_ai",
    "moonshot.ai": "moonshot_ai",
    "moonshot.cn": "moonshot_ai",
    "perplexity.ai": "perplexity",
    "cohere.com": "cohere",
    "cohere.ai": "cohere",
    "anthropic.com": "anthropic",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "amazonaws.com": "aws.bedrock",
    "api.aws": "aws.bedrock",
    "ml.cloud.ibm.com": "ibm.watsonx.ai",
    "together.xyz": "together",
    "together.ai": "together",
    "openrouter.ai": "openrouter",
    "fireworks.ai": "fireworks",
    "cerebras.ai": "cerebras",
    "huggingface.co": "huggingface",
    "huggingface.cloud": "huggingface",
    "ollama.com": "ollama",
    "novita.ai": "novita",
    "crusoecloud.com": "crusoe",
    "crusoe.ai": "crusoe",
    "z.ai": "z_ai",
    "bigmodel.cn": "z_ai",
    "aliyuncs.com": "alibaba",
    "nvidia.com": "nvidia",
    "deepinfra.com": "deepinfra",
    "sambanova.ai": "sambanova",
    "hyperbolic.xyz": "hyperbolic",
    "nebius.com": "nebius",
    "siliconflow.cn": "siliconflow",
    "siliconflow.com": "siliconflow",
    "minimax.io": "minimax",
    "minimax.chat": "minimax",
    "databricks.com": "databricks",
    "azuredatabricks.net": "databricks",
    "heroku.com": "heroku",
    "ovh.net": "ovhcloud",
    "vercel.sh": "vercel",
}
_SERVERS = (
    "ollama",
    "vllm",
    "litellm",
    "localai",
    "lmstudio",
    "llamacpp",
    "tgi",
    "sglang",
)
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "host.docker.internal")
# Well-known ports of local servers; 8000 and 8080 are everybody's.
_PORTS = {11434: "ollama", 1234: "lmstudio"}

# Those known to take stream_options, from their documentation. Mistral refuses fields it does not know.
_TAKE_STREAM_OPTIONS = frozenset(
    (
        "openai", "azure.ai.openai", "groq", "deepseek", "together", "openrouter", "x_ai", "fireworks", "cerebras",
        "moonshot_ai", "ollama", "vllm", "lmstudio", "sglang", "litellm", "alibaba", "deepinfra", "z_ai",
    )
)  # fmt: skip
_AZURE_SINCE = "2024-09-01"


def provider_of(host: str, port: int | None, client: type = object) -> str:
    """``gen_ai.provider.name`` for a host; an unknown one speaks OpenAI's API, so it is ``openai``.

    Behind a gateway only the class of the ``client`` tells that it is Azure.
    """
    host = host.lower().rstrip(".")
    labels = host.split(".")
    for start in range(len(labels) - 1):
        found = _HOSTS.get(".".join(labels[start:]))
        if found is not None:
            return found
    for server in _SERVERS:
        if labels[0].replace("-", "").startswith(server):
            return server
    if is_local(host) and port in _PORTS:
        return _PORTS[port]
    return "azure.ai.openai" if any(base.__name__ == "BaseAzureClient" for base in client.__mro__) else "openai"


def is_local(host: str) -> bool:
    return host.lower() in _LOOPBACK or host.startswith("127.")


def takes_stream_options(host: str, provider: str, query: Mapping[str, Any]) -> bool:
    """Whether ``stream_options`` is safe to send to this endpoint.

    Known providers and servers on this machine are; an unknown remote host may refuse a field that
    the caller never sent, which must not happen.
    """
    if provider == "azure.ai.openai":
        version = str(query.get("api-version") or "")
        return not version[:4].isdigit() or version[:10] >= _AZURE_SINCE
    if is_local(host):
        return True
    if provider == "openai":
        return host.lower() == "openai.com" or host.lower().endswith(".openai.com")
    return provider in _TAKE_STREAM_OPTIONS
