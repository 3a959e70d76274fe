"""System boundary: the life-cycle stages that a number already contains (ISO 14040, SCI)."""

from __future__ import annotations

from enum import Flag, auto

from kilowhat.errors import BoundaryError, InvalidValue


class Stage(Flag):
    """Life-cycle stages of a use of AI; a boundary is a union of them."""

    ACCELERATOR = auto()
    HOST = auto()
    IDLE = auto()
    FACILITY = auto()
    GRID = auto()
    UPSTREAM = auto()
    LOSSES = auto()
    EMBODIED = auto()
    NETWORK = auto()
    DEVICE = auto()
    TRAINING = auto()


NOTHING = Stage(0)
IT = Stage.ACCELERATOR | Stage.HOST | Stage.IDLE
"""What a datacentre calls its IT load."""


def names(boundary: Stage) -> list[str]:
    """The stages of a boundary, in life-cycle order, in lower case.

    >>> names(IT)
    ['accelerator', 'host', 'idle']
    """
    return [str(stage.name).lower() for stage in Stage if stage in boundary]


def parse_boundary(text: str) -> Stage:
    """The boundary written as ``ACCELERATOR|HOST``; empty text is the empty boundary.

    Raises:
        InvalidValue: a name is not a stage.
    """
    result = NOTHING
    for part in filter(None, text.split("|")):
        try:
            result |= Stage[part.strip().upper()]
        except KeyError:
            known = ", ".join(str(stage.name) for stage in Stage)
            raise InvalidValue(name="boundary", value=part, expected=known) from None
    return result


def widen(have: Stage, add: Stage) -> Stage:
    """The boundary with stages added.

    Raises:
        BoundaryError: a stage is already in it, so its overhead would be counted twice.

    >>> names(widen(IT, Stage.FACILITY))
    ['accelerator', 'host', 'idle', 'facility']
    """
    if have & add:
        raise BoundaryError(have=", ".join(names(have)), add=", ".join(names(have & add)))
    return have | add
