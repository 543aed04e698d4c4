"""What pages with forms share."""

from urllib.parse import urlsplit


def safe_next(address: str) -> str:
    """Where a form leads afterwards: a path of our own, else the first page."""
    parts = urlsplit(address)
    is_own = (
        address.startswith("/")
        and not address.startswith(("//", "/\\"))
        and not parts.scheme
        and not parts.netloc
        and address.isprintable()
    )
    return address if is_own else "/"
