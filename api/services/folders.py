"""Folders that results are written into."""

import errno
import os
from pathlib import Path

from data.model.errors import InputError

_CODES = {
    errno.EACCES: "file.not_written.denied",
    errno.EPERM: "file.not_written.denied",
    errno.EROFS: "file.not_written.denied",
    errno.EEXIST: "file.not_written.file_in_the_way",
    errno.ENOTDIR: "file.not_written.file_in_the_way",
    errno.ENOSPC: "file.not_written.disk_full",
}


def not_written(folder: Path, wrong: OSError) -> InputError:
    """The refusal of a folder that cannot be written, with the system's reason."""
    if wrong.errno in _CODES:
        return InputError(_CODES[wrong.errno], folder=str(folder))
    reason = os.strerror(wrong.errno) if wrong.errno else str(wrong)
    return InputError("file.not_written", folder=str(folder), reason=reason)


def made_folder(folder: Path) -> Path:
    """The folder, made if it is not there and found to take files.

    Raises
    ------
    InputError
        ``file.not_written`` or one of its kinds.
    """
    trial = folder / ".bookmobile-trial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.touch()
        trial.unlink()
    except OSError as wrong:
        raise not_written(folder, wrong) from wrong
    return folder


def check_folder(folder: Path) -> None:
    """Refuse, before any long work and without making it, a folder that cannot take files.

    Raises
    ------
    InputError
        ``file.not_written.denied`` or ``file.not_written.file_in_the_way``.
    """
    whole = folder.absolute()
    there = next(place for place in (whole, *whole.parents) if place.exists())
    if not there.is_dir():
        raise InputError("file.not_written.file_in_the_way", folder=str(folder))
    if not os.access(there, os.W_OK):
        raise InputError("file.not_written.denied", folder=str(folder))
