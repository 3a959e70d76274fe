"""A secret of this user's, mixed into names before they are hashed, so that none can be guessed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from platformdirs import user_data_path

_BYTES = 16


def read_salt() -> str:
    """The secret: ``KILOWHAT_SALT``, else that of a file which is made when it is first needed.

    Two people who share ``KILOWHAT_SALT`` get the same hashes for the same names.
    """
    told = os.environ.get("KILOWHAT_SALT", "").strip()
    if told:
        return told
    path = Path(user_data_path("kilowhat")) / "salt"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(path, secrets.token_hex(_BYTES))
    return path.read_text(encoding="ascii").strip()


def _create(path: Path, salt: str) -> None:
    """Write a secret that only its user can read; whoever writes first is believed."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(salt)
    try:
        os.link(partial, path)
    except FileExistsError:
        pass
    finally:
        partial.unlink()
