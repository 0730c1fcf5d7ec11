"""Derivation of dstack's keys against its own vectors (docs/guest-api-v1.md of dstack)."""

import hashlib

import pytest
from coincurve import PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keymoot.base.secret import Secret
from keymoot.crypto import secp256k1
from keymoot.crypto.keccak import keccak256
from keymoot.daemon import dstack_keys
from keymoot.daemon.dstack_keys import (
    ED25519,
    SECP256K1,
    DstackKey,
    SignatureChain,
    domain_key,
    path_key,
)

ROOT = Secret(bytes.fromhex("1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b"))

VECTORS = [
    ("", SECP256K1, "59f60584ce6fd2a3a31997256db9d77322463fc8a6b1520110401bcb1ee92387",
     "0377c7fb050db181d392266a3cee9adb2901c6d665f11bac68be5457f577ba4908"),
    ("", ED25519, "b023493030669cf22e9cafa6a464d4cf3ae4edfe5474ec796710f21ea011946d",
     "a3dc149fd5b765eab2eb7d3174fa939e39386898f10b15b7b146f6f1358ecf2a"),
    ("storage-encryption", SECP256K1,
     "5510330f86902ddae38c6d89c93a8408019332c17a429e1abd01c4a28d1544a6",
     "03d962450a41748021c8b02787ac36ce642ff0ae25f4c55019eb527e1112cfd764"),
    ("storage-encryption", ED25519,
     "3c4c3ece12fa99ccb93fc0090877f80e70545fdd971e2ac93d3398c4684538d3",
     "2380c4a33a60b60613fa43866421e5b96eb8dcde211317200fd0d41e7e491288"),
    ("a/b/c", SECP256K1, "7f0973449298085d2d36a3b4c4d3243c100ba1981ffa885fe9e9dee883e69538",
     "02e9b1a61b6d70aa9b241753828c316bf90e33e77b2e113f9ba75a8b6dc3cde5c1"),
    ("k\0:ey", ED25519, "42da8bf0b479ed125c370e3b91f982735bf08ff592abbd586985affa43ee96a1",
     "c833107822b003ff5675b33b90b151d4315c3ab9162b17d876e8dffde41abf9b"),
]  # fmt: skip

LINK = (
    "5b6193729ce7976ec67863f21692d4b98c69832698aae8e001a7d33a6f818b6e"
    "46ca950725b6e90e8ca9bcf394abd03ce264bf9b7eec1e91693247f9dd53c26901"
)


@pytest.mark.parametrize(("domain", "algorithm", "key", "public"), VECTORS)
def test_version_1_derives_as_its_vectors_say(domain, algorithm, key, public):
    found = domain_key(ROOT, domain, algorithm)
    assert (found.secret.expose().hex(), found.public.hex()) == (key, public)


def test_version_1_signs_the_claim_of_its_vector():
    app = DstackKey(SECP256K1, ROOT, b"")
    links = SignatureChain(b"", app, b"issued").over_domain(
        "storage-encryption", domain_key(ROOT, "storage-encryption", SECP256K1)
    )
    assert (links[0].hex(), links[1]) == (LINK, b"issued")


def test_version_0_derives_by_hkdf_under_its_salt():
    expected = HKDF(SHA256(), 32, b"RATLS", b"a/b").derive(ROOT.expose())
    assert path_key(ROOT, "a/b", SECP256K1).secret.expose() == expected


def test_version_0_signs_purpose_and_key():
    key = path_key(ROOT, "a", SECP256K1)
    link = SignatureChain(b"", DstackKey(SECP256K1, ROOT, b""), b"").over_path("mine", key.public)[
        0
    ]
    digest = keccak256(f"mine:{key.public.hex()}".encode())
    assert secp256k1.recover(digest, secp256k1.Signature65(link)) == secp256k1.address_of_secret(
        ROOT
    )


def test_roots_tell_versions_algorithms_and_names_apart():
    names = {
        *(dstack_keys.path_root(name, one) for name in ("", "a") for one in (SECP256K1, ED25519)),
        *(dstack_keys.domain_root(name, one) for name in ("", "a") for one in (SECP256K1, ED25519)),
        dstack_keys.app_root(),
        dstack_keys.authority_root(),
    }
    assert len(names) == 10
    assert {len(name) for name in names} == {32}


def test_a_signature_verifies_under_its_key_alone():
    key, other = path_key(ROOT, "a", SECP256K1), path_key(ROOT, "b", SECP256K1)
    digest = hashlib.sha256(b"x").digest()
    signature = key.sign(b"x")
    whole = PublicKey(key.public).format(compressed=False)
    verifies = dstack_keys.secp256k1_verifies
    assert verifies(digest, signature, key.public)
    assert verifies(digest, signature, whole)
    assert not verifies(digest, signature, other.public)
    assert not verifies(bytes(32), signature, key.public)
    assert not verifies(digest, bytes(64), key.public)
    assert not verifies(digest, b"\xff" * 64, key.public)
    assert not verifies(digest, signature, bytes(33))
