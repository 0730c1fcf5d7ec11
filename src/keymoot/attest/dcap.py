"""What Intel publishes for checking quotes of one kind of machine (DCAP collateral, version 3).

Intel, "PCS API", version 4. Intel's TCB list and quoting enclave's identity are JSON, of which
every byte is signed. As a record it may stand on a ledger; `of_json` reads what `dcap-qvl`
and caching services give.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar, Self, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from keymoot.attest.certificates import (
    MAX_CERTIFICATE_BYTES,
    MAX_CHAIN,
    ChainRefused,
    TrustedRoot,
    check_chain,
    dates_of,
    pem_of,
    read_certificate,
    read_pem,
    seconds_of,
)
from keymoot.attest.collateral import Validity, read_moment
from keymoot.base.errors import Malformed
from keymoot.base.forms import AtMost, Exactly
from keymoot.base.record import Record
from keymoot.base.shown import shown
from keymoot.base.strict_json import Json, parse
from keymoot.base.units import UnixSeconds

MAX_LIST_BYTES = 32_768
"""Longest list that is read; Intel's revocation list of platforms has 2,700 bytes."""

MAX_COLLATERAL_BYTES = 262_144
"""Longest collateral that is read, as a record or as JSON; Intel's has 10,000 and 19,000."""

_LISTS = 4
"""How many of the dates are those of lists: they come first."""

_QUOTING = {"TDX": "TD_QE", "SGX": "QE"}
"""By kind of machine, how Intel calls its quoting enclave."""

Chain: TypeAlias = Annotated[
    tuple[Annotated[bytes, AtMost(MAX_CERTIFICATE_BYTES)], ...], AtMost(MAX_CHAIN)
]
SIGNATURE = Exactly(64)


@dataclass(frozen=True, slots=True)
class DcapCollateral(Record):
    """Lists, and the chains of certificates that vouch for them; chains are DER, leaf first.

    Attributes:
        pck_crl_chain: Who signed the list of revoked machines.
        root_crl: Revoked authorities.
        pck_crl: Revoked machines.
        tcb_chain: Who signed the TCB list; ends in Intel's root.
        tcb_info: Which versions of Intel's code are up to date; JSON.
        tcb_signature: ECDSA P-256 over it, r and s.
        qe_chain: Who signed the identity of the quoting enclave.
        qe_identity: It; JSON.
        qe_signature: ECDSA P-256 over it, r and s.
    """

    MAX_BYTES: ClassVar[int | None] = MAX_COLLATERAL_BYTES

    pck_crl_chain: Chain
    root_crl: Annotated[bytes, AtMost(MAX_LIST_BYTES)]
    pck_crl: Annotated[bytes, AtMost(MAX_LIST_BYTES)]
    tcb_chain: Chain
    tcb_info: Annotated[bytes, AtMost(MAX_LIST_BYTES)]
    tcb_signature: Annotated[bytes, SIGNATURE]
    qe_chain: Chain
    qe_identity: Annotated[bytes, AtMost(MAX_LIST_BYTES)]
    qe_signature: Annotated[bytes, SIGNATURE]

    @classmethod
    def of_json(cls, raw: bytes) -> Self:
        """Read what services give: chains as PEM, lists and signatures as lower-case hex.

        Raises:
            Malformed: something else.
        """
        document = parse(raw, MAX_COLLATERAL_BYTES)
        if not isinstance(document, dict):
            raise Malformed("collateral is an object", "collateral")
        fields = document

        def text(name: str) -> str:
            value = fields.get(name)
            if not isinstance(value, str):
                raise Malformed("a text was expected", name)
            return value

        def octets(name: str) -> bytes:
            value = text(name)
            try:
                made = bytes.fromhex(value)
            except ValueError as error:
                raise Malformed("hex was expected", name) from error
            if made.hex() != value:
                raise Malformed("hex is written in lower case, without blanks", name)
            return made

        def chain(name: str) -> tuple[bytes, ...]:
            return read_pem(text(name).encode(), name)

        return cls(
            chain("pck_crl_issuer_chain"),
            octets("root_ca_crl"),
            octets("pck_crl"),
            chain("tcb_info_issuer_chain"),
            text("tcb_info").encode(),
            octets("tcb_info_signature"),
            chain("qe_identity_issuer_chain"),
            text("qe_identity").encode(),
            octets("qe_identity_signature"),
        )

    def texts(self) -> tuple[str, bytes, bytes, str, str, bytes, str, str, bytes]:
        """Give the fields as dcap-qvl takes them: chains as PEM, JSON as text.

        Raises:
            Malformed: JSON that is no UTF-8.
        """
        return (
            pem_of(self.pck_crl_chain).decode(),
            self.root_crl,
            self.pck_crl,
            pem_of(self.tcb_chain).decode(),
            _text(self.tcb_info, "tcbInfo"),
            self.tcb_signature,
            pem_of(self.qe_chain).decode(),
            _text(self.qe_identity, "qeIdentity"),
            self.qe_signature,
        )

    @property
    def machines(self) -> tuple[str, str, str]:
        """Give which quotes it is for.

        Returns:
            `SGX` or `TDX`; the FMSPC in upper-case hex; who vouches for the machines, and revokes
            them: Intel has two such authorities.

        Raises:
            Malformed: a part does not say.
        """
        return (*_machines(self.tcb_info), authority_of(self.pck_crl_chain[:1]))

    def validity(self) -> tuple[Validity, ...]:
        """Give from when until when each list and certificate counts.

        Raises:
            Malformed: one of them does not say.
        """
        return _validity(self)

    def check(self, root: TrustedRoot, now: UnixSeconds) -> None:
        """Raise unless all of it is Intel's, and counts now: for who keeps it for others.

        Raises:
            Malformed: a part is none.
            CollateralStale: a part is out of its dates.
            ChainRefused: a chain does not lead to the root, a list is not signed by its leaf, or
                parts are of different kinds of machines: all genuine, they would refuse all.
        """
        kind, _, _ = self.machines
        if _object(self.qe_identity, "qeIdentity").get("id") != _QUOTING.get(kind):
            raise ChainRefused(f"the quoting enclave is not the one of {shown(kind, 8)} machines")
        # 1. Every part is within its dates.
        for validity in self.validity():
            validity.check(now)
        # 2. The chains lead to Intel's root.
        for chain in (self.pck_crl_chain, self.tcb_chain, self.qe_chain):
            check_chain(chain, root, now)
        # 3. Who stands before each chain signed its list.
        for signed, signature, chain in (
            (self.tcb_info, self.tcb_signature, self.tcb_chain),
            (self.qe_identity, self.qe_signature, self.qe_chain),
        ):
            if not _p256_signed(chain[0], signed, signature):
                raise ChainRefused("a list is not signed by the certificate that comes with it")
        for crl, der in (
            (self.root_crl, self.tcb_chain[-1]),
            (self.pck_crl, self.pck_crl_chain[0]),
        ):
            if not _signed_crl(crl, der):
                raise ChainRefused("a revocation list is not signed by its authority")

    def is_older(self, other: "DcapCollateral") -> bool:
        """Tell whether any list of it was made before the same list of another, or knows less.

        Intel gives lists of two states of knowledge at a time, each with a number.

        Raises:
            Malformed: one of them does not say.
        """
        pairs = zip(self.validity()[:_LISTS], other.validity()[:_LISTS], strict=True)
        if any(mine.since < theirs.since for mine, theirs in pairs):
            return True
        return any(
            _evaluation(mine, name) < _evaluation(theirs, name)
            for mine, theirs, name in (
                (self.tcb_info, other.tcb_info, "tcbInfo"),
                (self.qe_identity, other.qe_identity, "qeIdentity"),
            )
        )


def authority_of(chain: Sequence[bytes]) -> str:
    """Give the common name of a chain's first certificate; Malformed where there is none."""
    if not chain:
        raise Malformed("a chain has at least one certificate", "chain")
    names = read_certificate(chain[0], "chain").subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1 or not isinstance(names[0].value, str):
        raise Malformed("an authority has one name", "chain")
    return names[0].value


def _evaluation(raw: bytes, name: str) -> int:
    value = _object(raw, name).get("tcbEvaluationDataNumber")
    if not isinstance(value, int):
        raise Malformed("it does not say how much Intel knew", name)
    return value


def _p256_signed(der: bytes, signed: bytes, signature: bytes) -> bool:
    key = read_certificate(der, "chain[0]").public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    try:
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _signed_crl(crl: bytes, der: bytes) -> bool:
    key = read_certificate(der, "chain").public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        return x509.load_der_x509_crl(crl).is_signature_valid(key)
    except Exception:  # noqa: BLE001  signed by a kind of key that the library does not know
        return False


def _text(raw: bytes, path: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Malformed("JSON is UTF-8", path) from error


def _object(raw: bytes, path: str) -> dict[str, Json]:
    document = parse(raw, MAX_LIST_BYTES)
    if not isinstance(document, dict):
        raise Malformed("an object was expected", path)
    return document


@lru_cache(maxsize=64)
def _machines(tcb_info: bytes) -> tuple[str, str]:
    fields = _object(tcb_info, "tcbInfo")
    kind, fmspc = fields.get("id", "SGX"), fields.get("fmspc")
    if not isinstance(kind, str) or not isinstance(fmspc, str):
        raise Malformed("it does not say for which machines it is", "tcbInfo")
    return kind, fmspc


@lru_cache(maxsize=64)
def _validity(collateral: DcapCollateral) -> tuple[Validity, ...]:
    levels = []
    for raw, name in ((collateral.tcb_info, "tcbInfo"), (collateral.qe_identity, "qeIdentity")):
        fields = _object(raw, name)
        since, until = (
            read_moment(fields.get(key), f"{name}.{key}") for key in ("issueDate", "nextUpdate")
        )
        levels.append(Validity(f"Intel's {name}", since, until))
    for raw, name in (
        (collateral.root_crl, "list of revoked authorities"),
        (collateral.pck_crl, "PCK CRL"),
    ):
        levels.append(_of_crl(raw, f"Intel's {name}"))
    for chain in (collateral.pck_crl_chain, collateral.tcb_chain, collateral.qe_chain):
        for at, der in enumerate(chain):
            since, until = dates_of(read_certificate(der, f"chain[{at}]"))
            levels.append(Validity("a certificate of Intel's", since, until))
    return tuple(levels)


def _of_crl(raw: bytes, what: str) -> Validity:
    try:
        made = x509.load_der_x509_crl(raw)
        since, until = made.last_update_utc, made.next_update_utc
    except Exception as error:
        raise Malformed("this is no revocation list in DER", what) from error
    if until is None:
        raise Malformed("the list does not say when the next one comes", what)
    return Validity(what, UnixSeconds(seconds_of(since)), UnixSeconds(seconds_of(until)))
