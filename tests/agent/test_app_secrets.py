"""Envelopes of secrets are ROFL's, to the byte, and open for one key alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.agent.app_secrets import MAX_NAME_BYTES, MAX_VALUE_BYTES, SecretEnvelope
from keymoot.base.errors import Malformed
from keymoot.base.secret import Secret
from keymoot.crypto import hpke
from keymoot.crypto.deoxys import BadSeal

SEK = "786894cf62ac4f7c32f4faa1f090de99b5781f139703c97ac1fd2fe42a6ca78b"
ONE_TIME = "f2a9acca2319c3814adfec136804129860f724f2523d737bfd07d47c88ab4736"
NONCE = "49f7baede65e2b5e930fb0d3f616fe"
ZEROS = 30 * "0"
PK = "a462706b5820b9529bf93fa2845b7b2ecf5f472fbb044238fb38f2219f29fa9274f42cd8c33f646e616d65"

# Of oasis-sdk's rofl-app-core, src/secrets.rs.
VECTORS = [
    (
        (SEK, ONE_TIME, "key", "value", "", NONCE),
        (
            f"{PK}531f98946bf6fd88688312ab1894708b5061a295656e6f6e63654f{NONCE}6576616c7565"
            "55358249d2da03f725b4138ac0b8b1a59bfd1e3aee89"
        ),
    ),
    (
        (SEK, ONE_TIME, "key", "value", "custom context", NONCE),
        (
            f"{PK}53d164de6ba39c2d13758c76613600054b50b8ec656e6f6e63654f{NONCE}6576616c7565"
            "5520da2f6eeac2985ecfd43c2d4bc9835801e436b567"
        ),
    ),
    (
        (SEK, ONE_TIME, "key 2", "value 2", "", NONCE),
        (
            f"{PK}55f6b0e6b3455b09492fde1d385ff85e93816774f342656e6f6e63654f{NONCE}6576616c7565"
            "57d5ef751e7b5c5be48a35a8b072b203ca7fda1b88bc9601"
        ),
    ),
    (
        (SEK, ONE_TIME, "key 2", "value 2", "", ZEROS),
        (
            f"{PK}55220fcc43bbe1b9323287a8f5abacfd7937c865bb59656e6f6e63654f{ZEROS}6576616c7565"
            "5736b5bb4e6a1418a84a15f1f87f1e85651e1dd4d58e9f5f"
        ),
    ),
    (
        (
            "6c27dd81f1e3e52e8d98b02cd52d1799af745a2d57bb3810753868ce06f726cf",
            "ed2cba52ec2583618b4cdcd737928fbb7d749e98e17835ee3575b3b28964a753",
            "key",
            "value",
            "",
            NONCE,
        ),
        (
            "a462706b582077e51262274c9505a89db23b4921105d4ea1d8bd49bc99087281f3f92c812144646e616d65"
            f"533fd8dabddfaf5cf0d1505f9ea0c090d241ed71656e6f6e63654f{NONCE}6576616c7565"
            "55bd080af9cb24129afafc5c461d231385c22ebb83b5"
        ),
    ),
]


@pytest.mark.parametrize(("given_", "told"), VECTORS)
def test_published_vectors(given_: tuple[str, ...], told: str) -> None:
    sek, one_time, name, value, context, nonce = given_
    private = Secret(bytes.fromhex(sek))
    sealed = SecretEnvelope.seal(
        hpke.public_key(private),
        name,
        Secret(value.encode()),
        Secret(bytes.fromhex(one_time)),
        bytes.fromhex(nonce),
        context.encode(),
    )
    assert sealed.encode().hex() == told
    opened, secret = SecretEnvelope.decode(bytes.fromhex(told)).open(private, context.encode())
    assert (opened, secret.expose()) == (name, value.encode())


APP = Secret(bytes(range(32)))


@given(st.text(max_size=40), st.binary(max_size=400))
def test_what_is_sealed_opens(name: str, value: bytes) -> None:
    sealed = SecretEnvelope.seal(hpke.public_key(APP), name, Secret(value)).encode()
    opened, secret = SecretEnvelope.decode(sealed).open(APP)
    assert (opened, secret.expose()) == (name, value)
    assert sealed != SecretEnvelope.seal(hpke.public_key(APP), name, Secret(value)).encode()


def test_no_other_bit_and_no_other_key_opens() -> None:
    sealed = SecretEnvelope.seal(hpke.public_key(APP), "KEY", Secret(b"value")).encode()
    for bit in range(8 * len(sealed)):
        other = bytearray(sealed)
        other[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Malformed):  # BadSeal is one
            SecretEnvelope.decode(bytes(other)).open(APP)
    envelope = SecretEnvelope.decode(sealed)
    with pytest.raises(BadSeal):
        envelope.open(Secret(bytes(32)))
    with pytest.raises(BadSeal):
        envelope.open(APP, b"another context")
    swapped = SecretEnvelope(envelope.ephemeral, envelope.nonce, envelope.value, envelope.name)
    with pytest.raises(BadSeal):
        swapped.open(APP)
    for size in range(len(sealed)):
        with pytest.raises(Malformed):
            SecretEnvelope.decode(sealed[:size])
    with pytest.raises(Malformed):
        SecretEnvelope.decode(sealed + b"\0")


def test_sizes() -> None:
    public = hpke.public_key(APP)
    longest = SecretEnvelope.seal(public, "N" * MAX_NAME_BYTES, Secret(bytes(MAX_VALUE_BYTES)))
    assert SecretEnvelope.decode(longest.encode()) == longest
    with pytest.raises(Malformed, match="at most"):
        SecretEnvelope.seal(public, "N" * (MAX_NAME_BYTES + 1), Secret(b""))
    with pytest.raises(Malformed, match="at most"):
        SecretEnvelope.seal(public, "N", Secret(bytes(MAX_VALUE_BYTES + 1)))
