"""Certificates for https on a local network: what is signed, kept and refused."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from api.certificates import make_certificates
from data.model.errors import InputError
from tests.e2e.service import run_service

NOW = datetime.now(UTC)


def test_a_client_that_took_the_authority_in_trusts_the_service(tmp_path: Path) -> None:
    """The service answers over https; who does not know the authority refuses it."""
    made = make_certificates(tmp_path / "certs", ["localhost", "192.168.1.5", "библиотека.рф"], NOW)
    assert made.is_new_authority
    settings = {"tls_certificate": made.server, "tls_key": made.server_key}
    with run_service(tmp_path, public_url="https://localhost", **settings) as running:
        address = running.url.replace("http://", "https://")
        known = ssl.create_default_context(cafile=str(made.authority))
        answer = httpx.get(f"{address}/tablet", verify=known, timeout=60)
        assert answer.status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{address}/tablet")


def test_the_authority_stays_when_an_address_changes(tmp_path: Path) -> None:
    """Tablets need nothing anew: the next certificate is signed by the same authority."""
    first = make_certificates(tmp_path, ["10.0.0.1"], NOW)
    authority = first.authority.read_bytes()
    second = make_certificates(tmp_path, ["10.0.0.2"], NOW + timedelta(days=90))
    assert not second.is_new_authority
    assert second.authority.read_bytes() == authority
    signed = x509.load_pem_x509_certificate(second.server.read_bytes())
    signed.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    assert second.server_key.stat().st_mode & 0o077 == 0
    assert second.authority_key.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["https://host", "a b", "", "host:8000", "*.example"])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    """A wrong name is told, and no file is written."""
    with pytest.raises(InputError) as refused:
        make_certificates(tmp_path / "certs", [name], NOW)
    assert refused.value.code == "cert.bad_name"
    assert not (tmp_path / "certs").exists()


def test_a_broken_authority_is_not_replaced(tmp_path: Path) -> None:
    """Tablets trust it: a file that cannot be read is told, and stays."""
    made = make_certificates(tmp_path, ["localhost"], NOW)
    made.authority_key.write_text("broken")
    with pytest.raises(InputError) as refused:
        make_certificates(tmp_path, ["localhost"], NOW)
    assert refused.value.code == "cert.authority"
    assert made.authority_key.read_text() == "broken"
