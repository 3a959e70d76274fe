"""Which model a text use is of: by its name, its parameters or its class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kilowhat.domain.model import ParameterCount
from kilowhat.errors import UnsupportedUse
from kilowhat.language import mark, translate
from kilowhat.methods.architecture import of_layout, of_parameters
from kilowhat.quantity.spread import Spread
from kilowhat.registry import models, serving

if TYPE_CHECKING:
    from kilowhat.domain.activity import Activity
    from kilowhat.domain.architecture import Architecture, Magnitude
    from kilowhat.domain.factor import Entry
    from kilowhat.domain.model import Model
    from kilowhat.registry.resolve import Registry


@dataclass(frozen=True, slots=True)
class Subject:
    """The model of a use: what it is called, its architecture, and what its name tells."""

    name: str
    model: Model | None
    architecture: Architecture
    native_precision: str | None
    notes: tuple[str, ...]
    influences: tuple[str, ...] = ()
    trail: tuple[Entry, ...] = ()


class Subjects:
    """Resolves the models of text uses against one registry.

    Args:
        registry: the sourced numbers.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def resolve(self, use: Activity) -> Subject:
        """The model of a use, from its name, its parameters or its class.

        Raises:
            UnknownModel: no model has such a name.
            UnsupportedUse: the model does not write text, or its size is not known.
        """
        if use.parameters is not None:
            active = use.active or use.parameters
            name = f"{use.parameters / 1e9:.15g}B"
            total, used = (ParameterCount(n, n, n) for n in (use.parameters, active))
            return self._sized(name, None, total, used, ())
        if use.like is not None:
            size = models.classes(self.registry.data)[use.like]
            return self._sized(f"like:{use.like}", None, size.total, size.active, ())
        return self._named(str(use.model))

    def _named(self, name: str) -> Subject:
        found = models.match(name, self.registry.data)
        model = found.model
        if model.kind not in ("text", "embedding"):
            raise UnsupportedUse(
                model=model.id,
                use=translate(mark("a text call")),
                reason=translate(mark("it is a model of another kind: {kind}")).format(
                    kind=model.kind
                ),
            )
        notes: list[str] = []
        if found.how in ("dated alias", "normalised"):
            understood = translate(mark("“{name}” was understood as {model}."))
            notes.append(understood.format(name=name, model=model.id))
        layout = models.layouts(self.registry.data).get(model.architecture)
        precision = found.precision or model.precision or None
        if layout is not None:
            return Subject(
                model.id, model, of_layout(model.architecture, layout), precision, tuple(notes)
            )
        if model.total is None or model.active is None:
            raise UnsupportedUse(
                model=model.id,
                use=translate(mark("a text call")),
                reason=translate(mark("nobody has published or estimated its size")),
            )
        if not model.total.is_exact:
            notes.append(mark("The size of this model is not published: it is a range."))
        return self._sized(model.id, model, model.total, model.active, tuple(notes))

    def _sized(
        self,
        name: str,
        model: Model | None,
        total: ParameterCount,
        active: ParameterCount,
        notes: tuple[str, ...],
    ) -> Subject:
        """A model of which only the size is known, or a range of sizes: one stream for both."""
        key = f"model.{name}.size"
        uniform = self.registry.uniform(key)
        sizes = [
            Spread(count.low, count.central, count.high).quantile(uniform)
            for count in (total, active)
        ]
        whole: Magnitude = sizes[0]
        used: Magnitude = sizes[1].clip(max=whole)
        typical = serving.typical_layouts(self.registry, name)
        exact = total.is_exact and active.is_exact
        if exact:
            whole, used = total.central, min(active.central, total.central)
        architecture = of_parameters(name, whole, used, typical)
        precision = (model.precision or None) if model else None
        is_mixture = active.central < typical.mixture_share * total.central
        trail, layout = serving.typical_trail(self.registry, name, is_mixture=is_mixture)
        streams = layout if exact else (key, *layout)
        return Subject(name, model, architecture, precision, notes, streams, trail)
