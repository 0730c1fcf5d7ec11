"""Primitives against published vectors and other libraries."""

import pytest
from Crypto.Hash import keccak as other_keccak
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Hash32, Signature65
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519, hpke
from keymoot.crypto.kdf import derive
from keymoot.crypto.keccak import EMPTY_CODE_HASH, keccak256
from keymoot.crypto.sealing import SealBroken, Sealer
from keymoot.crypto.secp256k1 import (
    HALF_ORDER,
    ORDER,
    address_of_secret,
    check_private_key,
    private_key,
    recover,
    sign,
)


def hexed(text: str) -> bytes:
    return bytes.fromhex(text)


def test_keccak_of_nothing_is_ethereums() -> None:
    known = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert EMPTY_CODE_HASH.hex() == known


@given(st.binary(max_size=600))
def test_keccak_agrees_with_pycryptodome(data: bytes) -> None:
    assert keccak256(data) == other_keccak.new(data=data, digest_bits=256).digest()


def test_aes_256_gcm_siv_rfc_8452_appendix_c2() -> None:
    key = hexed("0100000000000000000000000000000000000000000000000000000000000000")
    nonce = hexed("030000000000000000000000")
    sealer = Sealer(Secret(key))
    assert sealer.seal(nonce, b"", b"").hex() == "07f5f4169bbf55a8400cd47ea6fd400f"
    sealed = sealer.seal(nonce, hexed("0100000000000000"), b"")
    assert sealed.hex() == "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"
    sealed = sealer.seal(nonce, hexed("0200000000000000"), b"\x01")
    assert sealed.hex() == "1de22967237a813291213f267e3b452f02d01ae33e4ec854"
    assert sealer.open(nonce, sealed, b"\x01", "x") == hexed("0200000000000000")


@given(st.binary(max_size=60), st.binary(max_size=20))
def test_seals_open_only_as_they_were_made(plaintext: bytes, aad: bytes) -> None:
    sealer, nonce = Sealer(Secret(b"k" * 32)), b"n" * 12
    sealed = sealer.seal(nonce, plaintext, aad)
    assert sealer.open(nonce, sealed, aad, "x") == plaintext
    wrong = [
        (b"m" * 12, sealed, aad),
        (nonce, sealed[:-1] + bytes([sealed[-1] ^ 1]), aad),
        (nonce, sealed, aad + b"!"),
        (nonce, b"", aad),
    ]
    for arguments in wrong:
        with pytest.raises(SealBroken):
            sealer.open(*arguments, "x")
    with pytest.raises(SealBroken):
        Sealer(Secret(b"j" * 32)).open(nonce, sealed, aad, "x")


def test_kmac256_nist_sample_4_is_the_library_we_derive_with() -> None:
    from Crypto.Hash import KMAC256

    key = bytes(range(0x40, 0x60))
    mac = KMAC256.new(key=key, data=bytes(4), mac_len=64, custom=b"My Tagged Application")
    mac = KMAC256.new(key=key, data=hexed("00010203"), mac_len=64, custom=b"My Tagged Application")
    assert mac.hexdigest().startswith("20c570c31346f703c9ac36c61c03cb64c3970d0cfc787e9b79599d27")


def test_derivation_separates_purposes_parts_and_lengths() -> None:
    root = Secret(b"r" * 32)
    found = {
        derive(root, *arguments).expose()
        for arguments in (("a",), ("b",), ("a", b""), ("a", b"xy"), ("a", b"x", b"y"), ("ab",))
    }
    assert len(found) == 6
    assert len(derive(root, "a", length=48)) == 48
    assert derive(root, "a", length=48).expose()[:32] != derive(root, "a").expose()


@pytest.mark.parametrize(  # RFC 8032, section 7.1, tests 1 and 2
    ("seed", "public", "message", "signature"),
    [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ],
)
def test_ed25519_rfc_8032(seed: str, public: str, message: str, signature: str) -> None:
    secret = Secret(hexed(seed))
    assert ed25519.public_key(secret).hex() == public
    assert ed25519.sign(secret, hexed(message)).hex() == signature
    key = Bytes32(hexed(public))
    assert ed25519.verify(key, hexed(message), hexed(signature))
    assert not ed25519.verify(key, hexed(message) + b"!", hexed(signature))
    assert not ed25519.verify(key, hexed(message), hexed(signature)[:-1])


def test_ethereums_best_known_account() -> None:
    key = Secret(hexed("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))
    assert address_of_secret(key).hex0x == "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"


@given(st.binary(min_size=48, max_size=64), st.binary(min_size=32, max_size=32))
def test_signatures_are_low_recoverable_and_deterministic(entropy: bytes, digest: bytes) -> None:
    key = private_key(entropy)
    signature = sign(key, Hash32(digest))
    assert signature == sign(key, Hash32(digest))
    assert int.from_bytes(signature[32:64], "big") <= HALF_ORDER
    assert recover(Hash32(digest), signature) == address_of_secret(key)


def test_rfc_6979_nonces_give_the_known_signature() -> None:
    # Secret 1, message SHA-256("Satoshi Nakamoto"): the vector of Bitcoin's libraries.
    from hashlib import sha256

    signature = sign(Secret((1).to_bytes(32, "big")), Hash32(sha256(b"Satoshi Nakamoto").digest()))
    known = "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
    assert signature[:32].hex() == known


def test_high_s_zero_and_out_of_range_signatures_are_refused() -> None:
    key, digest = Secret(b"k" * 32), Hash32(b"d" * 32)
    good = sign(key, digest)
    s = int.from_bytes(good[32:64], "big")
    high = good[:32] + (ORDER - s).to_bytes(32, "big") + bytes([good[64] ^ 1])
    zero = bytes(64) + b"\0"
    huge = ORDER.to_bytes(32, "big") + good[32:]
    for bad in (high, zero, huge, good[:32] + bytes(32) + b"\0"):
        with pytest.raises(Malformed):
            recover(digest, Signature65(bad))


def test_private_keys_are_in_range_and_have_enough_entropy() -> None:
    for bad in (bytes(32), ORDER.to_bytes(32, "big"), b"\xff" * 32, b"short"):
        with pytest.raises(Malformed):
            check_private_key(Secret(bad))
    with pytest.raises(Malformed, match="48"):
        private_key(b"x" * 47)
    check_private_key(private_key(b"\0" * 48))


def test_hpke_opens_only_for_its_owner_use_and_place() -> None:
    secret, other = Secret(b"a" * 32), Secret(b"b" * 32)
    sealed = hpke.seal_to(hpke.public_key(secret), b"answer", b"use", b"place")
    assert hpke.open_with(secret, sealed, b"use", b"place") == b"answer"
    wrong = [
        (other, sealed, b"use", b"place"),
        (secret, sealed, b"us", b"eplace"),
        (secret, sealed, b"use", b"elsewhere"),
        (secret, sealed[:-1] + bytes([sealed[-1] ^ 1]), b"use", b"place"),
        (secret, b"", b"use", b"place"),
    ]
    for arguments in wrong:
        with pytest.raises(SealBroken):
            hpke.open_with(*arguments)
    with pytest.raises(Malformed, match="usable"):
        hpke.seal_to(Bytes32(bytes(32)), b"answer", b"use", b"place")
