import pytest

from hub.hosts import tenant_label


@pytest.mark.parametrize(
    ("host", "label"),
    [
        ("demo.example.com", "demo"),
        ("DEMO.Example.COM:8443", "demo"),
        ("demo.example.com.", "demo"),
        ("demo.example.com.:8000", "demo"),
        ("example.com", None),
        ("example.com.:80", None),
        ("localhost", None),
        ("LOCALHOST:8000", None),
        ("127.0.0.1:8000", None),
        ("[::1]:8000", None),
        ("[::1]", None),
        ("192.168.1.20", None),
        ("", ""),
        ("other.org", ""),
        ("demo.other.org", ""),
        ("a.demo.example.com", ""),
        ("demoexample.com", ""),
        (".example.com", ""),
        ("example.com.evil.org", ""),
    ],
)
def test_host_selects_a_tenant_the_bare_host_or_nothing(host: str, label: str | None) -> None:
    assert tenant_label(host, "example.com") == label


def test_base_domain_localhost_has_tenants_before_it() -> None:
    assert tenant_label("demo.localhost:8000", "localhost") == "demo"
