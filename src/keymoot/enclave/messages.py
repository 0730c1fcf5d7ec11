"""What server and enclave say to each other: RLP over a socket pair, length first.

frame   = length (4 bytes) ‖ rlp([id, word, body])
answer  = length (4 bytes) ‖ rlp([id, "ok", body])  or  rlp([id, CODE, message])
"""

from collections.abc import Sequence
from dataclasses import dataclass

from keymoot.attest.ballot import Ballot, Votes
from keymoot.attest.commit import SignedHeader
from keymoot.attest.header import BlockId
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of, text_of, uint, uint_of
from keymoot.base.fixed import Bytes32, Hash32, Measurement
from keymoot.base.units import Height, UnixNanos
from keymoot.enclave.answer import Answer
from keymoot.moot.certificate import SignedCertificate
from keymoot.moot.seat import POINT_BYTES, Boot
from keymoot.moot.succession import MAX_CHAIN
from keymoot.runtime.receipt import Receipt
from keymoot.threshold.committee import MAX_SIZE

LENGTH_BYTES = 4
MAX_FRAME_BYTES = 67_108_864
"""Longest frame; a witness for a full batch is far smaller."""

BEACON_BYTES = 48
"""Length of a beacon's signature: a compressed point of G1."""

MAX_BATCH = 256
"""Requests answered under one header."""

HELLO, JOIN, SIGN, RELEASE = "hello", "join", "sign", "release"
SYNC, FOLLOW, COSIGN, PULSE = "sync", "follow", "cosign", "pulse"
ENDORSE, RECOVER, TURN = "endorse", "recover", "turn"
ADMIT, PART = "admit", "part"
OK = "ok"

SAY = "say"
"""Word of a frame that nobody asked for, numbered 0: a message that the node is to post."""

STATE = "state"
"""Word of another one: the network's state secret, for the node that the enclave is part of."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an enclave is.

    Attributes:
        network: Empty until it has joined one.
        quote: Evidence that this code holds these keys.
        sealing: Point to which root dealings are encrypted.
        boot: The keys of this start.
    """

    identity_key: Bytes32
    consensus_key: Bytes32
    measurement: Measurement
    simulated: bool
    network: bytes
    quote: bytes
    sealing: bytes
    boot: Boot

    def encode(self) -> rlp.Item:
        """Give the RLP item."""
        return [
            self.identity_key,
            self.consensus_key,
            self.measurement,
            uint(self.simulated),
            self.network,
            self.quote,
            self.sealing,
            self.boot.encode(),
        ]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Identity":
        """Read the RLP item."""
        fields = list_of(item, 8, "identity")
        return Identity(
            identity_key=fixed_of(fields[0], Bytes32, "identityKey"),
            consensus_key=fixed_of(fields[1], Bytes32, "consensusKey"),
            measurement=fixed_of(fields[2], Measurement, "measurement"),
            simulated=uint_of(fields[3], "simulated", 1) == 1,
            network=bytes_of(fields[4], "network", 32),
            quote=bytes_of(fields[5], "quote"),
            sealing=bytes_of(fields[6], "sealing", POINT_BYTES),
            boot=Boot.decode(fields[7]),
        )


def frame(number: int, word: str, body: rlp.Item) -> bytes:
    """Write one frame."""
    payload = rlp.encode([uint(number), word.encode(), body])
    if len(payload) > MAX_FRAME_BYTES:
        raise Malformed(f"a frame has at most {MAX_FRAME_BYTES} bytes, got {len(payload)}")
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload


def parse(payload: bytes) -> tuple[int, str, rlp.Decoded]:
    """Read one frame's payload: its number, its word, its body.

    Raises:
        Malformed: not a frame.
    """
    number, word, body = list_of(rlp.decode(payload, max_items=len(payload)), 3, "frame")
    return uint_of(number, "number", 8), text_of(word, "word", 64), body


def join_item(genesis: bytes, seat: int) -> rlp.Item:
    """Write what an enclave joins: a genesis, and the seat that it has or wants; 0: as listed."""
    return [genesis, uint(seat)]


def read_join(item: rlp.Decoded) -> tuple[bytes, int]:
    """Read what an enclave joins.

    Raises:
        Malformed: not that, or no seat's number.
    """
    genesis, seat = list_of(item, 2, "join")
    number = uint_of(seat, "seat", 1)
    if number > MAX_SIZE:
        raise Malformed(f"seats have numbers up to {MAX_SIZE}, got {number}", "seat")
    return bytes_of(genesis, "genesis"), number


def ballot_item(ballot: Ballot) -> rlp.Item:
    """Write a ballot."""
    block = ballot.block_id
    return [
        ballot.chain_id.encode(),
        uint(ballot.height),
        uint(ballot.round),
        [block.hash, uint(block.parts_total), block.parts_hash],
        uint(ballot.time),
    ]


def read_ballot(item: rlp.Decoded) -> Ballot:
    """Read a ballot.

    Raises:
        Malformed: not one.
    """
    fields = list_of(item, 5, "ballot")
    block = list_of(fields[3], 3, "ballot.blockId")
    return Ballot(
        chain_id=text_of(fields[0], "ballot.chainId", 50),
        height=Height(uint_of(fields[1], "ballot.height", 8)),
        round=uint_of(fields[2], "ballot.round", 4),
        block_id=BlockId(
            fixed_of(block[0], Hash32, "ballot.hash"),
            uint_of(block[1], "ballot.parts", 4),
            fixed_of(block[2], Hash32, "ballot.partsHash"),
        ),
        time=UnixNanos(uint_of(fields[4], "ballot.time", 8)),
    )


def votes_item(votes: Votes) -> rlp.Item:
    """Write votes."""
    return [votes.proposal, votes.prevote, votes.precommit]


def read_votes(item: rlp.Decoded) -> Votes:
    """Read votes.

    Raises:
        Malformed: not three signatures.
    """
    return Votes(*(bytes_of(one, "signature", 64) for one in list_of(item, 3, "votes")))


def release_item(
    signed: SignedHeader, witness: dict[bytes, bytes], requests: list[Hash32]
) -> rlp.Item:
    """Write a question for releases."""
    return [signed.encode(), _witness_item(witness), list(requests)]


def read_release(
    item: rlp.Decoded,
) -> tuple[SignedHeader, dict[bytes, bytes], list[Hash32]]:
    """Read a question for releases.

    Raises:
        Malformed: not one, or more than `MAX_BATCH` requests.
    """
    header, nodes, requests = list_of(item, 3, "release")
    witness = _read_witness(nodes)
    names = [fixed_of(one, Hash32, "request") for one in list_of(requests, None, "requests")]
    if len(names) > MAX_BATCH:
        raise Malformed(f"at most {MAX_BATCH} requests are answered at once, got {len(names)}")
    return SignedHeader.decode(bytes_of(header, "header")), witness, names


def answers_item(answers: list[Answer]) -> rlp.Item:
    """Write answers."""
    return [
        [one.request, one.sealed, one.signature, one.code.encode(), one.message.encode()]
        for one in answers
    ]


def read_answers(item: rlp.Decoded) -> list[Answer]:
    """Read answers.

    Raises:
        Malformed: not answers.
    """
    found = []
    for one in list_of(item, None, "answers"):
        fields = list_of(one, 5, "answer")
        found.append(
            Answer(
                fixed_of(fields[0], Hash32, "request"),
                bytes_of(fields[1], "sealed"),
                bytes_of(fields[2], "signature"),
                text_of(fields[3], "code", 64),
                text_of(fields[4], "message", 4096),
            )
        )
    return found


def sync_item(
    signed: SignedHeader, witness: dict[bytes, bytes], chain: Sequence[bytes]
) -> rlp.Item:
    """Write what an enclave begins with: a final header, all pages behind it, all successions."""
    return [signed.encode(), _witness_item(witness), list(chain)]


def read_sync(item: rlp.Decoded) -> tuple[SignedHeader, dict[bytes, bytes], list[bytes]]:
    """Read what an enclave begins with.

    Raises:
        Malformed: not that.
    """
    header, nodes, chain = list_of(item, 3, "sync")
    return (
        SignedHeader.decode(bytes_of(header, "header")),
        _read_witness(nodes),
        _read_chain(chain),
    )


def follow_item(
    signed: SignedHeader, transactions: Sequence[bytes], receipts: Sequence[Receipt]
) -> bytes:
    """Write a final block with what it gave: bytes, so that one writing serves all enclaves."""
    encoded = [receipt.encode() for receipt in receipts]
    return rlp.encode([signed.encode(), list(transactions), encoded])


def read_follow(item: rlp.Decoded) -> tuple[SignedHeader, list[bytes], list[Receipt]]:
    """Read a final block with what it gave.

    Raises:
        Malformed: not that.
    """
    block = rlp.decode(bytes_of(item, "follow"))
    header, transactions, receipts = list_of(block, 3, "follow")
    return (
        SignedHeader.decode(bytes_of(header, "header")),
        [bytes_of(raw, "transaction") for raw in list_of(transactions, None, "transactions")],
        [Receipt.decode(bytes_of(raw, "receipt")) for raw in list_of(receipts, None, "receipts")],
    )


def cosign_item(asked: Sequence[tuple[Hash32, bytes]]) -> rlp.Item:
    """Write a question for shares: requests, each with its block's beacon."""
    return [[request, signature] for request, signature in asked]


def read_cosign(item: rlp.Decoded) -> list[tuple[Hash32, bytes]]:
    """Read a question for shares.

    Raises:
        Malformed: not one, or more than `MAX_BATCH` requests.
    """
    found = list_of(item, None, "cosign")
    if len(found) > MAX_BATCH:
        raise Malformed(f"at most {MAX_BATCH} requests are answered at once, got {len(found)}")
    asked = []
    for pair in found:
        request, signature = list_of(pair, 2, "cosign")
        asked.append(
            (fixed_of(request, Hash32, "request"), bytes_of(signature, "beacon", BEACON_BYTES))
        )
    return asked


def recover_item(
    signed: SignedHeader | None, certificate: bytes, chain: Sequence[bytes]
) -> rlp.Item:
    """Write a recovery.

    Args:
        signed: The header that it builds on; None before the first.
        certificate: Its certificate.
        chain: All successions since the genesis.
    """
    return [b"" if signed is None else signed.encode(), certificate, list(chain)]


def read_recover(
    item: rlp.Decoded,
) -> tuple[SignedHeader | None, SignedCertificate, list[bytes]]:
    """Read a recovery.

    Raises:
        Malformed: not one.
    """
    header, certificate, chain = list_of(item, 3, "recover")
    raw = bytes_of(header, "header")
    return (
        SignedHeader.decode(raw) if raw else None,
        SignedCertificate.decode(bytes_of(certificate, "certificate")),
        _read_chain(chain),
    )


def _read_chain(item: rlp.Decoded) -> list[bytes]:
    found = list_of(item, None, "chain")
    if len(found) > MAX_CHAIN:
        raise Malformed(f"a chain has at most {MAX_CHAIN} links, got {len(found)}", "chain")
    return [bytes_of(one, "link") for one in found]


def _witness_item(witness: dict[bytes, bytes]) -> rlp.Item:
    return [[key, witness[key]] for key in sorted(witness)]


def _read_witness(item: rlp.Decoded) -> dict[bytes, bytes]:
    witness: dict[bytes, bytes] = {}
    for pair in list_of(item, None, "witness"):
        key, value = list_of(pair, 2, "witness")
        witness[bytes_of(key, "witness")] = bytes_of(value, "witness")
    return witness
