"""How often somebody may try: sign-in, pairing, public search."""

import ipaddress
import math
import time
from enum import Enum

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import HTTPConnection

from data.model.errors import AccessError

IPV6_NETWORK_BITS = 64


class Limit(Enum):
    """What is limited, and how often it may be done by one key."""

    SIGN_IN_ADDRESS = ("sign_in_address", "30 per 5 minutes")
    """Sign-ins tried from one address."""
    SIGN_IN_LOGIN = ("sign_in_login", "10 per 5 minutes")
    """Sign-ins tried with one login from one address."""
    SIGN_IN_ANYWHERE = ("sign_in_anywhere", "100 per hour")
    """Sign-ins tried with one login from anywhere."""
    PASSWORD = ("password", "10 per 5 minutes")
    """Own passwords given to change something."""
    PAIRING = ("pairing", "10 per 5 minutes")
    """Codes of devices tried from one address."""
    PAIRING_ANYWHERE = ("pairing_anywhere", "300 per hour")
    """Codes of devices tried from anywhere: a code has eight digits and ten minutes."""
    SEARCH = ("search", "60 per minute")
    """Public searches from one address."""
    PRINT = ("print", "60 per 10 minutes")
    """Papers for residents made for one address; those that are kept count for nothing."""
    STOP_REQUEST = ("stop_request", "5 per hour")
    """Requests for a stop from one address."""
    STOP_REQUEST_ANYWHERE = ("stop_request_anywhere", "60 per hour")
    """Requests for stops of one region from anywhere."""
    LETTERS = ("letters", "10 per hour")
    """Wishes to be told about a stop by e-mail from one address of the network."""
    LETTERS_ANYWHERE = ("letters_anywhere", "300 per hour")
    """The same for one region from anywhere."""
    LETTERS_ADDRESS = ("letters_address", "5 per day")
    """Letters that ask one e-mail address whether it wants any."""


def network_of(address: str) -> str:
    """What stands for an address in a limit: an IPv6 network, for anybody has all of one."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return address
    return str(ipaddress.ip_network((known, IPV6_NETWORK_BITS), strict=False))


def network_asking(request: HTTPConnection) -> str:
    """The network that a request came from; behind a trusted proxy, the one that it tells."""
    return network_of(request.client.host) if request.client is not None else ""


class Limiter:
    """Counts tries in a moving window, in this process."""

    def __init__(self) -> None:
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._items: dict[Limit, RateLimitItem] = {limit: parse(limit.value[1]) for limit in Limit}

    def check(self, limit: Limit, key: str = "") -> None:
        """Count one try.

        Raises
        ------
        AccessError
            ``access.too_many`` with seconds and minutes to wait, where there were too many.
        """
        item = self._items[limit]
        if self._windows.hit(item, limit.name, key):
            return
        reset_at = self._windows.get_window_stats(item, limit.name, key).reset_time
        wait_s = max(1, math.ceil(reset_at - time.time()))
        raise AccessError("access.too_many", wait_s=wait_s, wait_min=math.ceil(wait_s / 60))
