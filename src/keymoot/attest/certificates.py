"""Chains of X.509 certificates, walked to a pinned root.

A root is a value: a name and the SHA-256 of its DER. Who trusts another one, as tests do,
hands another value. RFC 5280 as far as vendors of enclaves use it: signatures, names, dates,
who may issue. Revocation lists are the vendors' affair.
"""

import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime  # consensus: whole seconds of UTC, as certificates have them
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from keymoot.attest.evidence import CollateralStale, EvidenceRefused
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32
from keymoot.base.units import UnixSeconds

MAX_CHAIN = 6
"""Most certificates of a chain, root included; AWS Nitro has five."""

MAX_CERTIFICATE_BYTES = 4_096
"""Longest certificate that is read, as DER; AMD's have 1,700."""

_BEGIN, _END = b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n"
_PEM_LINE = 64


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """A root that is trusted.

    Attributes:
        name: As people call it.
        fingerprint: SHA-256 of the certificate's DER.
    """

    name: str
    fingerprint: Bytes32


class ChainRefused(EvidenceRefused, code="CHAIN_REFUSED"):
    """The certificates do not lead to a root that is trusted."""


def read_certificate(der: bytes, path: str) -> x509.Certificate:
    """Read one certificate; bytes of it alone.

    Raises:
        Malformed: too long, or no certificate.
    """
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise Malformed(
            f"a certificate has {len(der)} bytes, at most {MAX_CERTIFICATE_BYTES} are read", path
        )
    try:
        return whole_certificate(der)
    except Exception as error:
        raise Malformed("this is no X.509 certificate in DER", path) from error


@lru_cache(maxsize=256)
def whole_certificate(der: bytes) -> x509.Certificate:
    """Read all parts that are used here; the library reads each when it is asked for, and raises.

    Remembered: issuers' certificates come again with every enclave. `read_certificate` gives what
    it raises a name.
    """
    made = x509.load_der_x509_certificate(der)
    _ = made.subject, made.issuer, made.extensions, made.public_key()
    _ = made.not_valid_before_utc, made.not_valid_after_utc
    # The signature ends the certificate, in whole octets: nothing signs how many bits are unused.
    if not der.endswith(b"\x00" + made.signature):
        raise ValueError("unused bits")
    return made


def seconds_of(moment: datetime) -> UnixSeconds:
    """Give a certificate's date, which has whole seconds."""
    return UnixSeconds(int(moment.timestamp()))  # consensus: a whole number below 2**53


def dates_of(certificate: x509.Certificate) -> tuple[UnixSeconds, UnixSeconds]:
    """Give the first second in which a certificate is valid, and the last one."""
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return seconds_of(since), seconds_of(until)


def check_chain(
    ders: Sequence[bytes], root: TrustedRoot, now: UnixSeconds, path: str = "chain"
) -> UnixSeconds:
    """Walk from a leaf to the root, and give when the first of them ends.

    Args:
        ders: Leaf first, root last.
        root: What the last has to be.
        now: When all of them have to be valid.
        path: Where they stand, for errors.

    Raises:
        Malformed: one is no certificate.
        ChainRefused: it does not lead there.
        CollateralStale: one is out of its dates.
    """
    # 1. It is no longer than any vendor's.
    if not 1 <= len(ders) <= MAX_CHAIN:
        raise Malformed(f"a chain has 1 to {MAX_CHAIN} certificates, got {len(ders)}", path)
    # 2. It ends where we begin to trust.
    if sha256(ders[-1]).digest() != root.fingerprint:
        raise ChainRefused(
            f"the chain does not end in {root.name} ({root.fingerprint.hex()}): it ends in "
            f"{sha256(ders[-1]).hexdigest()}"
        )
    chain = [read_certificate(der, f"{path}[{at}]") for at, der in enumerate(ders)]
    # 3. Each is within its dates.
    ends = []
    for at, certificate in enumerate(chain):
        since, until = dates_of(certificate)
        if not since <= now <= until:
            raise CollateralStale(
                f"certificate {at} of the chain to {root.name}", now, since, until
            )
        ends.append(until)
    # 4. Each is signed by the next, which may sign certificates.
    for at, (below, above) in enumerate(pairwise(ders)):
        why = why_not_issued(below, above, at)
        if why:
            raise ChainRefused(f"certificate {at} of the chain to {root.name}: {why}")
    return UnixSeconds(min(ends))


@lru_cache(maxsize=256)
def why_not_issued(below: bytes, above: bytes, between: int) -> str:
    """Tell why one certificate was not issued by another; empty if it was.

    Pure, and remembered: issuers' certificates come again with every enclave.

    Args:
        below: DER of the certificate.
        above: DER of its issuer.
        between: How many authorities stand below the issuer in the chain.
    """
    certificate, issuer = read_certificate(below, "chain"), read_certificate(above, "chain")
    try:
        limits = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        uses = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return "its issuer does not say that it is an authority"
    if not limits.ca or not uses.key_cert_sign:
        return "its issuer may not sign certificates"
    if limits.path_length is not None and limits.path_length < between:
        return "its issuer may not stand so high in a chain"
    try:
        certificate.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return "its issuer did not sign it"
    except Exception:  # noqa: BLE001  names that differ, keys of a kind that signs nothing
        return "it names another issuer"
    return ""


def p384_key(leaf: x509.Certificate) -> ec.EllipticCurvePublicKey | None:
    """Give a certificate's key; None for one that is not on P-384."""
    key = leaf.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP384R1):
        return key
    return None


def p384_signed(key: ec.EllipticCurvePublicKey, signed: bytes, r: int, s: int) -> bool:
    """Tell whether a key signed bytes, by ECDSA over their SHA-384."""
    try:
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA384()))
    except InvalidSignature:
        return False
    return True


def read_pem(raw: bytes, path: str) -> tuple[bytes, ...]:
    """Read a chain in PEM's one strict form, so that no bit of it has a second meaning.

    Lines of 64, a line feed after each, nothing between; at the end one NUL may stand, as Intel's
    libraries write it.

    Returns:
        The DER of each.

    Raises:
        Malformed: any other form.
    """
    points: list[bytes] = []
    text = raw.removesuffix(b"\x00")
    while text and len(points) < MAX_CHAIN:
        end = text.find(_END)
        body = text[len(_BEGIN) : end]
        try:
            der = binascii.a2b_base64(body)
        except binascii.Error as error:
            raise Malformed("a certificate is no base64", path) from error
        whole = pem_of([der])
        if not text.startswith(whole):
            raise Malformed("certificates stand in PEM's strict form: lines of 64", path)
        points.append(der)
        text = text[len(whole) :]
    if text or not points:
        raise Malformed(f"a chain has 1 to {MAX_CHAIN} certificates in PEM", path)
    return tuple(points)


def pem_of(ders: Sequence[bytes]) -> bytes:
    """Write certificates as PEM, in the form that `read_pem` takes."""
    parts = []
    for der in ders:
        text = binascii.b2a_base64(der, newline=False)
        lines = [text[at : at + _PEM_LINE] for at in range(0, len(text), _PEM_LINE)]
        parts += [_BEGIN, b"".join([line + b"\n" for line in lines]), _END]
    return b"".join(parts)
