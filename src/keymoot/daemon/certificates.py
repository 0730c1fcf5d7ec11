"""X.509 certificates for an agent's TLS, under the app's own authority.

The authority's key is derived for the app, so each instance's certificates lead to one root that
outlives it; where the app lets no keys out, it is this start's alone. A leaf's key is new each
time. A certificate for remote attestation carries evidence that binds its key, where dstack's
verifiers look for it: extensions under Phala's arc of object identifiers.
"""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from hashlib import sha512

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from keymoot.attest.evidence import ReportData
from keymoot.base.secret import Secret
from keymoot.base.units import UnixSeconds
from keymoot.daemon.errors import BadArgument

LIFETIME_SECONDS = 365 * 86_400
"""How long a leaf counts where the caller does not say."""

MAX_LIFETIME_SECONDS = 10 * LIFETIME_SECONDS
MAX_ALT_NAMES = 64
MAX_SUBJECT_CHARACTERS = 64
"""Of a common name (X.520)."""

QUOTE, EVENT_LOG, APP_ID = [ObjectIdentifier(f"1.3.6.1.4.1.62397.1.{n}") for n in (1, 2, 3)]

_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)

_P256_ORDER = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551
_BEGIN = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
_END = dt.datetime(2049, 12, 31, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class CertificateWish:
    """What an agent wants certified.

    Attributes:
        subject: The common name.
        alt_names: Names of DNS, or addresses.
        server, client: What the certificate is for.
        begin, end: When it counts.
        extensions: Bytes by object identifier.
    """

    subject: str
    alt_names: tuple[str, ...]
    server: bool
    client: bool
    begin: UnixSeconds
    end: UnixSeconds
    extensions: tuple[tuple[ObjectIdentifier, bytes], ...] = ()


def lifetime(begin: int | None, end: int | None, now: UnixSeconds) -> tuple[int, int]:
    """Give from when to when a certificate counts, of what a caller said."""
    start = now - 60 if begin is None else begin
    stop = start + LIFETIME_SECONDS if end is None else end
    if not 0 <= start < stop <= start + MAX_LIFETIME_SECONDS or stop >= 1 << 35:
        raise BadArgument("not_before is before not_after, and not longer than ten years")
    return start, stop


def p256_key(seed: Secret) -> ec.EllipticCurvePrivateKey:
    """Make a key of P-256 from 48 uniform bytes (RFC 9380, section 5)."""
    scalar = int.from_bytes(seed.expose(), "big") % (_P256_ORDER - 1) + 1
    return ec.derive_private_key(scalar, ec.SECP256R1())


def pem_of(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def key_report(key: ec.EllipticCurvePrivateKey) -> ReportData:
    """Give what evidence in a certificate binds, as dstack has it: `ratls-cert:` and the key."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return ReportData(sha512(b"ratls-cert:" + der).digest())


class Authority:
    """Signs certificates of one app."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, app: str) -> None:
        self._key = key
        self._name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, f"Keymoot app {app[-24:]}")]
        )
        builder = x509.CertificateBuilder(self._name, self._name, key.public_key(), 1, _BEGIN, _END)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        builder = builder.add_extension(_SIGNS_CERTIFICATES, critical=True)
        named = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(named, critical=False)
        self._named = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(named)
        self.pem = builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()

    def issue(self, key: ec.EllipticCurvePrivateKey, wish: CertificateWish) -> list[str]:
        """Give the chain in PEM, leaf first."""
        builder = x509.CertificateBuilder(
            issuer_name=self._name,
            subject_name=_name(wish.subject),
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=dt.datetime.fromtimestamp(wish.begin, dt.UTC),
            not_valid_after=dt.datetime.fromtimestamp(wish.end, dt.UTC),
        )
        builder = builder.add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        )
        builder = builder.add_extension(self._named, critical=False)
        if wish.alt_names:
            names = [_alt_name(name) for name in wish.alt_names]
            builder = builder.add_extension(
                x509.SubjectAlternativeName(names), critical=not wish.subject
            )
        usages = [ExtendedKeyUsageOID.SERVER_AUTH] if wish.server else []
        usages += [ExtendedKeyUsageOID.CLIENT_AUTH] if wish.client else []
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        for identifier, value in wish.extensions:
            told = x509.UnrecognizedExtension(identifier, _octets(value))
            builder = builder.add_extension(told, critical=False)
        leaf = builder.sign(self._key, SHA256())
        return [leaf.public_bytes(Encoding.PEM).decode(), self.pem]


def _name(subject: str) -> x509.Name:
    if len(subject) > MAX_SUBJECT_CHARACTERS:
        raise BadArgument(f"a subject has at most {MAX_SUBJECT_CHARACTERS} characters", "subject")
    if not subject:
        return x509.Name([])
    try:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    except ValueError:
        raise BadArgument("this is no subject of a certificate", "subject") from None


def _alt_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name)
    except ValueError:
        raise BadArgument("a name of DNS is in ASCII", "alt_names") from None


def _octets(value: bytes) -> bytes:
    """Write an OCTET STRING in DER, in which dstack wraps its extensions."""
    size = len(value)
    if size < 128:
        return bytes([4, size]) + value
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([4, 128 | len(digits)]) + digits + value
