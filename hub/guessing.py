"""Slows down guessing: counts recent refusals per login and per address and says how long a refusal shall wait.

Only refusals wait, so a right credential is never delayed by what somebody else tries.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

HALF_LIFE = 30.0
"""Seconds after which a refusal counts half."""
FREE_FOR_LOGIN = 3
FREE_FOR_ADDRESS = 15
LONGEST_DELAY = 1.5
REMEMBERED = 20_000


class Guesses:
    """The recent refusals of one process."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._counts: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def refuse(self, login: str, address: str) -> float:
        """Count one refusal; the seconds it shall wait."""
        by_login = self._add(f"login {login}")
        by_address = self._add(f"address {_network(address)}")
        excess = max(by_login - FREE_FOR_LOGIN, (by_address - FREE_FOR_ADDRESS) / 2)
        return min(LONGEST_DELAY, 0.05 * 2.0**excess) if excess > 0 else 0.0

    def suspicion(self, login: str, address: str) -> float:
        """How far back in the line this attempt stands; 0 for a login and an address that nobody tries to guess."""
        by_login = self._recent(f"login {login}") - FREE_FOR_LOGIN
        by_address = self._recent(f"address {_network(address)}") - FREE_FOR_ADDRESS
        return max(0.0, by_login, 0.0 if self._recent(f"known {login}") else by_address)

    def accept(self, login: str) -> None:
        """A right credential: this login keeps its place in the line, whatever comes from its address."""
        self._remember(f"known {login}", 1.0)

    def _add(self, key: str) -> float:
        count = self._recent(key) + 1.0
        self._remember(key, count)
        return count

    def _recent(self, key: str) -> float:
        count, at = self._counts.get(key, (0.0, 0.0))
        return count if key.startswith("known ") else count * 0.5 ** ((self._ticks() - at) / HALF_LIFE)

    def _remember(self, key: str, count: float) -> None:
        self._counts[key] = (count, self._ticks())
        self._counts.move_to_end(key)
        if len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)


def _network(address: str) -> str:
    """One caller: an IPv4 address, or the /64 in which an IPv6 caller chooses freely."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)
