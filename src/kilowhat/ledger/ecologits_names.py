"""How EcoLogits writes what logs name otherwise: providers and electricity zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROVIDERS: dict[str, str] = {
    "anthropic": "anthropic",
    "cohere": "cohere", "cohere_chat": "cohere",
    "gemini": "google_genai", "gcp.gemini": "google_genai", "gcp.gen_ai": "google_genai",
    "gcp.vertex_ai": "google_genai", "google": "google_genai", "google_genai": "google_genai",
    "vertex_ai": "google_genai",
    "hugging_face": "huggingface_hub", "huggingface": "huggingface_hub",
    "huggingface_hub": "huggingface_hub",
    "mistral": "mistralai", "mistral_ai": "mistralai", "mistralai": "mistralai",
    "azure": "openai", "az.ai.openai": "openai", "azure.ai.openai": "openai",
    "azure_openai": "openai", "openai": "openai",
}  # fmt: skip
"""Names that logs give to providers, and EcoLogits' name; Azure OpenAI is its openai."""

ZONES: dict[str, str] = {"WORLD": "WOR", "EUROPE": "EEE"}
"""Our zones whose name EcoLogits writes otherwise; countries are ISO 3166 in both."""


def spellings(provider: str, model: str) -> Iterator[tuple[str, str]]:
    """What to ask EcoLogits for, in turn: the provider in its words, then a model's own prefix.

    >>> list(spellings("azure", "gpt-4o"))
    [('openai', 'gpt-4o')]
    >>> list(spellings("", "mistral/mistral-large-latest"))
    [('mistralai', 'mistral-large-latest')]
    """
    word = provider.lower()
    if provider:
        yield PROVIDERS.get(word, provider), model
    prefix, _, rest = model.partition("/")
    said = PROVIDERS.get(prefix.lower())
    if rest and said and PROVIDERS.get(word, "" if provider else said) == said:
        yield said, rest


def mix_name(zone: str) -> str:
    """The name of a zone as EcoLogits would write it.

    >>> mix_name("fra"), mix_name("world")
    ('FRA', 'WOR')
    """
    name = zone.upper()
    return ZONES.get(name, name)
