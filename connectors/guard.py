"""Which network addresses the hub may call, and an HTTP client that cannot reach any other.

The name is resolved once, every address is judged, and the connection goes to the address that was judged: a name
server that changes its mind in between gains nothing. TLS still proves the host's name.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpcore
import httpx

from hub.errors import NeedsAttention

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""(host, port) → the addresses behind it."""

NAT64 = ip_network("64:ff9b::/96")
FORBIDDEN = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "240.0.0.0/4",
            "192.0.0.192/32",  # metadata of Oracle's cloud
            "100.100.100.200/32",  # metadata of Alibaba's cloud
            "64:ff9b:1::/48",  # locally used translation to IPv4
            "168.63.129.16/32",  # Azure's agent, a public address
            "fd00:ec2::254/128",  # metadata of Amazon's cloud over IPv6
            "fd20:ce::254/128",  # metadata of Google's cloud over IPv6
        ),
    )
)


def refusal(address: str, *, allow_private: bool) -> str | None:
    """Why the hub must not connect to this address; None when it may."""
    ip = _innermost(ip_address(address))
    if ip.is_unspecified or ip.is_multicast or ip.is_link_local:
        return "it is link-local, multicast or unspecified"
    if any(ip in network for network in FORBIDDEN):
        return "it is reserved or serves a cloud's metadata"
    if not allow_private and (not ip.is_global or getattr(ip, "is_site_local", False)):
        return "it is private and private addresses are not allowed here"
    return None


def _innermost(ip: Address) -> Address:
    """The IPv4 address that an IPv6 form carries inside, where it does."""
    if isinstance(ip, IPv4Address):
        return ip
    number = int(ip)
    if ip in NAT64 or (number >> 32 == 0 and number > 1):
        return IPv4Address(number & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections to judged addresses only."""

    def __init__(self, *, allow_private: bool, resolve: Resolve = resolve) -> None:
        self._allow_private = allow_private
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in await self._addresses(host, port):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} cannot be resolved") from error
        reasons = {address: refusal(address, allow_private=self._allow_private) for address in found}
        allowed = [address for address, reason in reasons.items() if reason is None]
        if found and not allowed:
            address, reason = next(iter(reasons.items()))
            raise NeedsAttention(
                f"{host} leads to {address}, which the hub must not call: {reason}",
                code="ADDRESS_REFUSED",
                hint="correct the address in the settings, or allow private addresses for this hub",
            )
        return allowed

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's signature)
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise NeedsAttention("local sockets must not be called", code="ADDRESS_REFUSED")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._answer.aiter_stream():
            yield chunk

    async def aclose(self) -> None:
        await self._answer.aclose()


class _GuardedHttp(httpx.AsyncBaseTransport):
    """httpx offers no place for a network backend of one's own, so the pool is put under it here."""

    def __init__(self, network: GuardedNetwork, tls: ssl.SSLContext) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=512,
            max_keepalive_connections=64,
            keepalive_expiry=20,
            network_backend=network,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    async def aclose(self) -> None:
        await self._pool.aclose()


def open_client(
    *, allow_private: bool, resolve: Resolve = resolve, tls: ssl.SSLContext | None = None
) -> httpx.AsyncClient:
    """A client to be shared by all connections of a process; `allow_private` admits private and loopback addresses.

    It keeps no cookies (connections of different tenants share it), follows no redirect and ignores proxy variables.
    """
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)  # below it they log queries and headers, which hold secrets
    return httpx.AsyncClient(
        transport=_GuardedHttp(
            GuardedNetwork(allow_private=allow_private, resolve=resolve), tls or httpx.create_ssl_context()
        ),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )
