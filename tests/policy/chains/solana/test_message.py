"""Messages of Solana: as solders writes them, in one form, and never mistaken for a text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.hash import Hash
from solders.instruction import AccountMeta
from solders.instruction import Instruction as SoldersInstruction
from solders.message import Message, MessageV0, from_bytes_versioned, to_bytes_versioned
from solders.pubkey import Pubkey

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32, SolanaAddress
from keymoot.policy.chains.solana.message import (
    MAX_PACKET_BYTES,
    Instruction,
    SolanaMessage,
    TableLookups,
    UnsupportedVersion,
    compact,
    decode_message,
    resembles_message,
)
from tests.examples import examples

KEYS = [SolanaAddress(bytes([n]) * 32) for n in range(1, 8)]
BLOCK = Hash32(b"\xbb" * 32)


def message(version: int | None = None, **changes) -> SolanaMessage:
    fields = {
        "version": version,
        "signers": 1,
        "readonly_signers": 0,
        "readonly_others": 1,
        "accounts": tuple(KEYS[:3]),
        "recent_blockhash": BLOCK,
        "instructions": (Instruction(2, (0, 1), b"data"),),
    }
    return SolanaMessage(**(fields | changes))


metas = st.builds(
    AccountMeta,
    st.sampled_from([Pubkey(key) for key in KEYS]),
    st.booleans(),
    st.booleans(),
)
calls = st.builds(
    SoldersInstruction,
    st.sampled_from([Pubkey(bytes([n]) * 32) for n in (90, 91, 92)]),
    st.binary(max_size=200),
    st.lists(metas, max_size=6),
)


@settings(max_examples=examples(300))
@given(st.lists(calls, max_size=4), st.booleans())
def test_messages_of_solders_mean_the_same_here(instructions: list, legacy: bool) -> None:
    payer, block = Pubkey(KEYS[0]), Hash(bytes(BLOCK))
    if legacy:
        theirs = Message.new_with_blockhash(instructions, payer, block)
        raw = bytes(theirs)
    else:
        theirs = MessageV0.try_compile(payer, instructions, [], block)
        raw = to_bytes_versioned(theirs)
    assert resembles_message(raw)
    try:
        ours = decode_message(raw)
    except Malformed:
        assert len(raw) + 1 + 64 * theirs.header.num_required_signatures > MAX_PACKET_BYTES
        return
    assert ours.encode() == raw
    assert ours.version == (None if legacy else 0)
    assert [bytes(key) for key in theirs.account_keys] == list(ours.accounts)
    assert bytes(theirs.recent_blockhash) == ours.recent_blockhash
    assert (ours.signers, ours.readonly_signers, ours.readonly_others) == (
        theirs.header.num_required_signatures,
        theirs.header.num_readonly_signed_accounts,
        theirs.header.num_readonly_unsigned_accounts,
    )
    assert [(one.program, bytes(one.accounts), one.data) for one in ours.instructions] == [
        (one.program_id_index, bytes(one.accounts), bytes(one.data)) for one in theirs.instructions
    ]


@pytest.mark.parametrize("version", [None, 0])
def test_nothing_follows_the_end_and_nothing_is_missing(version: int | None) -> None:
    raw = message(version).encode()
    assert decode_message(raw) == message(version)
    for bad in (raw + b"\0", *(raw[:end] for end in range(len(raw)))):
        with pytest.raises(Malformed):
            decode_message(bad)


WRONG = [
    ("a program that pays", message(instructions=(Instruction(0, (), b""),)), "index"),
    ("a program that is none", message(instructions=(Instruction(3, (), b""),)), "index"),
    ("an account that is none", message(instructions=(Instruction(2, (3,), b""),)), "index"),
    ("an account twice", message(accounts=(KEYS[0], KEYS[1], KEYS[1])), "twice"),
    ("nobody signs", message(signers=0), "first account"),
    ("a payer who is only read", message(readonly_signers=1), "first account"),
    ("more signers than accounts", message(signers=3), "counts more"),
    ("more accounts read than there are", message(readonly_others=3), "counts more"),
    ("no room for the signatures", message(signers=18, accounts=tuple(KEYS)), "signatures"),
    ("too long", message(instructions=(Instruction(2, (), bytes(1_200)),)), "at most 1232"),
]


@pytest.mark.parametrize(("wrong", "why"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_what_the_runtime_would_not_run_is_malformed(wrong: SolanaMessage, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        decode_message(wrong.encode())


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "8001"),
        (16_383, "ff7f"),
        (16_384, "808001"),
        (65_535, "ffff03"),
    ],
)
def test_a_length_is_written_in_the_fewest_bytes(value: int, written: str) -> None:
    assert compact(value).hex() == written


@pytest.mark.parametrize("length", [1, 127, 128, 200, 300])
def test_the_shape_of_a_message_is_known_to_its_last_byte(length: int) -> None:
    raw = message(instructions=(Instruction(2, (), bytes(length)),)).encode()
    assert resembles_message(raw)
    assert resembles_message(raw + b"x")
    assert not resembles_message(raw[:-1])


def test_the_longest_message_fits_its_packet_exactly() -> None:
    # The least that every link of IPv6 carries, less its header and UDP's.
    assert MAX_PACKET_BYTES == 1_280 - 40 - 8
    room = MAX_PACKET_BYTES - 65 - len(message(instructions=(Instruction(2, (), b""),)).encode())
    fits = message(instructions=(Instruction(2, (), bytes(room - 1)),))
    assert len(fits.encode()) + 65 == MAX_PACKET_BYTES
    assert decode_message(fits.encode()) == fits
    with pytest.raises(Malformed, match="signatures"):
        decode_message(message(instructions=(Instruction(2, (), bytes(room)),)).encode())


@pytest.mark.parametrize(
    "length", [b"\x83\x00", b"\x83\x80\x00", b"\x80\x00", b"\xff\xff\x04", b"\xff\xff\xff\x01"]
)
def test_lengths_have_one_form(length: bytes) -> None:
    raw = message().encode()
    assert raw[3:4] == b"\x03"
    with pytest.raises(Malformed, match="length"):
        decode_message(raw[:3] + length + raw[4:])
    with pytest.raises(ValueError):
        Message.from_bytes(raw[:3] + length + raw[4:])


@given(st.integers(0, 0xFFFF))
def test_lengths_come_back(length: int) -> None:
    from keymoot.policy.chains.solana.message import _MessageReader

    reader = _MessageReader(compact(length))
    assert (reader.compact("x"), reader.at) == (length, len(compact(length)))
    assert len(compact(length)) == 1 + (length > 0x7F) + (length > 0x3FFF)


def test_tables_and_other_versions_have_their_own_words() -> None:
    raw = message(0).encode()
    with pytest.raises(TableLookups):
        decode_message(raw[:-1] + b"\x01" + bytes(32) + b"\x01\x00\x00")
    for version in (1, 2, 127):
        with pytest.raises(UnsupportedVersion):
            decode_message(bytes([0x80 | version]) + raw[1:])


@given(
    st.binary(max_size=300) | st.binary(max_size=100).map(lambda tail: message().encode() + tail)
)
def test_what_solders_reads_resembles_a_message(raw: bytes) -> None:
    try:
        from_bytes_versioned(raw)
    except ValueError:
        return
    assert resembles_message(raw)


@given(st.binary(max_size=200), st.data())
def test_a_changed_message_is_another_one_or_malformed(noise: bytes, data: st.DataObject) -> None:
    raw = bytearray(message(data.draw(st.sampled_from([None, 0]))).encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 3))] = noise[:3]
    try:
        found = decode_message(bytes(raw))
    except Malformed:
        return
    assert found.encode() == raw
