"""The one place that knows DuckDB: a private database within a bound of memory."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kilowhat.errors import DataError, InvalidValue, MissingExtra
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Columns = Mapping[str, NDArray[Any]]

MEMORY = "320MB"  # of the engine; the rest of the process takes about as much
_MEMORY_LATER = "160MB"  # once cells are made, unless a bound was asked for
_GLANCE_S = 0.2
_SETTINGS = (
    "SET TimeZone = 'UTC'",
    "SET preserve_insertion_order = false",
    "SET enable_progress_bar = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
)


class Engine:
    """A connection to a private database in memory, which spills to a folder of its own.

    Args:
        folder: where it may spill; removed by `opened`.
        memory: bound of its memory, as DuckDB writes it.
        threads: how many it may use; as many as there are processors when 0.
    """

    def __init__(self, folder: Path, memory: str = MEMORY, threads: int = 0) -> None:
        try:
            import duckdb  # noqa: PLC0415 - an optional extra, and slow to import
        except ImportError:
            raise MissingExtra(package="duckdb", extra="account") from None
        self._errors = duckdb
        self._link = duckdb.connect(":memory:")
        try:
            self._link.execute(f"SET memory_limit = {quoted(memory)}")
        except duckdb.Error as error:
            expected = translate(mark("a size such as 512MB or 2GB"))
            raise InvalidValue(name="memory", value=memory, expected=expected) from error
        self._later = memory if memory != MEMORY else _MEMORY_LATER
        self._link.execute(f"SET temp_directory = {quoted(str(folder))}")
        if threads:
            self._link.execute(f"SET threads = {int(threads)}")
        for setting in _SETTINGS:
            self._link.execute(setting)

    def fork(self) -> Engine:
        """Another connection to the same database, for another thread."""
        other = object.__new__(Engine)
        other._errors = self._errors
        other._link = self._link.cursor()
        return other

    def run(self, query: str, values: Sequence[object] = ()) -> None:
        """Run a statement.

        Raises:
            DataError: the engine refuses it; the reason is its own.
        """
        self._execute(query, values)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query.

        Raises:
            DataError: the engine refuses it; the reason is its own.
        """
        found: list[tuple[Any, ...]] = self._execute(query, values).fetchall()
        return found

    def columns(self, query: str, values: Sequence[object] = ()) -> dict[str, NDArray[Any]]:
        """The columns of a query as arrays, by name; missing text is "".

        Raises:
            DataError: the engine refuses it; the reason is its own.
        """
        found: dict[str, NDArray[np.generic]] = self._execute(query, values).fetchnumpy()
        return {name: _unmasked(values_) for name, values_ in found.items()}

    def names(self, relation: str) -> dict[str, str]:
        """The columns of a relation or query, with the type of each."""
        return {row[0]: row[1] for row in self.rows(f"DESCRIBE {relation}")}

    def put(self, name: str, columns: Columns) -> None:
        """Make a table of arrays."""
        self._link.register("_given", dict(columns))
        try:
            self.run(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM _given")
        finally:
            self._link.unregister("_given")

    def watched(self, query: str, progress: Callable[[float], None]) -> None:
        """Run a statement, and tell from time to time what share of it is done.

        Raises:
            DataError: the engine refuses it; the reason is its own.
        """
        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(self.run, query)
            try:
                while not wait([work], timeout=_GLANCE_S).done:
                    progress(max(self._link.query_progress(), 0.0) / 100)
                work.result()
            finally:
                if not work.done():  # Ctrl-C came between
                    self._link.interrupt()

    def shrink(self) -> None:
        """Give memory back for what follows the rows: the rest of the process needs it then."""
        self.run(f"SET memory_limit = {quoted(self._later)}")

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def _execute(self, query: str, values: Sequence[object]) -> Any:
        try:
            return self._link.execute(query, list(values))
        except self._errors.OutOfMemoryException as error:
            expected = translate(mark("more memory is needed (--memory 1GB)"))
            raise InvalidValue(name="memory", value=_first(error), expected=expected) from error
        except self._errors.Error as error:
            raise DataError(file="DuckDB", line=0, reason=_first(error)) from error


@contextmanager
def opened(memory: str = MEMORY, threads: int = 0) -> Iterator[Engine]:
    """An engine, closed at the end; what it spilled is removed, whatever happens."""
    _sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=f"kilowhat-{os.getpid()}-"))
    try:
        engine = Engine(folder, memory, threads)
        try:
            yield engine
        finally:
            engine.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(where: Path) -> None:
    """Remove what runs that were killed have left behind."""
    for path in where.glob("kilowhat-*-*"):
        process = path.name.split("-")[1]
        if process.isdigit() and not _is_running(int(process)):
            shutil.rmtree(path, ignore_errors=True)


def _is_running(process: int) -> bool:
    """Whether a process runs; where that cannot be told, it does."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def quoted(text: str) -> str:
    """A text as a literal of SQL.

    >>> quoted("l'eau")
    "'l''eau'"
    """
    return "'" + text.replace("'", "''") + "'"


def named(name: str) -> str:
    """A name as an identifier of SQL.

    >>> named("user")
    '"user"'
    """
    return '"' + name.replace('"', '""') + '"'


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300]


def _unmasked(values: Any) -> Any:
    """An array without a mask: text that is missing becomes empty, a number zero."""
    import numpy as np  # noqa: PLC0415 - the package is imported without it

    if not isinstance(values, np.ma.MaskedArray):
        return values
    return values.filled("" if values.dtype == object else 0)
