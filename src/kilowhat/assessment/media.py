"""Prepare uses that generate images or video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.assessment.result import Context
from kilowhat.assessment.uses import refuse_text_fields
from kilowhat.domain.diffusion import MediaDeployment
from kilowhat.domain.impact import FunctionalUnit
from kilowhat.errors import InvalidValue, UnsupportedPrecision, UnsupportedUse
from kilowhat.language import mark, translate
from kilowhat.methods import media
from kilowhat.methods.units import link_b_s
from kilowhat.quantity.spread import Spread
from kilowhat.registry import models, serving
from kilowhat.registry.diffusion import diffusion_architectures, habits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kilowhat.assessment.hardware import Machines
    from kilowhat.assessment.rates import Which
    from kilowhat.assessment.site import Sites
    from kilowhat.domain.activity import Activity
    from kilowhat.domain.deployment import Accelerator, DeploymentPrior
    from kilowhat.domain.diffusion import DiffusionArchitecture, MediaUse
    from kilowhat.domain.factor import Entry
    from kilowhat.domain.model import Model
    from kilowhat.quantity.quantity import Magnitude, Vector
    from kilowhat.registry.resolve import Registry

METHOD = "kilowhat-diffusion"
_UNIT_OF_TASK = {"text-to-image": "image", "text-to-video": "video"}


@dataclass(frozen=True, slots=True)
class PreparedMedia:
    """The price of one image or video in one situation."""

    context: Context
    energy_prices: Vector
    time_prices: Vector
    noun: str

    @property
    def names(self) -> tuple[str, ...]:
        """What the feature is called."""
        return (f"{self.noun}s",)

    def features(self, uses: Sequence[Activity]) -> Vector:
        """How many images or videos each use makes, shape (uses, 1)."""
        return np.array([[use.calls * max(use.images, 1.0)] for use in uses])

    def unit(self, use: Activity) -> FunctionalUnit:
        """The images or videos of the activity."""
        count = use.calls * max(use.images, 1.0)
        plural = "" if count == 1 else "s"
        name = f"{count:.15g} {self.noun}{plural}"
        if self.noun == "image":
            return FunctionalUnit(name, mark("{count} image"), count, mark("{count} images"))
        return FunctionalUnit(name, mark("{count} video"), count, mark("{count} videos"))


class MediaPricer:
    """Turns the situation of a use of an image or video model into prices.

    Args:
        registry: the sourced numbers.
        machines: the accelerators.
        sites: where uses run.
    """

    def __init__(self, registry: Registry, machines: Machines, sites: Sites) -> None:
        self.registry = registry
        self.machines = machines
        self.sites = sites

    def knows(self, model: Model) -> bool:
        """Whether the layout of an image or video model is published."""
        return model.architecture in diffusion_architectures(self.registry.data)

    def situation(self, use: Activity) -> tuple[object, ...]:
        """All of a use that its price depends on; uses with the same one share it.

        Raises:
            InvalidValue: a field that only text calls have.
        """
        refuse_text_fields(use)
        return (
            use.model, use.provider, use.zone, use.region, use.when, use.accelerator, use.count,
            use.concurrency, use.precision, use.video_s, use.frames, use.fps, use.width_px,
            use.height_px, use.steps, use.ulysses, use.ring,
        )  # fmt: skip

    def prepare(self, use: Activity) -> PreparedMedia:
        """The price of one image or video, and its context.

        Raises:
            UsageError: an unknown name, or a use that no sourced method covers.
        """
        architecture, name, notes = self._architecture(use)
        believed, trail = self._prior(use)
        wanted = self._use(use, architecture)
        table = self.registry.joint("media_coefficients")
        uniform = self.registry.uniform("inference.media.coefficients")
        coefficients = media.Coefficients.drawn(table, uniform)
        deployment, machines, which = self._deployment(use, architecture, believed, coefficients)
        residual, entry = self._residual(architecture)
        energy, time = media.price(architecture, wanted, deployment, coefficients, residual)
        site, said = self.sites.resolve(use, use.provider, believed.kind)
        key = f"media/{believed.id}/{use.accelerator}"
        rates = self.sites.rates(site, machines, which, key)
        context = Context(
            registry=self.registry,
            model=name,
            method=METHOD,
            rates=rates,
            trail=(*trail, entry, *self.machines.trail(machines)),
            influences=_influences(deployment, residual, architecture.name),
            warnings=(*notes, *said, *self._said(use, architecture, wanted)),
            zone=site.zone.id.upper() if site.zone else "WORLD",
            accelerators=machines,
            basis={"prior": believed.id, "kind": believed.kind},
        )
        shape = (1, self.registry.draws)
        return PreparedMedia(
            context,
            np.ascontiguousarray(np.broadcast_to(energy, shape)),
            np.ascontiguousarray(np.broadcast_to(time, shape)),
            _UNIT_OF_TASK[architecture.task],
        )

    def _architecture(self, use: Activity) -> tuple[DiffusionArchitecture, str, tuple[str, ...]]:
        """The architecture of the model of a use.

        Raises:
            UnsupportedUse: it is not an image or video model, or nobody has published its layout.
        """
        if use.model is None:
            raise UnsupportedUse(
                model="?",
                use=translate(mark("an image or a video")),
                reason=translate(mark("a named model is needed")),
            )
        found = models.match(use.model, self.registry.data)
        known = diffusion_architectures(self.registry.data)
        architecture = known.get(found.model.architecture)
        if architecture is None:
            reason = (
                mark("its layout is not published, and no measurement of it is")
                if found.model.kind in ("image", "video")
                else mark("it does not generate images or video")
            )
            raise UnsupportedUse(
                model=found.model.id,
                use=translate(mark("an image or a video")),
                reason=translate(reason),
            )
        if (use.video_s or use.frames or use.fps) and architecture.task != "text-to-video":
            raise UnsupportedUse(
                model=found.model.id,
                use=translate(mark("a video")),
                reason=translate(mark("it generates images")),
            )
        return architecture, found.model.id, ()

    def _prior(self, use: Activity) -> tuple[DeploymentPrior, list[Entry]]:
        own = use.accelerator is not None and (
            self.machines.kind(self.machines.find(use.accelerator).id)
            in ("desktop", "laptop", "edge")
        )
        identity = "own-machine" if own else "open"
        if use.provider is not None:
            identity = serving.prior_id(use.provider, is_open=True, directory=self.registry.data)
        return serving.prior(self.registry, identity)

    def _use(self, use: Activity, architecture: DiffusionArchitecture) -> MediaUse:
        """What is generated; what is not stated is the model's own default."""
        frames: float | None = use.frames
        if frames is None and use.video_s:
            fps = use.fps or architecture.default_fps
            first = (
                1.0 if (architecture.default_frames - 1) % architecture.latent_frames == 0 else 0.0
            )
            frames = round(use.video_s * fps) + first
        return media.default_use(architecture, use.width_px, use.height_px, frames, use.steps)

    def _deployment(
        self,
        use: Activity,
        architecture: DiffusionArchitecture,
        believed: DeploymentPrior,
        coefficients: media.Coefficients,
    ) -> tuple[MediaDeployment, tuple[str, ...], Which]:
        """The deployment, the accelerators among its draws, and which draw has which."""
        registry = self.registry
        batch, ulysses, ring = media.batching(
            architecture.task, registry.uniform, habits(registry), use.count, use.concurrency,
            use.ulysses, use.ring,
        )  # fmt: skip
        if use.count is not None and use.ulysses is None and use.ring is None:
            ulysses = float(use.count)
        if use.count and np.max(np.asarray(ulysses) * ring) > use.count:
            expected = translate(mark("ulysses × ring may not exceed count = {limit}"))
            name, value = ("ring", use.ring) if use.ring else ("ulysses", use.ulysses)
            raise InvalidValue(name=name, value=value, expected=expected.format(limit=use.count))
        machines, which = self._machines(use, believed)
        unmeasured = registry.factor("media.unmeasured.compute_ratio").factor
        spread = Spread(unmeasured.low, unmeasured.central, unmeasured.high, unmeasured.shape)

        def pick(value: Callable[[Accelerator], Magnitude]) -> Magnitude:
            values = [value(machine) for machine in machines]
            return values[0] if len(values) == 1 else _choose(values, which)

        def factors(machine: Accelerator, index: int) -> Magnitude:
            draws = spread.quantile(registry.uniform(f"{unmeasured.stream}|{machine.id}"))
            kind = serving.kinds(registry.data).get(machine.id)
            return media.accelerator_factors(kind, coefficients, draws)[index]

        precision = self._precision(use, machines)
        shared = serving.shared_ranges(registry)
        return (
            MediaDeployment(
                batch=batch,
                ulysses=ulysses,
                ring=ring,
                tdp_w=pick(lambda m: m.tdp_w),
                bandwidth_b_s=pick(lambda m: m.bandwidth_b_s),
                peak_flop_s=pick(lambda m: m.peak_flop_s.get(precision) or _widest(m)),
                link_b_s=pick(lambda m: link_b_s(m, shared)),
                compute_factor=pick(lambda m: factors(m, 0)),
                overhead_factor=pick(lambda m: factors(m, 1)),
            ),
            tuple(machine.id for machine in machines),
            which,
        )

    def _machines(
        self, use: Activity, believed: DeploymentPrior
    ) -> tuple[list[Accelerator], Which]:
        """The accelerators that may serve the use, and the index of each draw's."""
        if use.accelerator is not None:
            return [self.machines.find(use.accelerator)], 0
        machines = [self.machines.by_id(name) for name, _ in believed.accelerators]
        weights = np.cumsum([weight for _, weight in believed.accelerators])
        uniform = self.registry.uniform(f"deployment.{believed.id}.unit")
        which = np.searchsorted(weights / weights[-1], uniform).clip(0, len(machines) - 1)
        return machines, which

    def _precision(self, use: Activity, machines: list[Accelerator]) -> str:
        """The arithmetic of the use; 16 bit unless stated."""
        if use.precision is None:
            return "bf16"
        known = serving.precisions(self.registry.data).get(use.precision.lower())
        if known is None or known.arithmetic not in machines[0].peak_flop_s:
            raise UnsupportedPrecision(
                precision=use.precision,
                accelerator=machines[0].id,
                available=sorted(machines[0].peak_flop_s),
            )
        return known.arithmetic

    def _residual(self, architecture: DiffusionArchitecture) -> tuple[Vector, Entry]:
        """What the formula misses of a model: draws keyed by it, so that two differ."""
        subject = "unet" if architecture.channels else architecture.task  # no U-Net was fitted
        entry = self.registry.factor(f"media.{subject}.residual")
        factor = entry.factor
        spread = Spread(factor.low, factor.central, factor.high, factor.shape)
        return spread.quantile(self.registry.uniform(f"{factor.stream}|{architecture.name}")), entry

    def _said(
        self, use: Activity, architecture: DiffusionArchitecture, wanted: MediaUse
    ) -> list[str]:
        """Defaults that were used: each is said."""
        defaults = []
        if use.width_px is None:
            defaults.append(f"size {wanted.width_px:g}x{wanted.height_px:g}")
        if use.steps is None:
            defaults.append(f"steps {wanted.steps:g}")
        if architecture.task == "text-to-video" and use.frames is None:
            defaults.append(f"frames {wanted.frames:g}")
        if not defaults:
            return []
        sentence = translate(mark("Not given, so the model's own defaults: {defaults}."))
        return [sentence.format(defaults=", ".join(defaults))]


def _widest(machine: Accelerator) -> float:
    """The 16-bit peak of an accelerator, or the nearest that its datasheet has [FLOP/s]."""
    peaks = machine.peak_flop_s
    return peaks.get("bf16") or peaks.get("fp16") or max(peaks.values())


def _choose(values: list[Magnitude], which: Which) -> Vector:
    index = np.asarray(which, dtype=np.intp)
    stacked = np.stack([np.broadcast_to(value, index.shape) for value in values])
    result: Vector = stacked[index, np.arange(len(index))]
    return result


def _influences(deployment: MediaDeployment, residual: Vector, name: str) -> dict[str, Vector]:
    found = {
        "deployment.batch": deployment.batch,
        "deployment.accelerator": deployment.bandwidth_b_s,
        "deployment.ulysses": deployment.ulysses,
        f"inference.residual.{name}": residual,
    }
    return {key: np.asarray(value) for key, value in found.items() if np.ndim(value) == 1}
