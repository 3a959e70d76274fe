"""EcoLogits' own impacts of a whole log, as its library gives them call by call.

In EcoLogits every impact of a call is proportional to its output tokens and to the time it was
generated for::

    impact = per_token × output tokens + per_second × generation time
    generation time = min(latency of the request, output tokens × tau + ttft)

So the impacts of a group of calls follow from the sums of both, and one pass over a log is
enough.  Which models there are, their parameters, mixes and all rates are asked of the installed
library (extra ``ecologits``): nothing of its tables is here.  That its impacts are such sums is
verified for each model when its rates are asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kilowhat.domain.boundary import Stage
from kilowhat.errors import MissingExtra, UnsupportedUse
from kilowhat.language import mark, translate
from kilowhat.ledger.ecologits_names import mix_name, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Range = tuple[Numbers, Numbers]

OUTPUTS: dict[str, str] = {
    "energy": "kWh", "gwp": "kgCO2eq", "adpe": "kgSbeq", "pe": "MJ", "wcf": "L",
    "usage.energy": "kWh", "usage.gwp": "kgCO2eq", "usage.adpe": "kgSbeq", "usage.pe": "MJ",
    "usage.wcf": "L",
    "embodied.gwp": "kgCO2eq", "embodied.adpe": "kgSbeq", "embodied.pe": "MJ",
}  # fmt: skip
"""Every output of EcoLogits and its unit; without a prefix: usage and embodied together."""

_USED = Stage.ACCELERATOR | Stage.HOST | Stage.FACILITY
_GENERATED = _USED | Stage.GRID | Stage.UPSTREAM
BOUNDARIES: dict[str, Stage] = {
    "energy": _USED,
    "gwp": _GENERATED | Stage.EMBODIED,
    "adpe": _GENERATED | Stage.EMBODIED,
    "pe": _GENERATED | Stage.EMBODIED,
    "wcf": _USED | Stage.GRID,
}
"""The stages that each total contains: no idle time, no network, no training, no input tokens."""

UNPRICED: dict[str, str] = {
    "model": mark("EcoLogits does not know the model"),
    "zone": mark("EcoLogits has no electricity mix for the zone"),
    "tokens": mark("no count of output tokens, which EcoLogits needs"),
}
"""Why EcoLogits gives no impacts of a call, in the order in which it looks."""

_PARTS = ("energy", "wcf", "embodied.gwp", "embodied.adpe", "embodied.pe")
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Parameters:
    """What EcoLogits says of a model of the log; ends are its lowest and its highest.

    Attributes:
        asked: provider and model as the log writes them; provider "" where it has none.
        known_as: provider and model for which EcoLogits has impacts, or ``None``.
        zone: the electricity mix that it takes when none is said.
        tau_s: time to generate a token [s/token], low and high.
        ttft_s: time until the first token [s].
        per_token: impact without electricity mix per output token, by part, low and high.
        per_second: the same per second of generation.
        warnings: its warnings about the model.
    """

    asked: tuple[str, str]
    known_as: tuple[str, str] | None = None
    zone: str = ""
    tau_s: tuple[float, float] = (0.0, 0.0)
    ttft_s: float = 0.0
    per_token: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    per_second: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Priced:
    """EcoLogits' impacts of groups of calls.

    Attributes:
        values: by name of `OUTPUTS`, the lowest and the highest of each group; 0 for a group
            without priced calls.
        calls: priced calls of each group [1].
        unpriced: the other calls of each group by reason, keys of `UNPRICED` [1].
        warnings: EcoLogits' warnings about the models and mixes that were used.
    """

    values: dict[str, Range]
    calls: NDArray[np.int64]
    unpriced: dict[str, NDArray[np.int64]]
    warnings: tuple[str, ...]


class _Mix(NamedTuple):
    """Impacts of electricity per kWh: kgCO2eq, kgSbeq, MJ, L."""

    gwp: float
    adpe: float
    pe: float
    wue: float


_NO_MIX = _Mix(0.0, 0.0, 0.0, 0.0)
_PROBE = _Mix(0.4, 6e-8, 9.0, 3.0)
_PROBE_TOKENS = 1000


class _Library(NamedTuple):
    """The parts of EcoLogits that are asked."""

    formulas: Any
    models: Any
    mixes: Any
    sites: Mapping[str, Any]


def _library() -> _Library:
    try:
        import ecologits.electricity_mix_repository as mixes  # noqa: PLC0415 - an optional extra
        import ecologits.impacts.llm as formulas  # noqa: PLC0415
        import ecologits.model_repository as models  # noqa: PLC0415
        from ecologits.tracers.utils import PROVIDER_CONFIG_MAP  # noqa: PLC0415
    except ImportError:
        raise MissingExtra(package="EcoLogits", extra="ecologits") from None
    return _Library(formulas, models.models, mixes.electricity_mixes, PROVIDER_CONFIG_MAP)


def _known_as(library: _Library, provider: str, model: str) -> tuple[str, str] | None:
    """The provider and model that EcoLogits knows; none is guessed from a similar name."""
    for name in spellings(provider, model):
        if library.models.find_model(provider=name[0], model_name=name[1]):
            return name
    if provider:
        return None
    found = [(each, model) for each in library.sites if library.models.find_model(each, model)]
    return found[0] if len(found) == 1 else None


def _ends(value: Any) -> tuple[float, float]:
    """The lowest and the highest of a number or of EcoLogits' range."""
    return float(getattr(value, "min", value)), float(getattr(value, "max", value))


def _sizes(model: Any) -> dict[str, Any]:
    """Active and all parameters of a model, as EcoLogits' formulas take them [10⁹]."""
    size = model.architecture.parameters
    return {
        "model_active_parameter_count": getattr(size, "active", size),
        "model_total_parameter_count": getattr(size, "total", size),
    }


def _pace(model: Any) -> dict[str, Any]:
    """Tokens per second and time to the first token of a model's deployment, where known."""
    deployment = model.deployment
    return {"tps": getattr(deployment, "tps", None), "ttft": getattr(deployment, "ttft", None)}


def _conditions(site: Any, mix: _Mix) -> dict[str, Any]:
    """The datacentre and the electricity, as EcoLogits' formulas take them."""
    found = {f"if_electricity_mix_{name}": value for name, value in mix._asdict().items()}
    return found | {"datacenter_pue": site.datacenter_pue, "datacenter_wue": site.datacenter_wue}


def _taus(library: _Library, model: Any, site: Any) -> tuple[float, float]:
    """The time of one token for the fewest and for the most active parameters [s/token]."""
    sizes = {name: _ends(value) for name, value in _sizes(model).items()}
    found = [
        library.formulas.compute_llm_impacts_dag(
            **{name: value[end] for name, value in sizes.items()},
            **_conditions(site, _NO_MIX),
            **(_pace(model) | {"ttft": None}),
            output_token_count=1,
            request_latency=math.inf,
        )["generation_latency"]
        for end in (0, 1)
    ]
    return float(found[0]), float(found[1])


def _output(result: Any, name: str) -> tuple[float, float]:
    """An output of EcoLogits by its name in `OUTPUTS`."""
    for part in name.split("."):
        result = getattr(result, part)
    return _ends(result.value)


def _ask(library: _Library, known_as: tuple[str, str], mix: _Mix, **case: Any) -> Any:
    """EcoLogits' impacts of one call, on a mix of our choice."""
    model = library.models.find_model(*known_as)
    settings = _pace(model) | case
    return library.formulas.compute_llm_impacts(
        **_sizes(model), **_conditions(library.sites[known_as[0]], mix), **settings
    )


def _parameters(library: _Library, asked: tuple[str, str]) -> Parameters:
    """All that is needed of a model, asked of EcoLogits."""
    known_as = _known_as(library, *asked)
    if known_as is None:
        return Parameters(asked)
    model, site = library.models.find_model(*known_as), library.sites[known_as[0]]
    # Generated in no time: the part of the tokens alone; no token, a second to the first: the rest
    token = _ask(library, known_as, _NO_MIX, output_token_count=1, request_latency=0.0)
    second = _ask(library, known_as, _NO_MIX, output_token_count=0, ttft=1.0)
    return Parameters(
        asked,
        known_as,
        zone=site.datacenter_location or "WOR",
        tau_s=_taus(library, model, site),
        ttft_s=float(_pace(model)["ttft"] or 0.0),
        per_token={part: _output(token, part) for part in _PARTS},
        per_second={part: _output(second, part) for part in _PARTS},
        warnings=tuple(str(warning) for warning in model.warnings),
    )


def models_needed(names: Iterable[tuple[str, str]]) -> list[Parameters]:
    """What EcoLogits says of each model of a log, in the order of the names.

    Args:
        names: distinct (provider, model) as the log writes them; provider "" where it has none.

    Raises:
        MissingExtra: EcoLogits is not installed.
        UnsupportedUse: the installed EcoLogits does not calculate as this module expects.
    """
    library = _library()
    found = [_parameters(library, name) for name in names]
    _verify(library, [each for each in found if each.known_as])
    return found


def _verify(library: _Library, known: Sequence[Parameters]) -> None:
    """That EcoLogits' impacts of a call of each model are the sums that are taken for it."""
    tokens = np.full(len(known), float(_PROBE_TOKENS))
    seconds = [
        np.array([each.tau_s[end] * _PROBE_TOKENS + each.ttft_s for each in known])
        for end in (0, 1)
    ]
    mix = {name: np.full(len(known), value) for name, value in _PROBE._asdict().items()}
    ours = _outputs(known, np.arange(len(known)), tokens, seconds, mix)
    for index, each in enumerate(known):
        assert each.known_as is not None
        theirs = _ask(library, each.known_as, _PROBE, output_token_count=_PROBE_TOKENS)
        for name, values in ours.items():
            pairs = zip(values, _output(theirs, name), strict=True)
            if not all(math.isclose(our[index], their, rel_tol=_TOLERANCE) for our, their in pairs):
                reason = translate(mark("the installed version calculates its impacts otherwise"))
                raise UnsupportedUse(model=each.asked[1], use="--method ecologits", reason=reason)


def impacts(groups: Mapping[str, NDArray[Any]], parameters: Sequence[Parameters]) -> Priced:
    """EcoLogits' impacts of groups of calls: the sums of what it says of each call.

    Args:
        groups: the columns that `ecologits_sums.query` gives.
        parameters: the models that were joined, in that order.

    Raises:
        MissingExtra: EcoLogits is not installed.
    """
    models = [*parameters, Parameters(("", ""))]  # number -1: a model that was not joined
    number = np.asarray(groups["number"]).astype(np.int64) % len(models)
    known = np.array([each.known_as is not None for each in models])[number]
    mixes, place = _mixes(groups["zone"], number, models)
    is_mix = np.array([each is not None for each in mixes], dtype=bool)[place]
    is_priced = known & is_mix
    calls, counted = (_whole(groups[name]) for name in ("calls", "counted_calls"))
    tokens = np.where(is_priced, groups["output_tokens"], 0.0)
    seconds = [
        np.where(is_priced, _seconds(groups, end, number, models), 0.0) for end in ("low", "high")
    ]
    mix = {
        name: np.array([getattr(each, name, 0.0) for each in mixes], dtype=float)[place]
        for name in _Mix._fields
    }
    return Priced(
        _outputs(models, number, tokens, seconds, mix),
        np.where(is_priced, counted, 0),
        {
            "model": np.where(known, 0, calls),
            "zone": np.where(known & ~is_mix, calls, 0),
            "tokens": np.where(is_priced, calls - counted, 0),
        },
        _warnings([models[at] for at in set(number[is_priced])])
        + _warnings([mixes[at] for at in set(place[is_priced])]),
    )


def _whole(values: NDArray[Any]) -> NDArray[np.int64]:
    return np.asarray(values).astype(np.int64)


def _seconds(
    groups: Mapping[str, NDArray[Any]], end: str, number: NDArray[Any], models: Sequence[Parameters]
) -> Numbers:
    """Generation time of groups for the fewest (low) or most (high) parameters [s]."""
    tau = np.array([each.tau_s[end == "high"] for each in models])[number]
    first = np.array([each.ttft_s for each in models])[number]
    free: Numbers = tau * groups[f"free_tokens_{end}"] + first * groups[f"free_calls_{end}"]
    seconds: Numbers = free + groups[f"cut_{end}_s"]
    return seconds


def _mixes(
    zones: NDArray[Any], number: NDArray[np.int64], models: Sequence[Parameters]
) -> tuple[list[Any], NDArray[np.int64]]:
    """EcoLogits' electricity mixes, ``None`` for a zone without, and which one a group takes."""
    names = (
        mix_name(zone) if zone else models[index].zone
        for zone, index in zip(np.ma.filled(zones, ""), number, strict=True)
    )
    places: dict[str, int] = {}
    place = np.fromiter((places.setdefault(name, len(places)) for name in names), dtype=np.int64)
    repository = _library().mixes
    return [repository.find_electricity_mix(name) for name in places], place


def _warnings(of: Sequence[Any]) -> tuple[str, ...]:
    """EcoLogits' warnings about models or mixes, each once."""
    return tuple(sorted({str(warning) for each in of for warning in each.warnings}))


def _outputs(
    models: Sequence[Parameters],
    number: NDArray[Any],
    tokens: Numbers,
    seconds: Sequence[Numbers],
    mix: Mapping[str, Numbers],
) -> dict[str, Range]:
    """All outputs of groups: by tokens and seconds, then by the electricity mix."""
    ends = [_end(end, models, number, tokens, seconds[end], mix) for end in (0, 1)]
    return {name: (ends[0][name], ends[1][name]) for name in OUTPUTS}


def _end(
    end: int,
    models: Sequence[Parameters],
    number: NDArray[Any],
    tokens: Numbers,
    seconds: Numbers,
    mix: Mapping[str, Numbers],
) -> dict[str, Numbers]:
    """All outputs of groups at the low (0) or high (1) end."""

    def rate(name: str, part: str) -> Numbers:
        rates = [getattr(each, name).get(part, (0.0, 0.0))[end] for each in models]
        found: Numbers = np.array(rates, dtype=float)[number]
        return found

    parts = {
        part: rate("per_token", part) * tokens + rate("per_second", part) * seconds
        for part in _PARTS
    }
    energy = parts["energy"]
    found = {name: energy * mix[name] for name in ("gwp", "adpe", "pe")}
    found |= {"energy": energy, "wcf": parts["wcf"] + energy * mix["wue"]}
    both = {name: value + parts.get(f"embodied.{name}", 0.0) for name, value in found.items()}
    return parts | both | {f"usage.{name}": value for name, value in found.items()}
