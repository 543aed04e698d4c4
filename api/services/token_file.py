"""The token of a device, in a file of its own."""

from pathlib import Path

from data.model.errors import InputError


def read_token(path: Path) -> str:
    """The token in a file.

    Raises
    ------
    InputError
        ``onboard.no_token`` where there is none.
    """
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError("onboard.no_token", file=path) from wrong
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError("onboard.no_token", file=path)
    return token
