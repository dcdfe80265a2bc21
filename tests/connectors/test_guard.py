import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from connectors.budget import TokenBuckets
from connectors.guard import Resolve, open_client, refusal
from connectors.sandbox.app import serving
from connectors.transport import Transport
from hub.errors import NeedsAttention, Retryable
from hub.ports import HttpRequest

NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%1",
    "ff02::1",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
]
BY_PERMISSION = ["127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.9", "192.168.1.5", "100.64.0.1", "::1", "fd12::5"]
BY_PERMISSION += ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:c0a8:101::", "fec0::1"]
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_called(address: str) -> None:
    assert refusal(address, allow_private=True) and refusal(address, allow_private=False)


@pytest.mark.parametrize("address", BY_PERMISSION)
def test_private_addresses_need_permission(address: str) -> None:
    assert refusal(address, allow_private=False)
    assert refusal(address, allow_private=True) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_free(address: str) -> None:
    assert refusal(address, allow_private=False) is None


def answering(*rounds: Sequence[str]) -> tuple[Resolve, list[str]]:
    """A name server that says something else each time, and what it was asked."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return rounds[min(len(asked), len(rounds)) - 1]

    return resolve, asked


async def get(
    url: str, resolve: Resolve | None = None, *, allow_private: bool, tls: ssl.SSLContext | None = None
) -> str:
    options = {"resolve": resolve} if resolve else {}
    async with open_client(allow_private=allow_private, tls=tls, **options) as client:
        answer = await Transport(client=client, budget=TokenBuckets()).send(HttpRequest(method="GET", url=url))
        return answer.content.decode()


async def hello(request: object) -> PlainTextResponse:
    return PlainTextResponse("hello")


HELLO = Starlette(routes=[Route("/", hello)])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://[::1]:9/", "http://2130706433:9/", "http://0x7f.1:9/", "http://localhost:9/"]
)
async def test_a_private_address_is_refused_however_it_is_written(url: str) -> None:
    with pytest.raises(NeedsAttention) as refused:
        await get(url, allow_private=False)

    assert refused.value.code == "ADDRESS_REFUSED"


async def test_metadata_is_refused_even_where_private_is_allowed() -> None:
    with pytest.raises(NeedsAttention) as refused:
        await get("http://169.254.169.254/latest", allow_private=True)

    assert refused.value.code == "ADDRESS_REFUSED"


async def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    names, asked = answering(["127.0.0.1"], ["169.254.169.254"])

    async with serving(HELLO) as url:
        assert await get(url.replace("127.0.0.1", "erp.example"), names, allow_private=True) == "hello"

    assert asked == ["erp.example"]


async def test_forbidden_addresses_of_a_name_are_left_out() -> None:
    names, _ = answering(["fe80::1", "169.254.169.254", "127.0.0.1"])

    async with serving(HELLO) as url:
        assert await get(url.replace("127.0.0.1", "erp.example"), names, allow_private=True) == "hello"


async def test_a_name_without_address_is_tried_again_later() -> None:
    async def nothing(host: str, port: int) -> Sequence[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(Retryable):
        await get("http://erp.example/", nothing, allow_private=True)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that signs itself, for one host name, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return paths


async def test_tls_proves_the_name_though_the_connection_goes_to_an_address(tmp_path: Path) -> None:
    crt, key = certificate(tmp_path, "erp.example")
    trusted = ssl.create_default_context(cafile=str(crt))
    names, _ = answering(["127.0.0.1"])

    async with serving(HELLO, ssl_certfile=str(crt), ssl_keyfile=str(key)) as url:
        named = url.replace("127.0.0.1", "erp.example")
        assert await get(named, names, allow_private=True, tls=trusted) == "hello"
        for address, context in ((url.replace("127.0.0.1", "other.example"), trusted), (named, None)):
            with pytest.raises(NeedsAttention) as refused:
                await get(address, names, allow_private=True, tls=context)
            assert refused.value.code == "TLS" and "certificate" in refused.value.message


async def test_tls_to_a_plain_port_names_the_setting() -> None:
    async with serving(HELLO) as url:
        with pytest.raises(NeedsAttention) as refused:
            await get(url.replace("http:", "https:"), allow_private=True)

    assert refused.value.code == "TLS"
