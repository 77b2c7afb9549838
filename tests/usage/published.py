"""Prices as their providers published them, written down by hand: US dollars per million tokens.

Each row: provider, model, the day, input, cached input (None: no discount), output, and where the figure
stands. They were written from the providers' pages without looking at the price table, so that a
disagreement shows. ``CORRECTED`` names the rows where the table was wrong and our overlay puts it right.
"""

from __future__ import annotations

OPENAI = "https://platform.openai.com/docs/pricing"
ANTHROPIC = "https://docs.anthropic.com/en/docs/about-claude/pricing"
GOOGLE = "https://ai.google.dev/gemini-api/docs/pricing"
GROQ = "https://groq.com/pricing"
MISTRAL = "https://mistral.ai/pricing"
DEEPSEEK = "https://api-docs.deepseek.com/quick_start/pricing"
COHERE = "https://cohere.com/pricing"
AMAZON = "https://aws.amazon.com/bedrock/pricing"
XAI = "https://docs.x.ai/docs/models"
TOGETHER = "https://www.together.ai/pricing"
CEREBRAS = "https://www.cerebras.ai/pricing"

Row = tuple[str, str, str, str, str | None, str, str]
ROWS: list[Row] = [
    ("openai", "gpt-4o", "2025-08-07", "2.50", "1.25", "10", OPENAI),
    ("openai", "gpt-4o-2024-08-06", "2025-08-07", "2.50", "1.25", "10", OPENAI),
    ("openai", "gpt-4o-2024-05-13", "2025-08-07", "5", None, "15", OPENAI),
    ("openai", "gpt-4o-mini-2024-07-18", "2025-08-07", "0.15", "0.075", "0.60", OPENAI),
    ("openai", "gpt-4.1-2025-04-14", "2025-08-07", "2", "0.50", "8", OPENAI),
    ("openai", "gpt-4.1-mini-2025-04-14", "2025-08-07", "0.40", "0.10", "1.60", OPENAI),
    ("openai", "gpt-4.1-nano-2025-04-14", "2025-08-07", "0.10", "0.025", "0.40", OPENAI),
    ("openai", "gpt-5-2025-08-07", "2025-08-07", "1.25", "0.125", "10", OPENAI),
    ("openai", "gpt-5-mini-2025-08-07", "2025-08-07", "0.25", "0.025", "2", OPENAI),
    ("openai", "gpt-5-nano-2025-08-07", "2025-08-07", "0.05", "0.005", "0.40", OPENAI),
    ("openai", "gpt-5.2-2025-12-11", "2025-12-11", "1.75", "0.175", "14", OPENAI),
    ("openai", "gpt-5.4-2026-03-05", "2026-06-04", "2.50", "0.25", "15", OPENAI),
    ("openai", "gpt-5.4-mini-2026-03-17", "2026-06-04", "0.75", "0.075", "4.50", OPENAI),
    ("openai", "gpt-5.4-nano", "2026-06-04", "0.20", "0.02", "1.25", OPENAI),
    ("openai", "gpt-5.5-2026-04-23", "2026-06-04", "5", "0.50", "30", OPENAI),
    ("openai", "gpt-4.5-preview-2025-02-27", "2025-04-14", "75", "37.50", "150", OPENAI),
    ("openai", "gpt-4-0613", "2025-08-07", "30", None, "60", OPENAI),
    ("openai", "gpt-4-turbo-2024-04-09", "2025-08-07", "10", None, "30", OPENAI),
    ("openai", "gpt-3.5-turbo-0125", "2025-08-07", "0.50", None, "1.50", OPENAI),
    ("openai", "gpt-3.5-turbo-instruct", "2025-08-07", "1.50", None, "2", OPENAI),
    ("openai", "davinci-002", "2025-08-07", "2", None, "2", OPENAI),
    ("openai", "o1-2024-12-17", "2025-08-07", "15", "7.50", "60", OPENAI),
    ("openai", "o1-mini-2024-09-12", "2025-08-07", "1.10", "0.55", "4.40", OPENAI),
    ("openai", "o3-2025-04-16", "2025-08-07", "2", "0.50", "8", OPENAI),
    ("openai", "o3-mini-2025-01-31", "2025-08-07", "1.10", "0.55", "4.40", OPENAI),
    ("openai", "o4-mini-2025-04-16", "2025-08-07", "1.10", "0.275", "4.40", OPENAI),
    ("openai", "computer-use-preview-2025-03-11", "2025-08-07", "3", None, "12", OPENAI),
    ("openai", "text-embedding-3-small", "2025-08-07", "0.02", None, "", OPENAI),
    ("openai", "text-embedding-3-large", "2025-08-07", "0.13", None, "", OPENAI),
    ("openai", "text-embedding-ada-002-v2", "2025-08-07", "0.10", None, "", OPENAI),
    ("openai", "ft:gpt-4.1-mini-2025-04-14:acme::abc", "2025-08-07", "0.80", "0.20", "3.20", OPENAI),
    ("anthropic", "claude-opus-4-1-20250805", "2025-08-15", "15", "1.50", "75", ANTHROPIC),
    ("anthropic", "claude-opus-4-20250514", "2025-08-15", "15", "1.50", "75", ANTHROPIC),
    ("anthropic", "claude-sonnet-4-20250514", "2025-08-15", "3", "0.30", "15", ANTHROPIC),
    ("anthropic", "claude-3-7-sonnet-20250219", "2025-08-15", "3", "0.30", "15", ANTHROPIC),
    ("anthropic", "claude-3-5-sonnet-20240620", "2025-08-15", "3", "0.30", "15", ANTHROPIC),
    ("anthropic", "claude-3-5-haiku-20241022", "2025-08-15", "0.80", "0.08", "4", ANTHROPIC),
    ("anthropic", "claude-3-opus-20240229", "2025-08-15", "15", "1.50", "75", ANTHROPIC),
    ("anthropic", "claude-3-haiku-20240307", "2025-08-15", "0.25", "0.03", "1.25", ANTHROPIC),
    ("anthropic", "claude-sonnet-4-5-20250929", "2025-10-01", "3", "0.30", "15", ANTHROPIC),
    ("anthropic", "claude-haiku-4-5-20251001", "2025-11-01", "1", "0.10", "5", ANTHROPIC),
    ("anthropic", "claude-opus-4-5-20251101", "2025-12-01", "5", "0.50", "25", ANTHROPIC),
    ("anthropic", "claude-opus-4-7", "2026-04-30", "5", "0.50", "25", ANTHROPIC),
    ("anthropic", "claude-opus-4-8", "2026-06-16", "5", "0.50", "25", ANTHROPIC),
    ("anthropic", "claude-sonnet-4-6", "2026-06-16", "3", "0.30", "15", ANTHROPIC),
    ("anthropic", "claude-fable-5", "2026-06-10", "10", "1", "50", ANTHROPIC),
    ("gcp.gemini", "gemini-2.5-pro", "2025-08-15", "1.25", "0.125", "10", GOOGLE),
    ("gcp.gemini", "models/gemini-2.5-flash", "2025-11-01", "0.30", "0.03", "2.50", GOOGLE),
    ("gcp.gemini", "gemini-2.5-flash-lite", "2025-11-01", "0.10", "0.01", "0.40", GOOGLE),
    ("gcp.gemini", "gemini-2.0-flash", "2025-08-15", "0.10", "0.025", "0.40", GOOGLE),
    ("gcp.gemini", "gemini-2.0-flash-lite", "2025-08-15", "0.075", None, "0.30", GOOGLE),
    ("gcp.gemini", "gemini-1.5-flash", "2025-05-01", "0.075", "0.01875", "0.30", GOOGLE),
    ("gcp.vertex_ai", "gemini-3-flash-preview", "2026-01-15", "0.50", "0.05", "3", GOOGLE),
    ("gcp.vertex_ai", "gemini-3-pro-preview", "2026-01-15", "2", "0.20", "12", GOOGLE),
    ("gcp.gemini", "gemini-embedding-001", "2025-08-15", "0.15", None, "", GOOGLE),
    ("groq", "llama-3.3-70b-versatile", "2025-08-15", "0.59", None, "0.79", GROQ),
    ("groq", "llama-3.1-8b-instant", "2025-08-15", "0.05", None, "0.08", GROQ),
    ("groq", "meta-llama/llama-4-scout-17b-16e-instruct", "2025-08-15", "0.11", None, "0.34", GROQ),
    ("groq", "meta-llama/llama-4-maverick-17b-128e-instruct", "2025-08-15", "0.20", None, "0.60", GROQ),
    ("groq", "openai/gpt-oss-120b", "2026-06-04", "0.15", "0.075", "0.60", GROQ),
    ("groq", "llama3-70b-8192", "2025-05-01", "0.59", None, "0.79", GROQ),
    ("groq", "deepseek-r1-distill-llama-70b", "2025-08-15", "0.75", None, "0.99", GROQ),
    ("mistral_ai", "mistral-large-2411", "2025-08-15", "2", None, "6", MISTRAL),
    ("mistral_ai", "mistral-large-2512", "2026-02-26", "0.50", "0.05", "1.50", MISTRAL),
    ("mistral_ai", "mistral-large-latest", "2026-02-26", "0.50", "0.05", "1.50", MISTRAL),
    ("mistral_ai", "open-mistral-nemo", "2025-08-15", "0.15", None, "0.15", MISTRAL),
    ("mistral_ai", "mistral-embed", "2025-08-15", "0.10", None, "", MISTRAL),
    ("deepseek", "deepseek-chat", "2025-12-01", "0.28", "0.028", "0.42", DEEPSEEK),
    ("deepseek", "deepseek-reasoner", "2025-12-01", "0.28", "0.028", "0.42", DEEPSEEK),
    ("deepseek", "deepseek-v4-flash", "2026-07-04", "0.14", "0.0028", "0.28", DEEPSEEK),
    ("cohere", "command-a-03-2025", "2025-08-15", "2.50", None, "10", COHERE),
    ("cohere", "command-r-08-2024", "2025-08-15", "0.15", None, "0.60", COHERE),
    ("cohere", "command-r-plus-08-2024", "2025-08-15", "2.50", None, "10", COHERE),
    ("cohere", "command-r7b-12-2024", "2025-08-15", "0.0375", None, "0.15", COHERE),
    ("cohere", "embed-v4.0", "2025-08-15", "0.12", None, "", COHERE),
    ("aws.bedrock", "amazon.nova-micro-v1:0", "2025-08-15", "0.035", "0.00875", "0.14", AMAZON),
    ("aws.bedrock", "us.amazon.nova-lite-v1:0", "2025-08-15", "0.06", "0.015", "0.24", AMAZON),
    ("aws.bedrock", "amazon.nova-pro-v1:0", "2025-08-15", "0.80", "0.20", "3.20", AMAZON),
    ("aws.bedrock", "us.anthropic.claude-3-5-sonnet-20240620-v1:0", "2025-08-15", "3", None, "15", AMAZON),
    ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "2025-12-01", "3.30", "0.33", "16.50", AMAZON),
    ("x_ai", "grok-3", "2025-08-15", "3", "0.75", "15", XAI),
    ("x_ai", "grok-3-mini", "2025-08-15", "0.30", "0.075", "0.50", XAI),
    ("x_ai", "grok-4-0709", "2025-08-15", "3", "0.75", "15", XAI),
    ("x_ai", "grok-code-fast-1", "2025-09-15", "0.20", "0.02", "1.50", XAI),
    ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", "2025-08-15", "0.88", None, "0.88", TOGETHER),
    ("cerebras", "llama-3.3-70b", "2025-08-15", "0.85", None, "1.20", CEREBRAS),
]

CORRECTED = {
    "mistral-large-latest", "deepseek-chat", "deepseek-reasoner", "ft:gpt-4.1-mini-2025-04-14:acme::abc", "embed-v4.0",
}  # fmt: skip
