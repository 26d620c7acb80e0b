"""A certificate for the broker where nobody gave one: signed by an authority of our own.

Devices trust `ca.crt`. Whoever has a certificate of a public authority puts server.crt and
server.key into the folder instead: what is there is never replaced.
"""

import ipaddress
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from devices.broker.files import put

_YEARS = timedelta(days=3650)
_EARLY = timedelta(minutes=10)  # for devices whose clock is a little behind


def ensure(folder: Path, host: str, now: datetime) -> bool:
    """Make ca.crt, server.crt and server.key for `host` where there are none; whether it did."""
    if (folder / "server.crt").exists() and (folder / "server.key").exists():
        return False
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("Livestream base, broker authority")
    ca = _signed(ca_name, ca_name, ca_key.public_key(), ca_key, now, ca=True)
    server = _signed(_name(host), ca_name, key.public_key(), ca_key, now, host=host)
    put(folder / "ca.crt", ca.public_bytes(serialization.Encoding.PEM), secret=False)
    put(folder / "server.crt", server.public_bytes(serialization.Encoding.PEM), secret=False)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    put(folder / "server.key", secret, secret=True)
    return True


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    by: ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    ca: bool = False,
    host: str = "",
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + _YEARS)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
    )
    if host:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general_name(host)]), critical=False
        )
    return builder.sign(by, hashes.SHA256())


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
