"""Passwords: hashed by argon2, a few at a time, in the thread of the request."""

import threading
from functools import cache

from pwdlib import PasswordHash

AT_ONCE = 4
"""One hash takes 64 MiB and a core for a fifth of a second."""
_turn = threading.BoundedSemaphore(AT_ONCE)


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash("whoever knows this may not sign in")


def hash_password(password: str) -> str:
    """What is stored of a password."""
    with _turn:
        return _hasher().hash(password)


def check_password_hash(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Whether a password is the stored one, and its hash by newer parameters if that is due.

    Without a stored one the same work is done and the answer is no: how long it takes does not
    tell whether a login exists.
    """
    with _turn:
        is_right, newer = _hasher().verify_and_update(password, stored or _nobodys_hash())
    return is_right and stored is not None, newer
