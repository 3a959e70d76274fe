"""Training energy by two roads, its share per call, and the recomputation of model cards.

The declared road starts from published accelerator-hours, the computed one from parameters and
tokens.  Neither contains what `LEFT_OUT` lists: results say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from kilowhat.errors import InvalidValue
from kilowhat.language import mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kilowhat.domain.architecture import Magnitude
    from kilowhat.domain.evidence import ModelCard

LEFT_OUT = (
    mark("attention over the context"),
    mark("recomputation of activations"),
    mark("reinforcement-learning roll-outs, which run at the efficiency of decoding"),
    mark("failed runs, restarts and research before the final run"),
)
"""What 6·N·D leaves out; a development multiplier above 1 stands for the last one."""

_SECONDS_PER_HOUR = 3600.0
_JOULES_PER_KWH = 3.6e6


def declared_energy_j(
    accelerator_hours: Magnitude, board_power_w: Magnitude, power_utilisation: Magnitude
) -> Magnitude:
    """The energy of a training run from its declared accelerator-hours [J].

    E = hours · 3600 · P_board · utilisation

    Args:
        accelerator_hours: accelerators times hours of the run [h].
        board_power_w: board power (TDP) of one accelerator [W].
        power_utilisation: mean power per accelerator over board power [1]; the boundary of the
            result is that of this ratio (with the host inside, part of the IT energy).

    Source: Patterson et al. 2021 (arXiv 2104.10350), section 2.

    >>> round(declared_energy_j(30.84e6, 700.0, 1.0) / 3.6e12, 3)
    21.588
    """
    return accelerator_hours * _SECONDS_PER_HOUR * board_power_w * power_utilisation


def training_flop(active_parameters: Magnitude, tokens: Magnitude) -> Magnitude:
    """The arithmetic of one pass over the training tokens [FLOP].

    C = 6 · N_active · D

    Args:
        active_parameters: parameters that one token passes through [1].
        tokens: training tokens [token].

    Source: Kaplan et al. 2020 (arXiv 2001.08361), section 2.1: 2 N forward, 4 N backward.

    >>> f"{training_flop(175e9, 300e9):.3g}"
    '3.15e+23'
    """
    return 6.0 * active_parameters * tokens


def computed_hours(
    flop: Magnitude, peak_flop_per_s: Magnitude, flop_utilisation: Magnitude
) -> Magnitude:
    """The accelerator-hours that an amount of arithmetic takes [h].

    hours = C / (peak · MFU) / 3600

    Args:
        flop: arithmetic of the run [FLOP].
        peak_flop_per_s: dense peak of one accelerator in the precision trained in [FLOP/s].
        flop_utilisation: model FLOP utilisation, above 0 and at most 1 [1].

    Source: Chowdhery et al. 2022 (arXiv 2204.02311), appendix B, for the utilisation.

    >>> round(computed_hours(3.14e23, 125e12, 0.1966) / 1e6, 2)
    3.55
    """
    return flop / (peak_flop_per_s * flop_utilisation) / _SECONDS_PER_HOUR


def computed_energy_j(
    flop: Magnitude,
    peak_flop_per_s: Magnitude,
    flop_utilisation: Magnitude,
    board_power_w: Magnitude,
    power_utilisation: Magnitude,
) -> Magnitude:
    """The energy of a training run from its arithmetic [J].

    E = C / (peak · MFU) · P_board · utilisation

    Args:
        flop: arithmetic of the run [FLOP].
        peak_flop_per_s: dense peak of one accelerator in the precision trained in [FLOP/s].
        flop_utilisation: model FLOP utilisation [1].
        board_power_w: board power of one accelerator [W].
        power_utilisation: mean power per accelerator over board power [1].

    Source: Patterson et al. 2021 (arXiv 2104.10350), section 2, with the hours computed.

    >>> round(computed_energy_j(3.14e23, 125e12, 0.1966, 300.0, 1.1) / 3.6e9)
    1171
    """
    hours = computed_hours(flop, peak_flop_per_s, flop_utilisation)
    return declared_energy_j(hours, board_power_w, power_utilisation)


def developed_energy_j(final_run_j: Magnitude, development_multiplier: Magnitude) -> Magnitude:
    """The energy of the final run with that of the runs before it [J].

    E = E_final · m

    Args:
        final_run_j: energy of the final run [J].
        development_multiplier: 1 for the final run alone, which results then say [1].

    Source: Morrison et al. 2025 (arXiv 2503.05804): 312 t of final runs, 159 t before them.

    >>> developed_energy_j(100.0, 1.51)
    151.0
    """
    return final_run_j * development_multiplier


def amortised_energy_j(
    training_j: Magnitude, lifetime_tokens: Magnitude, call_tokens: Magnitude
) -> Magnitude:
    """The share of training that falls on one call, by tokens over the model's life [J].

    E_call = E_training · tokens of the call / tokens of the life

    Args:
        training_j: energy of training [J].
        lifetime_tokens: tokens that the model will process in its whole life, stated [token].
        call_tokens: tokens of the call, counted in the same way [token].

    Raises:
        InvalidValue: the life holds no token.

    Source: ISO 14044:2006, 4.3.4 (allocation by a physical relationship).

    >>> amortised_energy_j(3.6e12, 1e12, 500.0)
    1800.0
    """
    _require_positive("lifetime_tokens", lifetime_tokens)
    return training_j * call_tokens / lifetime_tokens


def break_even_calls(training_j: Magnitude, call_j: Magnitude) -> Magnitude:
    """The number of calls at which use has taken as much energy as training [call].

    n = E_training / E_call

    Args:
        training_j: energy of training, fine-tuning included where wanted [J].
        call_j: energy of one call, of the same boundary [J].

    Raises:
        InvalidValue: a call takes no energy.

    Source: Luccioni, Jernite and Strubell 2024 (doi 10.1145/3630106.3658542), section 4.4.

    >>> round(break_even_calls((51_686 + 7_571) * 3.6e6, 1e-4 * 3.6e6))
    592570000
    """
    _require_positive("call_j", call_j)
    return training_j / call_j


def implied_intensity(ghg_g: Magnitude, energy_j: Magnitude) -> Magnitude:
    """The carbon intensity of electricity that a pair of published numbers implies [gCO2e/kWh].

    I = GHG / E

    Args:
        ghg_g: greenhouse gas [gCO2e].
        energy_j: energy [J].

    Raises:
        InvalidValue: the energy is zero.

    Source: definition (GHG Protocol Scope 2 Guidance, activity data × emission factor).

    >>> round(implied_intensity(552.1e6, 1287 * 3.6e9))
    429
    """
    _require_positive("energy_j", energy_j)
    return ghg_g / energy_j * _JOULES_PER_KWH


def implied_utilisation(
    flop: Magnitude, accelerator_hours: Magnitude, peak_flop_per_s: Magnitude
) -> Magnitude:
    """The model FLOP utilisation that arithmetic and hours imply [1].

    MFU = C / (hours · 3600 · peak)

    Args:
        flop: arithmetic of the run [FLOP].
        accelerator_hours: accelerators times hours [h].
        peak_flop_per_s: dense peak of one accelerator in the precision trained in [FLOP/s].

    Raises:
        InvalidValue: there are no hours.

    Source: Chowdhery et al. 2022 (arXiv 2204.02311), appendix B.

    >>> round(implied_utilisation(3.14e23, 3.552e6, 125e12), 3)
    0.196
    """
    _require_positive("accelerator_hours", accelerator_hours)
    return flop / (accelerator_hours * _SECONDS_PER_HOUR * peak_flop_per_s)


def _require_positive(name: str, value: Magnitude) -> None:
    is_positive = value > 0 if isinstance(value, (int, float)) else bool((value > 0).all())
    if not is_positive:
        raise InvalidValue(name=name, value=value, expected="a number above zero")


@dataclass(frozen=True, slots=True)
class CardCheck:
    """What recomputing a model card gives; ``None`` where the card lacks the numbers.

    Attributes:
        energy_j: accelerator-hours × power × PUE, as the card counts power [J].
        energy_ratio: recomputed over declared energy [1].
        intensity_g_per_kwh: greenhouse gas over declared energy, else over recomputed [gCO2e/kWh].
        intensity_ratio: that intensity over the card's own, else, where it is location-based,
            over the median of its developer's other cards [1].
        utilisation: model FLOP utilisation from arithmetic and hours; above 1, the hours are not
            those of the arithmetic [1].
        utilisation_ratio: that over the declared one [1].
        twins: ids of cards with the same hours and accelerator whose greenhouse gas differs.
        findings: what does not close: ``energy``, ``greenhouse gas``, ``utilisation``.
    """

    card: str
    energy_j: float | None
    energy_ratio: float | None
    intensity_g_per_kwh: float | None
    intensity_ratio: float | None
    utilisation: float | None
    utilisation_ratio: float | None
    twins: tuple[str, ...]
    findings: tuple[str, ...]

    @property
    def closes(self) -> bool:
        """Whether nothing that can be recomputed contradicts the card."""
        return not self.findings


def recompute_card(
    card: ModelCard,
    others: Iterable[ModelCard] = (),
    *,
    peak_flop_per_s: float | None = None,
    tolerance: float = 0.05,
    grid_factor: float = 2.0,
) -> CardCheck:
    """Where a model card closes, and where it does not.

    E = hours · P · PUE;  I = GHG / E;  MFU = FLOP / (hours · peak)

    Args:
        card: the card.
        others: cards to compare it with; those of the same developer give the usual intensity.
        peak_flop_per_s: dense peak of its accelerator, for the utilisation [FLOP/s].
        tolerance: relative gap that rounding may explain [1].
        grid_factor: gap that another grid or year may explain, where only the intensity of
            other cards is known [1].

    Source: the definitions of `declared_energy_j`, `implied_intensity`, `implied_utilisation`.

    >>> from kilowhat.registry.evidence import cards
    >>> check = recompute_card(cards("llama-3.3-70b-instruct")[-1], cards())
    >>> check.findings, check.twins, round(check.intensity_g_per_kwh, 1)
    (('greenhouse gas',), ('llama-3-1-70b',), 2.6)
    """
    others = [other for other in others if other.id != card.id]
    energy_j = _card_energy_j(card)
    energy_ratio = energy_j / card.energy_j if energy_j and card.energy_j else None
    intensity, own = _card_intensity(card), card.intensity_g_per_kwh
    usual = own or _usual_intensity(card, others)
    intensity_ratio = intensity / usual if intensity and usual else None
    utilisation = _card_utilisation(card, peak_flop_per_s)
    utilisation_ratio = utilisation / card.mfu if utilisation and card.mfu else None
    gaps = (
        ("energy", energy_ratio, 1 + tolerance),
        ("greenhouse gas", intensity_ratio, 1 + tolerance if own else grid_factor),
        ("utilisation", utilisation_ratio, 1 + tolerance),
    )
    findings = [name for name, ratio, limit in gaps if _exceeds(ratio, limit)]
    if utilisation and utilisation > 1 and "utilisation" not in findings:
        findings.append("utilisation")
    return CardCheck(
        card=card.id,
        energy_j=energy_j,
        energy_ratio=energy_ratio,
        intensity_g_per_kwh=intensity,
        intensity_ratio=intensity_ratio,
        utilisation=utilisation,
        utilisation_ratio=utilisation_ratio,
        twins=_twins(card, others, tolerance),
        findings=tuple(findings),
    )


def _exceeds(ratio: float | None, limit: float) -> bool:
    return ratio is not None and max(ratio, 1 / ratio) > limit


def _card_energy_j(card: ModelCard) -> float | None:
    if card.accelerator_hours is None or card.power_w is None:
        return None
    facility = card.pue if card.pue is not None and card.power_kind != "board-pue" else 1.0
    return card.accelerator_hours * _SECONDS_PER_HOUR * card.power_w * facility


def _card_intensity(card: ModelCard) -> float | None:
    energy_j = card.energy_j or _card_energy_j(card)
    if card.ghg_g is None or energy_j is None:
        return None
    return card.ghg_g / energy_j * _JOULES_PER_KWH


def _usual_intensity(card: ModelCard, others: Iterable[ModelCard]) -> float | None:
    if card.ghg_kind != "location":
        return None
    known = [
        intensity
        for other in others
        if (other.developer, other.ghg_kind) == (card.developer, card.ghg_kind)
        and (intensity := _card_intensity(other)) is not None
    ]
    return median(known) if known else None


def _card_utilisation(card: ModelCard, peak_flop_per_s: float | None) -> float | None:
    if card.flop is None or card.accelerator_hours is None or peak_flop_per_s is None:
        return None
    return card.flop / (card.accelerator_hours * _SECONDS_PER_HOUR * peak_flop_per_s)


def _twins(card: ModelCard, others: Iterable[ModelCard], tolerance: float) -> tuple[str, ...]:
    """The cards of the same hours on the same accelerator whose greenhouse gas is another."""
    if card.accelerator_hours is None or card.ghg_g is None:
        return ()
    return tuple(
        other.id
        for other in others
        if other.accelerator == card.accelerator
        and other.accelerator_hours is not None
        and other.ghg_g is not None
        and not _exceeds(other.accelerator_hours / card.accelerator_hours, 1 + tolerance)
        and _exceeds(other.ghg_g / card.ghg_g, 1 + tolerance)
    )
