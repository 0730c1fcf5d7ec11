"""What all transcripts share: one network, four parties, their keys and seeds, and JSON."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from hashlib import sha256

from keymoot.base import hexes, rlp
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.strict_json import Json
from keymoot.threshold import envelope as boxes
from keymoot.threshold.dealing import Dealing, Recipients
from keymoot.threshold.envelope import Complaint, Envelope
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.root import Root
from keymoot.threshold.secp256k1 import SECP256K1, Point
from keymoot.threshold.session import Session

NETWORK = NetworkId(sha256(b"a network of the vectors").digest())
GENERATION = Hash32(sha256(b"a generation of the vectors").digest())
OTHER_GENERATION = Hash32(sha256(b"another generation of the vectors").digest())

PARTIES = (1, 2, 3, 4)

Case = dict[str, Json]
Object = dict[str, Json]


def seed(*words: object) -> bytes:
    """Give the seed of one step of one party."""
    return sha256("/".join(("keymoot", *map(str, words))).encode()).digest()


def rng(*words: object) -> SeededRng:
    """Give the generator of that seed."""
    return SeededRng(Secret(seed(*words)))


SEALING = {at: rng("sealing", at).scalar(SECP256K1, "key") for at in range(1, 8)}
"""Secret halves of the keys to which boxes are locked, of anybody who ever takes part."""


def session(name: str, generation: Hash32 = GENERATION) -> Session:
    """Name a run."""
    return Session(NETWORK, generation, name)


def sealing_keys(parties: Iterable[int] = PARTIES) -> dict[int, Point]:
    """Give the public halves."""
    return {at: SECP256K1.base(SEALING[at]) for at in parties}


# -- JSON


def told_session(one: Session) -> Object:
    """Write a session."""
    return {
        "network": one.network.hex0x,
        "generation": one.generation.hex0x,
        "name": one.name,
    }


def told_parties(parties: Iterable[int] = PARTIES, **seeds: str) -> list[Json]:
    """Write parties: index, both halves of the sealing key, and the seeds of their steps."""
    return [
        {
            "index": at,
            "sealingSecret": hexes.data(SEALING[at].expose()),
            "sealingKey": hexes.data(SECP256K1.encode(sealing_keys((at,))[at])),
            **{name: hexes.data(seed(words, at)) for name, words in seeds.items()},
        }
        for at in parties
    ]


def told_root(root: Root) -> Object:
    """Write a root."""
    return {
        "degree": root.degree,
        "public": hexes.data(root.group.encode(root.public)),
        "shares": [hexes.data(one) for one in root.encoded_shares()],
    }


def wire(item: rlp.Item) -> str:
    """Write a message as it travels."""
    return hexes.data(rlp.encode(item))


def by_party(told: Mapping[int, Json]) -> Object:
    """Write something of each party; indices are texts, as JSON's keys are."""
    return {str(at): one for at, one in told.items()}


def accept(step: str, description: str, given: Object, says: Json) -> Case:
    """Make a case that is to be accepted."""
    return {"description": description, "step": step, "valid": True, "input": given, "says": says}


def refuse(step: str, description: str, given: Object, code: str, party: int | None = None) -> Case:
    """Make a case that is to be refused; `party` is who did it, where that is certain."""
    return {
        "description": description,
        "step": step,
        "valid": False,
        "input": given,
        "error": {"code": code, "party": party},
    }


# -- ways to be wrong


def flipped(data: bytes, at: int = -1) -> bytes:
    """Change the last bit of one byte."""
    place = at % len(data)
    return data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]


def bad_wires(raw: bytes) -> list[tuple[str, bytes]]:
    """Give bytes that no honest encoder writes, from those that one did: a list over 55 bytes."""
    width = raw[0] - 0xF7
    padded = bytes((raw[0] + 1, 0)) + raw[1 : 1 + width] + raw[1 + width :]
    return [
        ("a byte behind the message", raw + b"\0"),
        ("the message is cut off", raw[:-1]),
        ("a length with a leading zero", padded),
        ("bytes where a list belongs", rlp.encode(raw)),
    ]


def respelled(envelope: Envelope, at: int, change: Callable[[bytes], bytes]) -> Envelope:
    """Change the box in the place of one recipient."""
    some = list(envelope.boxes)
    some[at - 1] = change(some[at - 1])
    return replace(envelope, boxes=tuple(some))


def dealt_otherwise(
    to: Recipients, dealer: int, dealing: Dealing, contents: Mapping[int, bytes], *words: object
) -> Dealing:
    """Give a dealing whose boxes hold something else for some, and what they held for the rest."""
    held = {
        at: boxes.open_box(
            to.session, dealer, at, SEALING[at], to.keys[at], dealing.envelope
        ).expose()
        for at in to.keys
    }
    envelope = boxes.seal(to.session, dealer, to.keys, held | contents, rng(*words))
    return replace(dealing, envelope=envelope)


def bad_envelopes(envelope: Envelope, other: Envelope) -> list[tuple[str, Envelope]]:
    """Give envelopes that fail for all to see, one of them with another dealer's point."""
    box = envelope.boxes[0]
    return [
        ("the ephemeral point is another one", replace(envelope, ephemeral=other.ephemeral)),
        ("the ephemeral point is none", replace(envelope, ephemeral=b"\2" + b"\xff" * 32)),
        ("the proof of the ephemeral point is altered", _reproved(envelope)),
        ("the proof of the ephemeral point is cut", replace(envelope, proof=envelope.proof[:63])),
        ("a box is missing", replace(envelope, boxes=envelope.boxes[:-1])),
        ("a box too many", replace(envelope, boxes=(*envelope.boxes, box))),
    ]


def _reproved(envelope: Envelope) -> Envelope:
    return replace(envelope, proof=flipped(envelope.proof))


def bad_complaints(complaint: Complaint) -> list[tuple[str, Complaint]]:
    """Give complaints that prove nothing, whatever they are about."""
    other = SECP256K1.encode(SECP256K1.generator)
    return [
        ("another shared point", replace(complaint, shared=other)),
        ("a shared point that is none", replace(complaint, shared=b"\2" + b"\xff" * 32)),
        ("an altered proof", replace(complaint, proof=flipped(complaint.proof))),
        ("a proof whose answer is not below the order", _large_answer(complaint)),
    ]


def _large_answer(complaint: Complaint) -> Complaint:
    return replace(complaint, proof=complaint.proof[:32] + b"\xff" * 32)
