"""Certificates of a vendor that only tests trust."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

SINCE, UNTIL = 1_700_000_000, 2_000_000_000
NOW = 1_795_000_000


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(
    subject: str,
    key,
    issuer: str,
    issuer_key,
    *,
    authority: bool = True,
    path_length: int | None = None,
    extensions: list[tuple[str, bytes]] = (),
    since: int = SINCE,
    until: int = UNTIL,
    serial: int = 7,
) -> bytes:
    """Give the DER of a certificate; keys are EC, or RSA (then PSS, as AMD signs)."""
    uses = {
        **dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment"), False),
        **dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False),
    }
    made = (
        x509.CertificateBuilder(name(issuer), name(subject), key.public_key(), serial)
        .not_valid_before(moment(since))
        .not_valid_after(moment(until))
        .add_extension(x509.BasicConstraints(authority, path_length), critical=True)
        .add_extension(
            x509.KeyUsage(not authority, **uses, key_cert_sign=authority, crl_sign=authority),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    for oid, value in extensions:
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
        made = made.add_extension(unknown, critical=False)
    if isinstance(issuer_key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
        signed = made.sign(issuer_key, hashes.SHA384(), rsa_padding=pss)
    else:
        signed = made.sign(issuer_key, digest_of(issuer_key))
    return signed.public_bytes(Encoding.DER)


def revoked(
    issuer: str, issuer_key, serials: list[int], until: int = UNTIL, since: int = SINCE
) -> bytes:
    """Give the DER of a revocation list."""
    made = (
        x509.CertificateRevocationListBuilder(name(issuer), moment(since), moment(until))
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    for one in serials:
        made = made.add_revoked_certificate(
            x509.RevokedCertificateBuilder(one, moment(SINCE)).build()
        )
    if isinstance(issuer_key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
        signed = made.sign(issuer_key, hashes.SHA384(), rsa_padding=pss)
    else:
        signed = made.sign(issuer_key, digest_of(issuer_key))
    return signed.public_bytes(Encoding.DER)


def digest_of(key):
    return hashes.SHA256() if key.curve.name == "secp256r1" else hashes.SHA384()


def raw_signature(key, message: bytes, order: str = "big", width: int | None = None) -> bytes:
    """Give r and s, each as wide as the curve or `width`."""
    pair = decode_dss_signature(key.sign(message, ec.ECDSA(digest_of(key))))
    return b"".join(one.to_bytes(width or (key.curve.key_size + 7) // 8, order) for one in pair)


def point(key) -> bytes:
    """Give both coordinates of the public key."""
    whole = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return whole[1:]
