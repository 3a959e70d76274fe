"""What a command imports: what it does not need costs nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CASES = {
    "import": ("import kilowhat", ("numpy", "click", "rich", "csv", "kilowhat.assessment")),
    "help": ('run(["--help"])', ("numpy", "rich", "kilowhat.assessment")),
    "estimate": (
        'run(["estimate", "gpt-4o", "--out", "400", "--zone", "FRA"])',
        ("scipy", "pandas", "rich", "numpy.ma", "numpy.testing", "statistics",
         "kilowhat.assessment.media", "kilowhat.assessment.peers", "kilowhat.assessment.training",
         "kilowhat.assessment.published", "kilowhat.registry.evidence", "ecologits"),
    ),
    "compare": ('run(["compare", "2.9 Wh"])', ("scipy", "pandas", "rich", "click.testing")),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_only_what_is_needed_is_imported(case: str, tmp_path: Path) -> None:
    code, unwanted = CASES[case]
    prelude = "" if code.startswith("import") else "from kilowhat.cli import run; "
    said = subprocess.run(
        [sys.executable, "-c", f"{prelude}{code}; import sys; print(*sys.modules, sep='\\n')"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
        env=os.environ | {"KILOWHAT_LANG": "en"},
    ).stdout.split()  # fmt: skip
    assert "kilowhat" in said
    assert [name for name in unwanted if name in said] == []


def test_every_public_name_is_there_though_none_is_imported_yet() -> None:
    import kilowhat
    from kilowhat import assessment

    for module in (kilowhat, assessment):
        for name in module.__all__:
            assert getattr(module, name) is not None
    with pytest.raises(AttributeError):
        _ = kilowhat.no_such_name  # type: ignore[attr-defined]
