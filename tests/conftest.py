"""What every test relies on: shared strategies on the path, and hypothesis without a clock."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import settings

from kilowhat.language import set_language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kilowhat.assessment.estimator import Estimator
    from kilowhat.registry.resolve import Registry

TESTS = Path(__file__).parent
collect_ignore_glob = ["contracts/logs/*"]  # what wrote the samples needs the clients themselves
for folder in (TESTS, TESTS.parent / "tools"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

# A busy machine must not fail a law: no deadline, and the same examples on every run.
settings.register_profile("kilowhat", deadline=None, derandomize=True, database=None)
settings.load_profile("kilowhat")

_LANGUAGE_VARIABLES = ("KILOWHAT_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The shipped numbers, read once."""
    from kilowhat.registry.resolve import Registry

    return Registry()


@pytest.fixture(scope="session")
def estimator(registry: Registry) -> Estimator:
    """One estimator for all tests: what they share is computed once."""
    from kilowhat.assessment.estimator import Estimator

    return Estimator(registry)


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory of a person without settings, whose computer speaks English."""
    import os

    for variable in [name for name in os.environ if name.startswith("KILOWHAT_")]:
        monkeypatch.delenv(variable)
    for variable in _LANGUAGE_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    set_language("en")


class Told(NamedTuple):
    """What a command line gave: its exit code, and both of its streams."""

    code: int
    out: str
    err: str


@pytest.fixture
def terminal(
    newcomer: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Told]:
    """A newcomer's command line in this process, its words given one by one."""
    import os

    from kilowhat.cli import run

    def tell(*words: object) -> Told:
        if "LANGUAGE" in os.environ:
            monkeypatch.setenv("LANGUAGE", "en")  # the command line before may have spoken French
        code = run([str(word) for word in words])
        return Told(code, *capsys.readouterr())

    return tell
