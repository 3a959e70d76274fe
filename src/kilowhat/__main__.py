"""The program: runs the command line and turns every outcome into an exit code."""

from __future__ import annotations

import sys


def main() -> None:
    """Run ``kilowhat`` with the arguments of this process, and exit."""
    try:
        from kilowhat.cli import run

        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:  # before the command line could take care of it
        sys.exit(130)


if __name__ == "__main__":
    main()
