"""From low, central and high to draws: one random stream per key, stratified.

The same key gives the same draws in any process and on any machine, so the doubt that two
results share cancels in their difference, and ``x / x`` is exactly one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from kilowhat.quantity.quantity import Vector

DRAWS = 1024
SHAPES = ("lognormal", "normal", "uniform", "loguniform", "excess", "fraction", "point")
_Z95 = 1.6448536269514722  # the normal distribution's 95 % point


def uniforms(key: str, n: int = DRAWS) -> Vector:
    """Stratified uniform numbers in (0, 1), shape (n,): one in each of n equal strata, shuffled.

    The stream is Philox 4x64 keyed by a hash of ``key``; only its raw integers are used, so the
    numbers do not depend on the version of the library that draws them.

    >>> bool((uniforms("a", 8) == uniforms("a", 8)).all())
    True
    """
    digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
    raw = np.random.Philox(key=int.from_bytes(digest, "little")).random_raw(2 * n)
    order = np.argsort(raw[:n], kind="stable")
    inside = (raw[n:] >> np.uint64(11)).astype(np.float64) * 2.0**-53
    result: Vector = (order + np.clip(inside, 1e-9, 1 - 1e-9)) / n
    return result


# Rational approximations of the normal quantile by Wichura (1988), algorithm AS 241 (PPND16).
_A = (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
      1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
      3.3430575583588128105e4, 2.5090809287301226727e3)  # fmt: skip
_B = (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
      2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
      5.2264952788528545610e3)  # fmt: skip
_C = (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
      3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
      2.27238449892691845833e-2, 7.74545014278341407640e-4)  # fmt: skip
_D = (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
      1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
      1.05075007164441684324e-9)  # fmt: skip
_E = (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
      2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
      2.71155556874348757815e-5, 2.01033439929228813265e-7)  # fmt: skip
_F = (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
      7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
      2.04426310338993978564e-15)  # fmt: skip


def _polynomial(coefficients: tuple[float, ...], x: Vector) -> Vector:
    """Horner's rule, lowest coefficient first, as `numpy.polyval` but in place."""
    total = coefficients[-1] * x
    total += coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        total *= x
        total += coefficient
    return total


def _ratio(above: tuple[float, ...], below: tuple[float, ...], x: Vector) -> Vector:
    result: Vector = _polynomial(above, x) / _polynomial(below, x)
    return result


def normal_quantile(probability: Vector) -> Vector:
    """The standard normal quantile, shape as given, to about 1e-15.

    Source: Wichura 1988, "Algorithm AS 241", Applied Statistics 37(3).

    >>> round(float(normal_quantile(np.array([0.95]))[0]), 6)
    1.644854
    """
    q = np.asarray(probability) - 0.5
    result: Vector = np.asarray(q * _ratio(_A, _B, 0.180625 - q * q))
    is_outer = np.abs(q) > 0.425
    outer = np.asarray(probability)[is_outer]
    tail = np.sqrt(-np.log(np.minimum(outer, 1 - outer)))
    size = _ratio(_C, _D, tail - 1.6)
    if np.any(tail > 5.0):
        size = np.where(tail <= 5.0, size, _ratio(_E, _F, tail - 5.0))
    result[is_outer] = np.copysign(size, outer - 0.5)
    return result


@dataclass(frozen=True, slots=True)
class Spread:
    """The shape of a doubt: low, central, high are its 5 %, 50 % and 95 % points.

    Shapes: ``lognormal`` and ``normal`` (each half with its own width), ``uniform`` and
    ``loguniform`` (between bounds that give those 5 % and 95 % points), ``excess`` (lognormal
    above 1, for ratios such as PUE), ``fraction`` (log-odds normal, for shares) and ``point``.
    """

    low: float
    central: float
    high: float
    shape: str = "lognormal"

    def check(self) -> None:
        """Refuse what cannot be a spread.

        Raises:
            InvalidValue: bounds out of order, an unknown shape, or values outside its range.
        """
        if self.shape not in SHAPES:
            raise InvalidValue(name="shape", value=self.shape, expected=" | ".join(SHAPES))
        if not self.low <= self.central <= self.high:
            raise InvalidValue(
                name="spread",
                value=f"{self.low}, {self.central}, {self.high}",
                expected="low <= central <= high",
            )
        floor = {"lognormal": 0.0, "loguniform": 0.0, "excess": 1.0, "fraction": 0.0}
        if self.low <= floor.get(self.shape, -np.inf) and self.low != self.high:
            raise InvalidValue(name="low", value=self.low, expected=f"> {floor[self.shape]}")
        if self.shape == "fraction" and self.high >= 1 and self.low != self.high:
            raise InvalidValue(name="high", value=self.high, expected="< 1")

    def quantile(self, probability: Vector) -> Vector:
        """The value below which each probability lies, shape as given."""
        if self.low == self.high:
            return np.full(probability.shape, self.central)
        if self.shape == "uniform":
            return _between(self.low, self.high, probability)
        if self.shape == "loguniform":
            return np.exp(_between(np.log(self.low), np.log(self.high), probability))
        forward, back = _TRANSFORMS[self.shape]
        low, central, high = forward(np.array([self.low, self.central, self.high]))
        z = normal_quantile(probability) / _Z95
        return back(central + z * np.where(z < 0, central - low, high - central))

    def draw(self, key: str, n: int = DRAWS) -> Vector:
        """Draws of the spread from the stream of a key, shape (n,)."""
        if self.low == self.high:
            return np.full(n, self.central)
        return self.quantile(uniforms(key, n))


def _between(low: float, high: float, probability: Vector) -> Vector:
    margin = (high - low) / 18  # 5 % beyond each end of the central 90 %
    result: Vector = low - margin + (high - low + 2 * margin) * probability
    return result


def _logit(x: Vector) -> Vector:
    result: Vector = np.log(x) - np.log1p(-x)
    return result


def _expit(x: Vector) -> Vector:
    result: Vector = 1 / (1 + np.exp(-x))
    return result


_TRANSFORMS: dict[str, tuple[Callable[[Vector], Vector], Callable[[Vector], Vector]]] = {
    "lognormal": (np.log, np.exp),
    "normal": (lambda x: x, lambda x: x),
    "excess": (lambda x: np.log(x - 1), lambda x: 1 + np.exp(x)),
    "fraction": (_logit, _expit),
}


def summarise(draws: Vector) -> tuple[float, float, float]:
    """The 5 %, 50 % and 95 % points of draws, as order statistics (p05, p50, p95).

    >>> summarise(np.arange(1024.0))
    (51.0, 512.0, 972.0)
    """
    low, central, high = summarise_rows(draws)
    return float(low), float(central), float(high)


def summarise_rows(draws: Vector) -> Vector:
    """The same of each row, shape (3, ...) for draws of shape (..., n)."""
    ordered = np.sort(draws, axis=-1)  # vectorised, and faster than partitioning three times
    result: Vector = np.moveaxis(ordered[..., ranks(draws.shape[-1])], -1, 0)
    return result


def ranks(n: int) -> list[int]:
    """Where the 5 %, 50 % and 95 % points stand among n draws in ascending order.

    >>> ranks(1024)
    [51, 512, 972]
    """
    return [int(0.05 * n), n // 2, int(0.95 * n)]


def priced(amounts: Vector, prices: Vector) -> Vector:
    """The draws of sums of priced amounts, shape (uses, n).

    total_u = Σ amount_uf · price_f

    The terms are added in the order of the features, whatever the number of uses: a matrix product
    would round one use and a thousand differently.

    Args:
        amounts: how much of each feature, shape (uses, features).
        prices: of one unit of each feature, shape (features, n).

    >>> priced(np.array([[2.0, 0.0, 1.0]]), np.array([[1.0], [9.0], [3.0]])).tolist()
    [[5.0]]
    """
    result: Vector = np.einsum("uf,fn->un", amounts, prices)
    return result


def used(amounts: Vector, prices: Vector) -> tuple[Vector, Vector]:
    """Amounts and prices without the features that no use has; their sum stays the same.

    >>> used(np.array([[2.0, 0.0]]), np.array([[1.0], [9.0]]))[1].tolist()
    [[1.0]]
    """
    is_used = amounts.any(axis=0)
    return (amounts, prices) if is_used.all() else (amounts[:, is_used], prices[is_used])
