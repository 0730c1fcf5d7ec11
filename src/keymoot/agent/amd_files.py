"""AMD's certificates and lists of revoked keys, out of files in any order.

Files are as AMD's service gives them, or as people cut them up: certificates in PEM or DER, lists
in DER. What belongs together is seen by who names whom; that it is AMD's is checked by others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from keymoot.attest.certificates import read_certificate, read_pem
from keymoot.attest.revocation import MAX_REVOCATIONS_BYTES
from keymoot.attest.snp import AmdChain
from keymoot.base.errors import Malformed
from keymoot.base.shown import shown

_PEM = b"-----BEGIN "
_MAX_NAME_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class _Certificate:
    """One certificate, the file that it stands in, whose it is, and who has signed it."""

    file: str
    der: bytes
    subject: x509.Name
    issuer: x509.Name


@dataclass(frozen=True, slots=True)
class _Revocations:
    """One list, the file that it stands in, and who has signed it, as it says."""

    file: str
    der: bytes
    issuer: x509.Name


def read_amd_chains(files: Mapping[str, bytes]) -> list[tuple[str, AmdChain]]:
    """Put together what files have: a chain for each signing key, by its name and its file's.

    Args:
        files: Their contents by name.

    Raises:
        Malformed: a file is neither, a certificate or list lacks what it belongs to, or there are
            two lists of one root.
    """
    certificates: list[_Certificate] = []
    lists: list[_Revocations] = []
    for name, content in files.items():
        _sort(name, content, certificates, lists)
    roots = [made for made in certificates if made.subject == made.issuer]
    signers = [made for made in certificates if made.subject != made.issuer]
    _check_used(roots, signers, lists)
    return [_chain(signer, roots, lists) for signer in signers]


def _sort(
    name: str, content: bytes, certificates: list[_Certificate], lists: list[_Revocations]
) -> None:
    if content.startswith(_PEM):
        text = content.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
        certificates += [_readable(name, der) for der in read_pem(text, name)]
        return
    try:
        certificates.append(_readable(name, content))
    except Malformed:
        lists.append(_Revocations(name, content, _issuer_of_list(name, content)))


def _readable(name: str, der: bytes) -> _Certificate:
    made = read_certificate(der, name)
    return _Certificate(name, der, made.subject, made.issuer)


def _issuer_of_list(name: str, content: bytes) -> x509.Name:
    try:
        if len(content) > MAX_REVOCATIONS_BYTES:
            raise ValueError("too long")
        return x509.load_der_x509_crl(content).issuer
    except Exception as error:
        raise Malformed(
            "neither certificates (PEM or DER) nor a list of revoked keys (DER)", name
        ) from error


def _check_used(
    roots: Sequence[_Certificate], signers: Sequence[_Certificate], lists: Sequence[_Revocations]
) -> None:
    """Raise where something is named that would not be posted."""
    for made in lists:
        if not any(root.subject == made.issuer for root in roots):
            raise Malformed(
                f"it is {called(made.issuer)}'s list of revoked keys: name the certificate of "
                f"{called(made.issuer)}, and of whom it signed, too",
                made.file,
            )
    for root in roots:
        if not any(signer.issuer == root.subject for signer in signers):
            raise Malformed(
                f"{called(root.subject)} signed none of the certificates: name that of the line's "
                "signing key (ASK) too",
                root.file,
            )


def _chain(
    signer: _Certificate, roots: Sequence[_Certificate], lists: Sequence[_Revocations]
) -> tuple[str, AmdChain]:
    of_signer = {root.der for root in roots if root.subject == signer.issuer}
    issuer = called(signer.issuer)
    if len(of_signer) != 1:
        why = "whose certificate is in none of these files" if not of_signer else "of which are two"
        raise Malformed(f"{called(signer.subject)} is signed by {issuer}, {why}", signer.file)
    revoked = {made.der for made in lists if made.issuer == signer.issuer}
    if len(revoked) > 1:
        raise Malformed(f"there are two lists of {issuer}'s revoked keys: name one", "files")
    name = f"{called(signer.subject)} ({signer.file})"
    return name, AmdChain(signer.der, of_signer.pop(), revoked.pop() if revoked else b"")


def called(name: x509.Name) -> str:
    """Give how a key is called, such as ARK-Milan; it may be a stranger's word."""
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return shown(str(common[0].value) if common else name.rfc4514_string(), _MAX_NAME_CHARACTERS)
