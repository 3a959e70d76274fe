"""A file is replaced all at once: whatever stops the program, the earlier one is intact."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kilowhat.errors import InvalidValue
from kilowhat.ledger.files import replacing

if TYPE_CHECKING:
    from pathlib import Path


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_new_file_takes_the_place_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    for content in ("one", "two"):
        with replacing(path) as partial:
            assert partial.parent == tmp_path
            partial.write_text(content)
            assert not path.exists() or path.read_text() == "one"
        assert path.read_text() == content
    assert listed(tmp_path) == ["out.json"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as partial:
            partial.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert listed(tmp_path) == ["out.json"]


def test_a_file_that_was_not_written_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert path.read_text() == "old"


WRITER = """
import sys
from pathlib import Path
from kilowhat.ledger.files import replacing
with replacing(Path(sys.argv[1])) as partial:
    with partial.open("w") as file:
        file.write("half of the new")
        file.flush()
        print("written", flush=True)
        sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no such signal")
def test_a_run_that_is_killed_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "written\n"
        leftover = tmp_path / f".out.json.{running.pid}.partial"
        assert leftover.read_text() == "half of the new"
        with replacing(tmp_path / "out.json") as partial:  # a run beside it does not disturb it
            partial.write_text("new")
        assert leftover.exists()
        running.kill()
        running.wait()
    assert path.read_text() == "new"
    assert leftover.exists()
    with replacing(path) as partial:
        partial.write_text("newer")
    assert path.read_text() == "newer"
    assert listed(tmp_path) == ["out.json"]


def test_only_leftovers_of_this_very_file_are_removed(tmp_path: Path) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True, check=True).stdout.strip()  # fmt: skip
    kept = [f".other.json.{gone}.partial", f".out.json.{os.getppid()}.partial", ".out.json.partial",
            f"out.json.{gone}.partial", f".out.json.{gone}.partial.bak"]  # fmt: skip
    for name in [*kept, f".out.json.{gone}.partial"]:
        (tmp_path / name).write_text("half")
    with replacing(tmp_path / "out.json") as partial:
        partial.write_text("new")
    assert listed(tmp_path) == sorted([*kept, "out.json"])


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes are otherwise there")
def test_a_link_and_the_mode_are_kept(tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    with replacing(link) as partial:
        partial.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="devices are otherwise there")
def test_a_device_is_written_to_as_it_is(tmp_path: Path) -> None:
    link = tmp_path / "null"
    link.symlink_to(os.devnull)
    with replacing(link) as partial:
        partial.write_text("new")
    assert partial.samefile(os.devnull)
    assert link.is_symlink()


@pytest.mark.parametrize("path", ["folder", "none/out.json"])
def test_a_place_where_no_file_can_be_is_told_at_once(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidValue, match="in a folder that exists"), replacing(tmp_path / path):
        pytest.fail("nothing is to be written")
