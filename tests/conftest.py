"""What every test relies on: shared strategies on the path, and hypothesis without a clock."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

TESTS = Path(__file__).parent
for folder in (TESTS, TESTS.parent / "tools"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

# A busy machine must not fail a law: no deadline, and the same examples on every run.
settings.register_profile("kilowhat", deadline=None, derandomize=True, database=None)
settings.load_profile("kilowhat")
