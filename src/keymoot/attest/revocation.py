"""Lists of certificates that their authority has taken back (RFC 5280, section 5).

A list is believed if the authority signed it, and for as long as it says. Who is on it is no
argument against the list: it is kept, so that it is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from keymoot.attest.certificates import ChainRefused, read_certificate, seconds_of
from keymoot.attest.collateral import Validity
from keymoot.attest.evidence import EvidenceRefused
from keymoot.base.errors import Malformed
from keymoot.base.units import UnixSeconds

MAX_REVOCATIONS_BYTES = 8_192
"""Longest list of AMD's that is read; it has some 900 bytes."""


class KeyRevoked(EvidenceRefused, code="KEY_REVOKED"):
    """A key that vouches was taken back by its authority."""

    def __init__(self, subject: str, serial: int) -> None:
        super().__init__(
            f"the key of {subject} (serial number {serial:#x}) is on its vendor's list of revoked "
            "keys: what it signs counts for nothing; use another machine, or its newer key"
        )


@dataclass(frozen=True, slots=True)
class RevocationList:
    """Whom an authority has taken back; only `read_revocations` builds one.

    Attributes:
        serials: Serial numbers of certificates.
        validity: From when until when it counts.
    """

    serials: frozenset[int]
    validity: Validity

    def check(self, ders: Sequence[bytes], now: UnixSeconds) -> None:
        """Raise if the list does not count now, or a certificate is on it.

        Raises:
            CollateralStale: it ended, or begins later.
            KeyRevoked: a certificate was taken back.
        """
        self.validity.check(now)
        for der in ders:
            certificate = read_certificate(der, "chain")
            if certificate.serial_number in self.serials:
                raise KeyRevoked(certificate.subject.rfc4514_string(), certificate.serial_number)


@lru_cache(maxsize=16)
def read_revocations(raw: bytes, authority: bytes, what: str) -> RevocationList:
    """Give a list that its authority signed.

    Args:
        raw: DER of the list.
        authority: DER of the certificate of who has to have signed it.
        what: As people call it.

    Raises:
        Malformed: no list, or one that does not say when the next one comes.
        ChainRefused: somebody else signed it.
    """
    issuer = read_certificate(authority, "authority")
    key = issuer.public_key()
    try:
        made = x509.load_der_x509_crl(raw)
        since, until = made.last_update_utc, made.next_update_utc
        serials = frozenset(entry.serial_number for entry in made)
        signer = made.issuer
    except Exception as error:
        raise Malformed("this is no revocation list in DER", what) from error
    if until is None:
        raise Malformed("the list does not say when the next one comes", what)
    if signer != issuer.subject or not _signed(made, key):
        raise ChainRefused(f"{what} is not signed by {issuer.subject.rfc4514_string()}")
    validity = Validity(what, UnixSeconds(seconds_of(since)), UnixSeconds(seconds_of(until)))
    return RevocationList(serials, validity)


def _signed(made: x509.CertificateRevocationList, key: object) -> bool:
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return False
    try:
        return made.is_signature_valid(key)
    except Exception:  # noqa: BLE001  signed in a way that the library does not know
        return False
