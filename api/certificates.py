"""A small certificate authority of a library's own: https on a network with no name on the web.

The authority signs one certificate for the addresses of the office's server. Tablets take the
authority in once; when an address changes, the authority signs anew and nothing changes on them.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from data.model.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, CertificateBuilder, GeneralName, Name

AUTHORITY_YEARS = 10
SERVER_DAYS = 397
"""Browsers trust no server's certificate for longer."""
EARLIER = timedelta(hours=24)
"""Tablets whose clock is slow must take it too."""
MOST_NAMES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """The files: the authority that tablets take in, and what the server serves with."""

    authority: Path
    authority_key: Path
    server: Path
    server_key: Path
    until_at: datetime
    is_new_authority: bool


def make_certificates(folder: Path, names: Sequence[str], at: datetime) -> Certificates:
    """Sign a server's certificate for names and addresses, by the folder's own authority.

    Raises
    ------
    InputError
        ``cert.no_library``, ``cert.names``, ``cert.bad_name``, ``cert.authority`` or
        ``cert.not_written``.
    """
    try:
        from cryptography import x509
    except ImportError as missing:
        raise InputError("cert.no_library") from missing
    if not 0 < len(names) <= MOST_NAMES:
        raise InputError("cert.names", count=len(names), limit=MOST_NAMES)
    told = [_name(n) for n in dict.fromkeys(names)]
    paths = [folder / n for n in ("authority.pem", "authority.key", "server.pem", "server.key")]
    is_new = not (paths[0].exists() and paths[1].exists())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        authority, key = _new_authority(at) if is_new else _kept_authority(*paths[:2])
        server, server_key = _server(authority, key, told, at)
        if is_new:
            _write(paths[1], _key_bytes(key), mode=0o600)
            _write(paths[0], _bytes(authority))
        _write(paths[3], _key_bytes(server_key), mode=0o600)
        _write(paths[2], _bytes(server) + _bytes(authority))
    except OSError as cause:
        raise InputError("cert.not_written", folder=str(folder), cause=str(cause)) from cause
    assert isinstance(server, x509.Certificate)
    return Certificates(
        authority=paths[0],
        authority_key=paths[1],
        server=paths[2],
        server_key=paths[3],
        until_at=server.not_valid_after_utc,
        is_new_authority=is_new,
    )


def _name(told: str) -> "GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(told))
    except ValueError:
        pass
    try:
        ascii_name = told.encode("idna").decode("ascii")
    except UnicodeError as wrong:
        raise InputError("cert.bad_name", value=told[:80]) from wrong
    if not ascii_name or any(not (c.isalnum() or c in "-.") for c in ascii_name):
        raise InputError("cert.bad_name", value=told[:80])
    return x509.DNSName(ascii_name)


def _new_authority(at: datetime) -> "tuple[Certificate, EllipticCurvePrivateKey]":
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    until = at + timedelta(days=366 * AUTHORITY_YEARS)
    usage = {
        name: name in ("key_cert_sign", "crl_sign")
        for name in (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
            "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        )
    }  # fmt: skip
    built = (
        _builder("Bookmobile local authority", key, at, until)
        .issuer_name(_subject("Bookmobile local authority"))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
    )
    return built.sign(key, hashes.SHA256()), key


def _server(
    authority: "Certificate", key: "EllipticCurvePrivateKey", names: "list[GeneralName]",
    at: datetime,
) -> "tuple[Certificate, EllipticCurvePrivateKey]":  # fmt: skip
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    own = ec.generate_private_key(ec.SECP256R1())
    until = min(at + timedelta(days=SERVER_DAYS), authority.not_valid_after_utc)
    built = (
        _builder("Bookmobile server", own, at, until)
        .issuer_name(authority.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([x509.OID_SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
    )
    return built.sign(key, hashes.SHA256()), own


def _subject(name: str) -> "Name":
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _builder(
    name: str, key: "EllipticCurvePrivateKey", at: datetime, until: datetime
) -> "CertificateBuilder":
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - EARLIER)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _kept_authority(path: Path, key_path: Path) -> "tuple[Certificate, EllipticCurvePrivateKey]":
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        key = load_pem_private_key(key_path.read_bytes(), password=None)
    except (ValueError, TypeError) as wrong:
        raise InputError("cert.authority", file=str(path)) from wrong
    if not isinstance(key, EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise InputError("cert.authority", file=str(path))
    return certificate, key


def _bytes(certificate: "Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _key_bytes(key: "EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write beside, then put in place: never half a key."""
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=mode)
    fresh.write_bytes(content)
    fresh.replace(path)
