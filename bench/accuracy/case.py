"""One line of the accuracy table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """How far an estimator is from measurements, in one case.

    A factor is max(computed/measured, measured/computed); 1.00 is exact.

    Attributes:
        case: what is estimated, and what the estimator is told.
        estimator: who estimates.
        rows: measurements.
        groups: architectures or models they belong to.
        median: median factor.
        ninth: 90th percentile of the factor.
        coverage: share of measurements inside the 90 % interval; None without one.
        coverage_range: lowest and highest coverage over groups; None without.
        width: median of p95/p5; None without an interval.
        target: target for median and 90th percentile, as text.
        note: what a reader should know.
    """

    case: str
    estimator: str
    rows: int
    groups: int
    median: float
    ninth: float
    coverage: float | None = None
    coverage_range: tuple[float, float] | None = None
    width: float | None = None
    target: str = ""
    note: str = ""


def case_of(
    case: str,
    estimator: str,
    errors: Vector,
    groups: Vector,
    bounds: tuple[Vector, Vector] | None = None,
    target: str = "",
    note: str = "",
) -> Case:
    """A case from log errors (computed over measured) and, if any, log bounds of the error.

    Args:
        case: what is estimated.
        estimator: who estimates.
        errors: ln(computed/measured), shape (n,).
        groups: group of each row, shape (n,).
        bounds: ln(p05/p50) and ln(p95/p50) of the interval, shape (n,) each.
        target: target as text.
        note: what a reader should know.
    """
    factor = np.exp(np.abs(errors))
    coverage = spread = width = None
    if bounds is not None:
        low, high = bounds
        inside = (errors + low <= 0.0) & (errors + high >= 0.0)
        coverage = float(inside.mean())
        by_group = [float(inside[groups == group].mean()) for group in np.unique(groups)]
        spread = (min(by_group), max(by_group))
        width = float(np.median(np.exp(high - low)))
    return Case(
        case,
        estimator,
        len(errors),
        len(np.unique(groups)),
        float(np.median(factor)),
        float(np.quantile(factor, 0.9)),
        coverage,
        spread,
        width,
        target,
        note,
    )


def markdown(cases: list[Case]) -> str:
    """The cases as a Markdown table."""
    head = (
        "| case | estimator | rows (groups) | median | p90 | inside 90 % interval (by group) "
        "| p95/p5 | target |\n|---|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(_line(case) for case in cases) + "\n"


def _line(case: Case) -> str:
    covered = ""
    if case.coverage is not None and case.coverage_range is not None:
        low, high = case.coverage_range
        covered = f"{case.coverage:.0%} ({low:.0%}–{high:.0%})"
    width = "" if case.width is None else f"{case.width:.2f}"
    note = f" ({case.note})" if case.note else ""
    return (
        f"| {case.case}{note} | {case.estimator} | {case.rows} ({case.groups}) "
        f"| {case.median:.2f} | {case.ninth:.2f} | {covered} | {width} | {case.target} |"
    )
