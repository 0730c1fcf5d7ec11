"""HPKE by RFC 9180's own numbers, and against `cryptography`'s where it has one."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.crypto import hpke
from keymoot.crypto.hpke import AES_256_GCM, Suite, opened_by, sealed_by
from keymoot.crypto.sealing import SealBroken

SECRET = Secret(b"\x11" * 32)
PUBLIC = hpke.public_key(SECRET)


def _key(text: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(bytes.fromhex(text))


def test_rfc_9180_appendix_a_1_1() -> None:
    """DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode, sequence number 0."""
    suite = Suite(1, 16)
    ephemeral = _key("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736")
    recipient = _key("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8")
    public = Bytes32.from_hex("0x3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d")
    info = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
    aad = bytes.fromhex("436f756e742d30")
    plaintext = bytes.fromhex("4265617574792069732074727574682c20747275746820626561757479")
    sealed = bytes.fromhex(
        "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
        "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9"
        "6d8770ac83d07bea87e13c512a"
    )
    assert sealed_by(suite, ephemeral, public, plaintext, info, aad) == sealed
    assert opened_by(suite, recipient, sealed, info, aad) == plaintext


def test_rfc_9180_key_schedule_of_a_1_1() -> None:
    shared = bytes.fromhex("fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc")
    key, nonce = Suite(1, 16).context(
        shared, bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
    )
    assert key.hex() == "4531685d41d65f03dc48f6b8302c05b0"
    assert nonce.hex() == "56d890e5accaaf011cff4b7d"


@given(plaintext=st.binary(max_size=300), info=st.binary(max_size=80), aad=st.binary(max_size=40))
def test_agrees_with_the_librarys_own(plaintext: bytes, info: bytes, aad: bytes) -> None:
    theirs = pytest.importorskip("cryptography.hazmat.primitives.hpke", reason="came in 47")
    suite = theirs.Suite(theirs.KEM.X25519, theirs.KDF.HKDF_SHA256, theirs.AEAD.AES_256_GCM)
    bound = len(info).to_bytes(4, "big") + info + aad
    sealed = hpke.seal_to(PUBLIC, plaintext, info, aad)
    own = X25519PrivateKey.from_private_bytes(SECRET.expose())
    assert suite.decrypt(sealed, own, info=bound) == plaintext
    public = X25519PublicKey.from_public_bytes(PUBLIC)
    sealed = suite.encrypt(plaintext, public, info=bound)
    assert hpke.open_with(SECRET, sealed, info, aad) == plaintext
    assert opened_by(AES_256_GCM, own, sealed, bound) == plaintext


def test_two_seals_never_share_an_ephemeral_key() -> None:
    seals = {hpke.seal_to(PUBLIC, b"", b"", b"")[:32] for _ in range(50)}
    assert len(seals) == 50


@pytest.mark.parametrize("low", ["00" * 32, "01" + "00" * 31, "ed" + "ff" * 30 + "7f"])
def test_points_of_low_order_are_no_keys(low: str) -> None:
    with pytest.raises(Malformed, match="reply key"):
        hpke.seal_to(Bytes32(bytes.fromhex(low)), b"signature", b"", b"")
    with pytest.raises(SealBroken):
        hpke.open_with(SECRET, bytes.fromhex(low) + bytes(16), b"", b"")


def test_whatever_is_changed_does_not_open() -> None:
    sealed = hpke.seal_to(PUBLIC, b"signature", b"use", b"owner")
    for at in range(len(sealed)):
        broken = sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :]
        with pytest.raises(SealBroken):
            hpke.open_with(SECRET, broken, b"use", b"owner")
    for length in (0, 1, 31, 32, 47, len(sealed) - 1):
        with pytest.raises(SealBroken):
            hpke.open_with(SECRET, sealed[:length], b"use", b"owner")
    for info, aad in ((b"useo", b"wner"), (b"", b"owner"), (b"use", b"")):
        with pytest.raises(SealBroken):
            hpke.open_with(SECRET, sealed, info, aad)
    with pytest.raises(SealBroken):
        hpke.open_with(Secret(b"\x12" * 32), sealed, b"use", b"owner")
