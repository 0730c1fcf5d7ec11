"""dstack's interface of both versions, and tappd's."""

import hashlib
import json

import pytest
from coincurve import PrivateKey, PublicKey
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.verification import PolicyBuilder, Store

from keymoot.attest.eventlog import read_dstack, replay
from keymoot.attest.evidence import INSTANCE_ENDING, ReportData
from keymoot.attest.simulated import VENDOR_ROOT, verify_simulated
from keymoot.base.fixed import Bytes32, Signature65
from keymoot.base.units import UnixSeconds
from keymoot.crypto import ed25519, secp256k1
from keymoot.crypto.keccak import keccak256
from keymoot.daemon.certificates import QUOTE
from keymoot.daemon.dstack_keys import issued_digest
from keymoot.daemon.event_log import MAX_EVENTS
from tests.daemon.conftest import Asking
from tests.daemon.instance import APP, KEY, MemoryInstance

NOW = UnixSeconds(1_790_000_000)
TAPPD = "/prpc/Tappd."


def claims(quote: str):
    return verify_simulated(bytes.fromhex(quote), VENDOR_ROOT, NOW)


@pytest.mark.parametrize("prefix", ["/", "/v0/", "/prpc/DstackGuest."])
def test_version_0_stands_at_each_of_its_places(asking, prefix):
    assert asking.json("POST", f"{prefix}Version", {})["version"] == "0.5.11"
    assert asking.json("GET", f"{prefix}Version")["rev"] == "keymoot"
    assert asking.json("POST", "/v1/Version", {})["version"] == "0.6.0"


def test_a_path_has_one_key_of_each_algorithm(asking):
    first = asking.json("POST", "/GetKey", {"path": "a", "purpose": "b"})
    assert asking.json("POST", "/GetKey", {"path": "a", "algorithm": "k256"})["key"] == first["key"]
    other = asking.json("POST", "/GetKey", {"path": "a", "algorithm": "ed25519"})
    assert other["key"] != first["key"]
    assert asking.json("POST", "/GetKey")["key"] != first["key"]
    # and another instance of the app has the same
    again = Asking(MemoryInstance()).json("POST", "/GetKey", {"path": "a", "purpose": "b"})
    assert again["key"] == first["key"]


def test_the_chain_leads_to_the_key_that_the_ledger_has_registered(asking):
    found = asking.json("POST", "/GetKey", {"path": "a", "purpose": "mine"})
    first, second = (Signature65(bytes.fromhex(one)) for one in found["signature_chain"])
    key = PrivateKey(bytes.fromhex(found["key"])).public_key.format()
    # the app's key is not told: it is recovered
    claim = keccak256(f"mine:{key.hex()}".encode())
    app = PublicKey.from_signature_and_message(bytes(first), claim, hasher=None).format()
    registered = secp256k1.recover(issued_digest(bytes(APP), app), second)
    assert registered == secp256k1.address_of_secret(KEY)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/GetKey", {"path": 1}),
        ("/GetKey", {"algorithm": "p256"}),
        ("/GetKey", {"path": "x" * 5_000}),
        ("/v1/GetKey", {"domain": "a"}),
        ("/v1/GetKey", {"domain": "a", "algorithm": "k256"}),
        ("/GetQuote", {}),
        ("/GetQuote", {"report_data": "0x00"}),
        ("/GetQuote", {"report_data": "00" * 65}),
        ("/GetQuote", {"report_data": 5}),
        ("/Sign", {"algorithm": "secp256k1_prehashed", "data": "00"}),
        ("/Sign", {"algorithm": "rsa", "data": "00"}),
        (
            "/Verify",
            {"algorithm": "ed25519", "data": "", "signature": "00", "public_key": "00" * 32},
        ),
        ("/Verify", {"algorithm": "", "data": "", "signature": "00" * 64, "public_key": "00" * 32}),
        ("/EmitEvent", {"event": "", "payload": ""}),
        ("/GetTlsKey", {"subject": "x" * 65}),
        ("/GetTlsKey", {"alt_names": "x"}),
        ("/GetTlsKey", {"alt_names": ["ü"]}),
        ("/GetTlsKey", {"not_before": 9, "not_after": 9}),
        ("/GetTlsKey", {"not_before": 0, "not_after": 2**34}),
        ("/GetTlsKey", {"usage_ra_tls": 1}),
        ("/v1/AttestGpu", {"nonce": "00" * 32}),
        (TAPPD + "TdxQuote", {"report_data": "00", "hash_algorithm": "md5"}),
        (TAPPD + "RawQuote", {"report_data": "00" * 65}),
        ("/Info", []),
    ],
)
def test_a_refusal_is_a_400_with_an_error(asking, path, body):
    told = asking.json("POST", path, body, status=400)
    assert list(told) == ["error"]
    assert told["error"]
    assert asking.said == []


def test_a_method_that_is_none_is_a_404_that_says_so(asking):
    for path in ("/GpuInfo", "/v1/Sign", "/v1/GetQuote", "/v0/Nothing", TAPPD + "GetKey"):
        told = asking.json("POST", path, {}, status=404)
        name = path.rsplit("/", 1)[-1].rsplit(".", 1)[-1]
        assert told == {"error": f"Service not found: {name}"}


def test_a_quote_binds_what_was_asked(asking):
    found = asking.json("POST", "/GetQuote", {"report_data": b"hello".hex()})
    assert found["report_data"] == b"hello".ljust(64, b"\0").hex()
    assert claims(found["quote"]).report_data == bytes.fromhex(found["report_data"])
    same = asking.json("POST", "/Attest", {"report_data": b"hello".hex()})["attestation"]
    assert claims(same).report_data == bytes.fromhex(found["report_data"])
    assert asking.json("POST", "/v1/Attest", {"report_data": ""})["boottime_gpu_evidence"] == []


@pytest.mark.parametrize(
    ("path", "more"),
    [("/GetQuote", {}), ("/Attest", {}), ("/v1/Attest", {}), (TAPPD + "RawQuote", {}),
     (TAPPD + "TdxQuote", {"hash_algorithm": "raw"})],
)  # fmt: skip
def test_no_evidence_could_register_an_instance(asking, path, more):
    report = (b"x" * 48 + INSTANCE_ENDING).hex()
    told = asking.json("POST", path, {"report_data": report} | more, status=400)
    assert "registration" in told["error"]
    assert asking.instance.asked == []


@pytest.mark.parametrize(
    ("algorithm", "size"), [("sha256", 32), ("sha384", 48), ("", 64), ("sha3-512", 64), ("keccak256", 32)]
)  # fmt: skip
def test_tappd_hashes_report_data_behind_a_prefix(asking, algorithm, size):
    body = {"report_data": "abcd", "hash_algorithm": algorithm}
    found = asking.json("POST", TAPPD + "TdxQuote", body)
    report = claims(found["quote"]).report_data
    assert report[size:] == bytes(64 - size)
    assert (found["hash_algorithm"], found["prefix"]) == (algorithm or "sha512", "app-data:")
    if algorithm in ("", "sha256"):
        made = hashlib.new(algorithm or "sha512", b"app-data:\xab\xcd").digest()
        assert report == made.ljust(64, b"\0")
    other = asking.json("POST", TAPPD + "TdxQuote", {**body, "prefix": "mine"})
    assert claims(other["quote"]).report_data != report


def test_events_extend_the_register_of_the_log(asking):
    asking.json("POST", "/EmitEvent", {"event": "boot", "payload": "0102"})
    asking.json("POST", "/EmitEvent", {"event": "more"})
    found = asking.json("POST", "/GetQuote", {"report_data": "00"})
    events = read_dstack(found["event_log"].encode())
    assert [(one.name, one.data, one.proven) for one in events] == [
        ("boot", b"\1\2", True),
        ("more", b"", True),
    ]
    tcb = json.loads(asking.json("POST", "/Info")["tcb_info"])
    assert tcb["rtmr3"] == replay(events)[3].hex()
    assert (tcb["mrtd"], tcb["rtmr0"]) == ((b"m" * 48).hex(), bytes(48).hex())


def test_events_have_a_most_and_none_where_there_is_no_register():
    asking = Asking(MemoryInstance(vendor="snp"))
    assert "registers" in asking.json("POST", "/EmitEvent", {"event": "a"}, status=400)["error"]
    asking = Asking(MemoryInstance())
    for _ in range(MAX_EVENTS):
        asking.json("POST", "/EmitEvent", {"event": "a"})
    assert "at most" in asking.json("POST", "/EmitEvent", {"event": "a"}, status=400)["error"]


def test_info_tells_who_this_is(asking):
    found = asking.json("POST", "/Info", {})
    assert found["app_id"] == bytes(APP)[1:].hex()
    assert found["instance_id"] == secp256k1.address_of_secret(KEY).hex()
    assert found["app_name"] == "trader"
    compose = json.loads(found["tcb_info"])["app_compose"]
    assert hashlib.sha256(compose.encode()).hexdigest() == found["compose_hash"]
    assert json.loads(found["key_provider_info"])["name"] == "keymoot"
    assert found["app_cert"].startswith("-----BEGIN CERTIFICATE")
    newer = asking.json("POST", "/v1/Info", {})
    assert newer["app_compose"] == compose
    assert "tcb_info" not in newer


@pytest.mark.parametrize("algorithm", ["secp256k1", "k256", "", "ed25519", "secp256k1_prehashed"])
def test_what_is_signed_verifies(asking, algorithm):
    data = bytes(range(32))
    found = asking.json("POST", "/Sign", {"algorithm": algorithm, "data": data.hex()})
    assert len(found["signature_chain"]) == 3
    body = {"algorithm": algorithm, "data": data.hex(), "signature": found["signature"]}
    body["public_key"] = found["public_key"]
    assert asking.json("POST", "/Verify", body) == {"valid": True}
    changed = {**body, "data": bytes(32).hex()}
    assert asking.json("POST", "/Verify", changed) == {"valid": False}
    if algorithm == "ed25519":
        public = Bytes32(bytes.fromhex(found["public_key"]))
        assert ed25519.verify(public, data, bytes.fromhex(found["signature"]))


def loaded(found):
    key = load_pem_private_key(found["key"].encode(), None)
    chain = [x509.load_pem_x509_certificate(one.encode()) for one in found["certificate_chain"]]
    return key, chain


def test_a_certificate_is_of_its_key_and_under_the_apps_authority(asking):
    body = {"subject": "me", "alt_names": ["a.example", "10.0.0.1"], "usage_server_auth": True,
            "usage_ra_tls": True, "with_app_info": True}  # fmt: skip
    found = asking.json("POST", "/GetTlsKey", body)
    key, (leaf, root) = loaded(found)
    assert key.public_key() == leaf.public_key()
    leaf.verify_directly_issued_by(root)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example"]
    # evidence in it binds the key
    told = leaf.extensions.get_extension_for_oid(QUOTE).value.value
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    report = hashlib.sha512(b"ratls-cert:" + der).digest()
    quote = told[4:] if told[1] == 0x82 else told[3:]
    assert claims(quote.hex()).report_data == ReportData(report)
    # keys are new each time; the authority is the app's, in each instance
    other_key, (_, other_root) = loaded(asking.json("POST", "/v1/IssueCert", body))
    assert other_key.public_key() != key.public_key()
    elsewhere = Asking(MemoryInstance()).json("POST", "/GetTlsKey", {})
    assert loaded(elsewhere)[1][1].public_key() == root.public_key() == other_root.public_key()


def test_python_verifies_a_servers_certificate(asking):
    body = {"subject": "me", "alt_names": ["a.example"], "usage_server_auth": True}
    _, (leaf, root) = loaded(asking.json("POST", "/GetTlsKey", body))
    assert isinstance(root.public_key(), ec.EllipticCurvePublicKey)
    verifier = PolicyBuilder().store(Store([root])).build_server_verifier(x509.DNSName("a.example"))
    assert verifier.verify(leaf, []) == [leaf, root]


def test_times_of_a_certificate_are_as_asked(asking):
    body = {"not_before": 1_700_000_000, "not_after": 1_700_000_100}
    _, (leaf, _) = loaded(asking.json("POST", "/GetTlsKey", body))
    assert int(leaf.not_valid_before_utc.timestamp()) == 1_700_000_000
    assert int(leaf.not_valid_after_utc.timestamp()) == 1_700_000_100


def test_tappds_key_of_a_path_stays_and_a_random_one_does_not(asking):
    body = {"path": "a", "subject": "a"}
    key = loaded(asking.json("POST", TAPPD + "DeriveKey", body))[0]
    again = loaded(Asking(MemoryInstance()).json("POST", TAPPD + "DeriveKey", body))[0]
    assert key.private_numbers() == again.private_numbers()
    other = loaded(asking.json("POST", TAPPD + "DeriveKey", {**body, "path": "b"}))[0]
    assert other.private_numbers() != key.private_numbers()
    fresh = loaded(asking.json("POST", TAPPD + "DeriveKey", {**body, "random_seed": True}))[0]
    assert fresh.private_numbers() != key.private_numbers()
    k256 = asking.json("POST", TAPPD + "DeriveK256Key", {"path": "a", "purpose": "b"})
    found = asking.json("POST", "/GetKey", {"path": "a", "purpose": "b"})
    assert list(k256.values()) == [found["key"], found["signature_chain"]]


def test_where_no_keys_come_out_only_certificates_of_new_keys_do():
    asking = Asking(MemoryInstance(gives=False))
    for path in ("/GetKey", "/Sign", "/v1/GetKey", TAPPD + "DeriveKey", TAPPD + "DeriveK256Key"):
        body = {"algorithm": "secp256k1", "data": "00", "domain": ""}
        assert "no keys" in asking.json("POST", path, body, status=400)["error"]
    first = loaded(asking.json("POST", "/GetTlsKey", {}))[1][1]
    second = loaded(Asking(MemoryInstance(gives=False)).json("POST", "/GetTlsKey", {}))[1][1]
    assert first.public_key() != second.public_key()
    assert asking.json("POST", "/Info")["app_name"] == "trader"
