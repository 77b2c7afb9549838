"""Which provider a base URL belongs to, and whether it accepts ``stream_options`` on a stream."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
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
        "moonshot_ai", "ollama", "lmstudio", "alibaba", "deepinfra", "z_ai",
    )
)  # fmt: skip
_AZURE_SINCE = "2024-09-01"


def provider_of(host: str, port: int | None, client: type = object) -> str:
    """``gen_ai.provider.name`` for a host; an unknown one speaks OpenAI's API, so it is ``openai``.

    Behind a gateway only the class of the ``client`` tells that it is Azure.
    """
    known = _known(host, port)
    if known is not None:
        return known
    first = host.lower().partition(".")[0].replace("-", "")
    for server in _SERVERS:
        if first.startswith(server):
            return server
    return "azure.ai.openai" if any(base.__name__ == "BaseAzureClient" for base in client.__mro__) else "openai"


def is_known(host: str, port: int | None) -> bool:
    """Whether the address tells the provider, and nobody has to guess."""
    return _known(host, port) is not None


def is_local(host: str) -> bool:
    return host.lower() in _LOOPBACK or host.startswith("127.")


def takes_stream_options(host: str, port: int | None, query: Mapping[str, Any]) -> bool:
    """Whether the provider at this address is known to take ``stream_options``.

    Any other may refuse a field that the caller never wrote: a gateway that is called after its provider, a server on
    this machine. Only a server on the port that is its own is known.
    """
    provider = _known(host, port)
    if provider == "azure.ai.openai":
        version = str(query.get("api-version") or "")
        return not version[:4].isdigit() or version[:10] >= _AZURE_SINCE
    return provider in _TAKE_STREAM_OPTIONS


@lru_cache(maxsize=256)
def _known(host: str, port: int | None) -> str | None:
    """The provider whose address this is, by the table and nothing else."""
    host = host.lower().rstrip(".")
    labels = host.split(".")
    for start in range(len(labels) - 1):
        provider = _HOSTS.get(".".join(labels[start:]))
        if provider is not None:
            return provider
    return _PORTS.get(port or 0) if is_local(host) else None
