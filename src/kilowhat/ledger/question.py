"""What is asked of a log: which files, how they are read, what the inventory shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kilowhat.ledger.calendar import Span
from kilowhat.ledger.engine import MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class LogQuestion:
    """What is asked of a log.

    Attributes:
        paths: files, folders and patterns; "-" is standard input.
        format: name of the format of all of them; "" when it is to be found.
        mapping: a file that says which columns are which, and what models stand for names.
        by: keys of the tables, one tuple a table; the usual ones when there are none.
        span: the days that count.
        compared: the days to compare them with.
        timezone: cuts days and hours.
        zone: where calls run of which nothing else tells; "" for the world.
        zones: a file of rules that tell where calls run.
        hourly: a table of factors of the grid by hour.
        cells: tables of cells that another engine computed, beside logs or instead.
        save_cells: a file to write the cells to.
        table: name of a table of the engine, instead of files.
        engine: what makes cells: duckdb or spark.
        method: whose formulas: ours or ecologits.
        budget: a limit such as ``10 kWh/day`` or ``5 kgCO2e:p95``; "" for none.
        what_if: other assumptions: each a mapping of fields of a use.
        by_hour: whether the energy by weekday and hour is wanted.
        salt: mixed into the names of users before they are hashed.
        trust_ids: whether ids are known to be unique, so that none is looked for.
        strict: whether a refused row is an error.
        memory: bound of the engine's memory.
        threads: of the engine; as many as processors when 0.
    """

    paths: Sequence[str] = ()
    format: str = ""
    mapping: Path | None = None
    by: Sequence[Sequence[str]] = ()
    span: Span = field(default_factory=Span)
    compared: Span | None = None
    timezone: str = "UTC"
    zone: str = ""
    zones: Path | None = None
    hourly: Path | None = None
    cells: Sequence[Path] = ()
    save_cells: Path | None = None
    table: str = ""
    engine: str = "duckdb"
    method: str = "ours"
    budget: str = ""
    what_if: Sequence[Mapping[str, object]] = ()
    by_hour: bool = False
    salt: str = ""
    trust_ids: bool = False
    strict: bool = False
    memory: str = MEMORY
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how far the work has come.

    Attributes:
        begin: told what begins, and how much of it there is [B]; 0 when that is not known.
        advance: told how much more was done [B].
        progress: told what share of the step was done [1].
    """

    begin: Callable[[str, int], None] = lambda _name, _size: None
    advance: Callable[[int], None] = lambda _size: None
    progress: Callable[[float], None] = lambda _share: None
