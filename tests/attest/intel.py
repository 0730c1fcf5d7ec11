"""An Intel of our own: quotes and collateral under a root that only tests trust."""

import json
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec

from keymoot.attest.certificates import TrustedRoot, pem_of
from keymoot.attest.dcap import DcapCollateral
from keymoot.attest.dcap_evidence import DcapEvidence
from keymoot.attest.tdx import Intel
from keymoot.base.fixed import Bytes32
from tests.attest import authority
from tests.attest.authority import SINCE, UNTIL, certificate, raw_signature, revoked

FMSPC = "50806F000000"
PPID = bytes(range(16))
INTEL = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
QE_SIGNER = bytes(range(32))
_SGX = "1.2.840.113741.1.13.1"


def der(tag: int, content: bytes) -> bytes:
    assert len(content) < 65_536
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def oid(text: str) -> bytes:
    first, second, *others = map(int, text.split("."))
    out = [first * 40 + second]
    for one in others:
        digits = [one & 127]
        while one := one >> 7:
            digits.append(one & 127 | 128)
        out += reversed(digits)
    return der(6, bytes(out))


def pair(at: str, value: bytes) -> bytes:
    return der(0x30, oid(f"{_SGX}.{at}") + value)


def number(value: int) -> bytes:
    return der(2, bytes([value]))


def of_machine(svn: int, pce_svn: int) -> bytes:
    """Give the extension that says what machine a key belongs to."""
    tcb = [pair(f"2.{at}", number(svn)) for at in range(1, 17)]
    tcb += [pair("2.17", number(pce_svn)), pair("2.18", der(4, bytes([svn] * 16)))]
    return der(
        0x30,
        b"".join(
            [
                pair("1", der(4, PPID)),
                pair("2", der(0x30, b"".join(tcb))),
                pair("3", der(4, bytes(2))),
                pair("4", der(4, bytes.fromhex(FMSPC))),
                pair("5", der(10, b"\x00")),
            ]
        ),
    )


@dataclass(frozen=True)
class Factory:
    """Keys and certificates, from which quotes are made."""

    root_key: ec.EllipticCurvePrivateKey
    ca_key: ec.EllipticCurvePrivateKey
    tcb_key: ec.EllipticCurvePrivateKey
    pck_key: ec.EllipticCurvePrivateKey
    quoting_key: ec.EllipticCurvePrivateKey
    root: bytes
    ca: bytes
    tcb: bytes
    pck: bytes
    authority: str = "platforms"
    """Who vouches for the machine."""

    def under(self, authority: str) -> "Factory":
        """Give the same vendor with another machine, for which another authority vouches."""
        ca, pck = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        made = certificate(authority, ca, "root", self.root_key, path_length=0)
        machine = machine_certificate(pck, authority, ca)
        return replace(self, ca_key=ca, pck_key=pck, ca=made, pck=machine, authority=authority)

    @property
    def trusted(self) -> TrustedRoot:
        return TrustedRoot("a test's root", Bytes32(sha256(self.root).digest()))

    def collateral(
        self,
        tee: str = "TDX",
        *,
        status: str = "UpToDate",
        advisories: tuple[str, ...] = (),
        least_svn: int = 5,
        until: int = UNTIL,
        since: int = SINCE,
        revoked_machines: tuple[int, ...] = (),
        fmspc: str = FMSPC,
        evaluation: int = 17,
    ) -> DcapCollateral:
        dates = {"issueDate": text_of(since), "nextUpdate": text_of(until)}
        components = [{"svn": least_svn}] * 16
        module = {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8}
        day = {"tcbDate": "2024-03-13T00:00:00Z"}
        level = {"sgxtcbcomponents": components, "pcesvn": 5}
        info = {
            "id": tee,
            "version": 3,
            **dates,
            "fmspc": fmspc,
            "pceId": "0000",
            "tcbType": 0,
            "tcbEvaluationDataNumber": evaluation,
            **({"tdxModule": module, "tdxModuleIdentities": []} if tee == "TDX" else {}),
            "tcbLevels": [
                {
                    "tcb": level
                    | ({"tdxtcbcomponents": [{"svn": 0}] * 16} if tee == "TDX" else {}),
                    **day,
                    "tcbStatus": status,
                    "advisoryIDs": list(advisories),
                }
            ],
        }
        if tee == "TDX":
            levels = [{"tcb": {"isvsvn": 1}, **day, "tcbStatus": "UpToDate"}]
            info["tdxModuleIdentities"] = [{"id": "TDX_01", **module, "tcbLevels": levels}]
        identity = {
            "id": "TD_QE" if tee == "TDX" else "QE",
            "version": 2,
            **dates,
            "tcbEvaluationDataNumber": evaluation,
            "miscselect": "00000000",
            "miscselectMask": "FFFFFFFF",
            "attributes": "11000000000000000000000000000000",
            "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
            "mrsigner": QE_SIGNER.hex().upper(),
            "isvprodid": 2 if tee == "TDX" else 1,
            "tcbLevels": [{"tcb": {"isvsvn": 4}, **day, "tcbStatus": "UpToDate"}],
        }
        info_text, identity_text = (
            json.dumps(one, separators=(",", ":")).encode() for one in (info, identity)
        )
        return DcapCollateral(
            (self.ca, self.root),
            revoked("root", self.root_key, []),
            revoked(self.authority, self.ca_key, list(revoked_machines)),
            (self.tcb, self.root),
            info_text,
            raw_signature(self.tcb_key, info_text),
            (self.tcb, self.root),
            identity_text,
            raw_signature(self.tcb_key, identity_text),
        )

    def believed(self, *collateral: DcapCollateral) -> Intel:
        return Intel(collateral or (self.collateral("TDX"), self.collateral("SGX")), self.trusted)

    def quote(self, version: int, body: bytes, *, kind: int = 0, chain: bytes = b"") -> bytes:
        """Sign a body; `kind` is that of a version 5, else 384 bytes are SGX's."""
        sgx = len(body) == 384
        header = version.to_bytes(2, "little") + b"\x02\x00"
        header += (0 if sgx else 0x81).to_bytes(4, "little") + bytes(4) + INTEL + bytes(20)
        signed = header
        if version == 5:
            kind = kind or (1 if sgx else 2 if len(body) == 584 else 3)
            signed += kind.to_bytes(2, "little") + len(body).to_bytes(4, "little")
        signed += body
        auth = b"authenticated data, 32 bytes    "
        bound = sha256(authority.point(self.quoting_key) + auth).digest() + bytes(32)
        report = bytes([5] * 16) + bytes(32) + b"\x11" + bytes(15) + bytes(64) + QE_SIGNER
        report += (
            bytes(96) + (1 if sgx else 2).to_bytes(2, "little") + b"\x04\x00" + bytes(60) + bound
        )
        assert len(report) == 384
        certified = report + raw_signature(self.pck_key, report)
        certified += len(auth).to_bytes(2, "little") + auth
        chain = chain or pem_of([self.pck, self.ca, self.root]) + b"\x00"
        certified += b"\x05\x00" + len(chain).to_bytes(4, "little") + chain
        if version > 3:
            certified = b"\x06\x00" + len(certified).to_bytes(4, "little") + certified
        vouched = raw_signature(self.quoting_key, signed) + authority.point(self.quoting_key)
        vouched += certified
        return signed + len(vouched).to_bytes(4, "little") + vouched

    def evidence(self, version: int, body: bytes) -> bytes:
        return DcapEvidence(self.quote(version, body)).encode()


def text_of(seconds: int) -> str:
    return authority.moment(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def td_body(
    report_data: bytes = bytes(64),
    *,
    attributes: int = 1 << 28,
    long: bool = False,
    service: bytes = bytes(48),
    firmware: bytes = b"\xaa" * 48,
    runtime: tuple[bytes, ...] = (b"\x01" * 48, b"\x02" * 48, b"\x03" * 48, bytes(48)),
) -> bytes:
    """Give the report of a trust domain, of TDX 1.0 or 1.5."""
    svn = b"\x01\x01" + bytes(14)
    body = svn + bytes(48 + 48 + 8) + attributes.to_bytes(8, "little")
    body += b"\xe7\x02\x06" + bytes(5) + firmware + bytes(3 * 48) + b"".join(runtime) + report_data
    return body + svn + service if long else body


def sgx_body(
    report_data: bytes = bytes(64), *, flags: int = 5, code: bytes = b"\xbb" * 32
) -> bytes:
    """Give the report of an SGX enclave."""
    body = bytes([5] * 16) + bytes(32) + flags.to_bytes(8, "little") + b"\xe7" + bytes(7)
    body += code + bytes(32) + b"\xcc" * 32 + bytes(96 + 64 + 64 - 32 + 0)
    return body[:320] + report_data


@cache
def factory() -> Factory:
    """Make the keys, once a process."""
    root, ca, tcb, pck, quoting = (ec.generate_private_key(ec.SECP256R1()) for _ in range(5))
    return Factory(
        root,
        ca,
        tcb,
        pck,
        quoting,
        certificate("root", root, "root", root),
        certificate("platforms", ca, "root", root, path_length=0),
        certificate("lists", tcb, "root", root, authority=False),
        machine_certificate(pck, "platforms", ca),
    )


def machine_certificate(
    key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey
) -> bytes:
    more = [(_SGX, of_machine(5, 5))]
    return certificate(
        "machine", key, issuer, issuer_key, authority=False, serial=11, extensions=more
    )


def other() -> Factory:
    """Give another vendor, whom nobody trusts."""
    return factory.__wrapped__()


__all__ = ["Factory", "factory", "other", "replace", "sgx_body", "td_body"]


def as_json(made: DcapCollateral) -> bytes:
    """Write collateral as services give it."""

    def chain(ders) -> str:
        return pem_of(ders).decode()

    return json.dumps(
        {
            "pck_crl_issuer_chain": chain(made.pck_crl_chain),
            "root_ca_crl": made.root_crl.hex(),
            "pck_crl": made.pck_crl.hex(),
            "tcb_info_issuer_chain": chain(made.tcb_chain),
            "tcb_info": made.tcb_info.decode(),
            "tcb_info_signature": made.tcb_signature.hex(),
            "qe_identity_issuer_chain": chain(made.qe_chain),
            "qe_identity": made.qe_identity.decode(),
            "qe_identity_signature": made.qe_signature.hex(),
        }
    ).encode()
