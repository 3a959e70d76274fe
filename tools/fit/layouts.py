"""Say how models of a size are usually laid out, from the published layouts.

Usage: python -m tools.fit.layouts

Writes data/factors/inference_typical.csv: for dense models and for mixtures of experts, width
and depth as powers of the active weights (least squares on logarithms), the spread of the models
about them, and the 5 %, 50 % and 95 % points of what does not go with size.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kilowhat.methods.architecture import of_layout
from kilowhat.registry.models import layouts
from tools.fit.text import FACTOR_COLUMNS, Z95

if TYPE_CHECKING:
    from kilowhat.domain.architecture import Architecture
    from kilowhat.methods.call_features import Vector

DATA = Path(__file__).parents[2] / "src" / "kilowhat" / "data"
MIXTURE_SHARE = 0.9
SCALE = 1e10
SOURCE = "kilowhat-layouts"


class Number(NamedTuple):
    """A number of a typical layout: 5 %, 50 % and 95 % points, or the point alone [1]."""

    low: float | None
    central: float
    high: float | None
    basis: str
    note: str


def active_share(model: Architecture) -> float:
    """Active over total weights of a model [1]."""
    return float(_active(model) / (model.dense_parameters + model.expert_parameters))


def _active(model: Architecture) -> float:
    routed = model.expert_parameters * model.experts_per_token / model.experts
    return float(model.dense_parameters + routed)


def power_law(active: Vector, size: Vector, digits: int) -> tuple[Number, Number]:
    """A size at 1e10 active weights, with its spread over models, and the exponent."""
    design = np.stack([np.ones(len(active)), np.log(active / SCALE)], axis=1)
    solution = np.linalg.lstsq(design, np.log(size), rcond=None)[0]
    spread = float(np.std(np.log(size) - design @ solution, ddof=2))
    middle, far = float(np.exp(solution[0])), float(np.exp(Z95 * spread))
    middle = float(f"{middle:.{digits}g}")
    note = f"at 1e10 active weights; standard deviation of models about it {spread:.3f} in log"
    exponent = Number(None, round(float(solution[1]), 3), None, "modelled", "exponent")
    return Number(middle / far, middle, middle * far, "modelled", note), exponent


def quantiles(values: Vector, note: str) -> Number:
    """The 5 %, 50 % and 95 % points over models."""
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
    return Number(low, middle, high, "modelled", note)


def typical(models: list[Architecture], *, is_mixture: bool) -> dict[str, Number]:
    """The numbers of the typical layout of a kind of model."""
    active = np.array([_active(model) for model in models])
    hidden, layers = (
        np.array([float(getattr(model, name)) for model in models]) for name in ("hidden", "layers")
    )
    found = dict(zip(("hidden", "hidden_exponent"), power_law(active, hidden, 4), strict=True))
    found |= zip(("layers", "layers_exponent"), power_law(active, layers, 3), strict=True)
    seeing = np.array([m.attention_layers + m.window_layers for m in models]) / layers
    cache = np.array([float(m.cache_elements) for m in models]) * seeing
    found["cache_elements"] = quantiles(cache, "mean over all layers, those without a cache too")
    found["cache_shards"] = Number(None, 8.0, None, "assumed", "the commonest number of heads")
    for name in ("prefill", "decode"):
        flop = np.array([float(getattr(model, f"{name}_attention_flop")) for model in models])
        found[f"{name}_width"] = quantiles(flop / 4.0 / hidden * seeing, "mean over all layers")
    if is_mixture:
        shares = [m.expert_parameters * m.experts_per_token / m.experts for m in models]
        found["routed_share"] = quantiles(np.array(shares) / active, "of the active weights")
        experts = np.array([float(model.experts_per_token) for model in models])
        note = "only its ratio to the number of experts matters, and that follows from the shares"
        found["experts_per_token"] = Number(None, float(np.median(experts)), None, "modelled", note)
        note = "active over total weights, below which a model of unknown layout is a mixture"
        found["active_share"] = Number(None, MIXTURE_SHARE, None, "assumed", note)
    else:
        found["routed_share"] = Number(None, 0.0, None, "modelled", "by definition")
        found["experts_per_token"] = Number(None, 1.0, None, "modelled", "by definition")
    return found


def main() -> None:
    """Write the table, and print it."""
    models = [of_layout(name, layout) for name, layout in layouts().items()]
    lines = []
    for kind in ("dense", "mixture"):
        is_mixture = kind == "mixture"
        chosen = [m for m in models if (active_share(m) < MIXTURE_SHARE) == is_mixture]
        locator = f"architectures.csv, {len(chosen)} {'mixtures' if is_mixture else 'dense models'}"
        for name, number in typical(chosen, is_mixture=is_mixture).items():
            bounds = [f"{end:.4g}" if end is not None else "" for end in (number.low, number.high)]
            spread = "fraction" if name == "routed_share" else "lognormal"
            shape = "point" if number.low is None else spread
            values = [bounds[0], f"{number.central:.4g}", bounds[1], "1", shape, number.basis]
            lines.append([f"inference.typical-{kind}.{name}", *values, "", "", "", SOURCE,
                          locator, number.note])  # fmt: skip
    path = DATA / "factors" / "inference_typical.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FACTOR_COLUMNS)
        writer.writerows(sorted(lines))
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
