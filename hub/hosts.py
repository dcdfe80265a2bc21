"""Which tenant a request's Host header selects."""

from functools import lru_cache
from ipaddress import ip_address

LOCAL = "localhost"


@lru_cache(maxsize=1024)
def tenant_label(host: str, base_domain: str) -> str | None:
    """The tenant's slug in the host's name; None for the bare host, "" for a host that no tenant can have.

    Any case, the port and one trailing dot are ignored. `localhost`, the base domain and IP literals are the bare host.
    """
    name = _without_port(host.strip().lower())
    if name.endswith("."):
        name = name[:-1]
    if name in (LOCAL, base_domain) or _is_address(name):
        return None
    label, dot, domain = name.partition(".")
    return label if dot and domain == base_domain else ""


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, colon, port = host.rpartition(":")
    return name if colon and (port.isdecimal() or not port) else host


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
