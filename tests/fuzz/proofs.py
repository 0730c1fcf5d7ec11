"""What a client is shown and does not believe: proofs, dossiers, answers of nodes."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from keymoot.agent.identity import read_identity
from keymoot.agent.share import INFO, open_share, read_status, refusal_of
from keymoot.base import hexes, rlp
from keymoot.base.errors import KeymootError
from keymoot.base.fixed import NetworkId, WalletId
from keymoot.base.strict_json import canonical, parse
from keymoot.base.units import Height
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.crypto import ed25519, hpke
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import request_key
from keymoot.proof.build import prove_cells
from keymoot.proof.bundle import ProofBundle
from keymoot.proof.chain import FollowedChain, read_steps
from keymoot.proof.descent import Descent
from keymoot.proof.dossier import MAX_DOSSIER_BYTES, Dossier
from keymoot.proof.log import check_log, index_slot, record_slot
from keymoot.proof.receipt import ReceiptProof
from keymoot.proof.state import AccountProof
from keymoot.proof.wallet import wallet_slots
from keymoot.store.header import Header
from keymoot.store.history import HISTORY_ADDRESS, history_slot
from tests.agent.test_share import KEY, NETWORK, NODE, NODES, REPLY, _answer
from tests.fuzz.target import Target
from tests.proof.dossiers import check_claims, whole_dossier
from tests.proof.world import World, a_record

WORLD = World()
DOSSIER, WALLET = whole_dossier(WORLD)
NEWEST = DOSSIER.shown.header


def _logged() -> tuple[AccountProof, Header, WalletId]:
    """Give a wallet's log of two entries, and the proof of it."""
    world = World("logged")
    wallet = world.put_wallet()
    records = [a_record(wallet, at, b"") for at in range(2)]
    world.put_log(records)
    header = world.block()
    names = [request_key(one.requester, one.request_id) for one in records]
    slots = [wallet_slots(wallet)[2], *(index_slot(wallet, at) for at in range(2))]
    proof = prove_cells(world.state, Wallets.ADDRESS, [*slots, *map(record_slot, names)])
    return proof, header, wallet


PAGE, LOG_HEADER, LOG_WALLET = _logged()


def _descends() -> tuple[Header, Descent]:
    world = World("descends")
    world.run(range(5))
    proof = prove_cells(world.state, HISTORY_ADDRESS, [history_slot(Height(3))])
    return world.blocks[-1], Descent(proof, (world.blocks[2].encode(),))


OLD_NEWER, DESCENT = _descends()


# -- whole documents: each leaf of hex may be altered as bytes


def leaves_of(told: Any) -> list[bytes]:
    """Give every hex text of a document, as bytes, in order."""
    if isinstance(told, dict):
        return [leaf for name in sorted(told) for leaf in leaves_of(told[name])]
    if isinstance(told, list):
        return [leaf for one in told for leaf in leaves_of(one)]
    return [_bytes(told)] if _is_hex(told) else []


def with_leaves(told: Any, leaves: list[Any]) -> Any:
    """Give the document with other leaves; a list in the place of one is left out."""
    if isinstance(told, dict):
        return {name: with_leaves(told[name], leaves) for name in sorted(told)}
    if isinstance(told, list):
        found = [with_leaves(one, leaves) for one in told]
        return [one for one in found if one is not DROPPED]
    if not _is_hex(told) or not leaves:
        return told
    leaf = leaves.pop(0)
    if isinstance(leaf, list):
        return DROPPED if leaf else None
    return (
        hexes.quantity(int.from_bytes(leaf[:40], "big"))
        if _is_quantity(told)
        else "0x" + leaf.hex()
    )


DROPPED = object()


def _is_hex(told: Any) -> bool:
    return isinstance(told, str) and told.startswith("0x")


def _is_quantity(told: str) -> bool:
    return told == "0x0" or (len(told) % 2 == 1)


def _bytes(told: str) -> bytes:
    digits = told[2:]
    return bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)


def in_leaves(check: Callable[[Any], object], whole: Any, raw: bytes) -> None:
    """Check a document whose leaves are the items of an input."""
    leaves = rlp.decode(raw)
    if isinstance(leaves, list):
        check(with_leaves(whole, list(leaves)))


def leaf_seed(whole: Any) -> list[bytes]:
    return [rlp.encode(leaves_of(whole))]


def as_json(check: Callable[[Any], object], raw: bytes) -> None:
    check(parse(raw, MAX_DOSSIER_BYTES))


def json_seed(whole: Any) -> list[bytes]:
    return [canonical(whole)]


# -- the checks


def check_dossier(told: Any) -> None:
    """What is accepted is what was shown, or less of it: never another thing."""
    found = Dossier.from_json(told)
    list(found.examine(NetworkId(WORLD.network)))
    check_claims(found, DOSSIER, WORLD)


def check_receipt(told: Any) -> None:
    """What is proved of a certified block is in it."""
    proven = ReceiptProof.from_json(told).check(NEWEST)
    assert (proven, DOSSIER.receipt is not None) == (RECEIVED, True)


assert DOSSIER.receipt is not None
RECEIPT = DOSSIER.receipt.to_json()
RECEIVED = DOSSIER.receipt.check(NEWEST)


def check_page(told: Any) -> None:
    """A page of a log is the whole page."""
    page = check_log(AccountProof.from_json(told), LOG_HEADER, LOG_WALLET, 0, 2)
    assert page == WHOLE_PAGE


WHOLE_PAGE = check_log(PAGE, LOG_HEADER, LOG_WALLET, 0, 2)


def check_descent(told: Any) -> None:
    """It leads to the block that there is."""
    found = Descent.from_json(told)
    for height in (2, 1):
        with suppress(KeymootError):
            found.check(OLD_NEWER, Height(height), keccak256(b"another"))
            raise AssertionError("it leads to another block")
    found.check(OLD_NEWER, Height(2), OLD_NAME)


def _again() -> World:
    world = World("descends")
    world.run(range(5))
    return world


OLD_NAME = _again().blocks[1].hash


def check_shown(told: Any) -> None:
    """Of a block that was seen, only itself is believed."""
    bundle = ProofBundle.from_json(told)
    chain = FollowedChain(WORLD.anchor).follow(bundle.shown)
    assert chain.newest == NEWEST
    bundle.proof.check(NEWEST.state_root)


BUNDLE = {**DOSSIER.shown.to_json(), "proof": DOSSIER.members.to_json()}


# -- what nodes answer


def check_answer(told: Any) -> None:
    """Any JSON instead of any answer."""
    with suppress(KeymootError):
        read_identity(told)
    with suppress(KeymootError):
        read_steps(told)
    with suppress(KeymootError):
        ProofBundle.from_json(told)
    assert str(refusal_of(told))
    if isinstance(told, dict):
        with suppress(KeymootError):
            read_status(told)
        with suppress(KeymootError):
            open_share(told, NETWORK, KEY, NODES, REPLY)


def check_sealed(raw: bytes) -> None:
    """Anything inside of what a member has sealed, or instead of it."""
    inside, outside = raw[1:], raw[:1] == b"s"
    sealed = inside if outside else _seal(inside)
    signature = ed25519.sign(NODE, keccak256(NETWORK + KEY + sealed))
    answer = {**ANSWER, "sealed": hexes.data(sealed), "signature": hexes.data(signature)}
    open_share(answer, NETWORK, KEY, NODES, REPLY)


def _seal(plain: bytes) -> bytes:
    return hpke.seal_to(hpke.public_key(REPLY), plain, INFO + NETWORK, KEY)


ANSWER = _answer()


def sealed_seeds() -> list[bytes]:
    inside = rlp.encode([b"\5" * 32, b"\6" * 65])
    return [b"p" + inside, b"s" + hexes.parse_data(ANSWER["sealed"])]


def answer_seeds() -> list[bytes]:
    whole = [
        ANSWER,
        BUNDLE,
        {
            "network": WORLD.network.hex0x,
            "genesis": hexes.data(WORLD.genesis.encode()),
            "chainId": hexes.quantity(WORLD.genesis.chain_id),
            "simulated": True,
        },
        [{**DOSSIER.shown.to_json(), "descent": DESCENT.to_json()}],
        {"code": -32010, "message": "no", "data": {"reason": "LIMIT_EXCEEDED", "max": "5"}},
    ]
    return [json.dumps(one).encode() for one in whole]


WHOLE: dict[str, tuple[Callable[[Any], object], Any, int]] = {
    "dossiers": (check_dossier, DOSSIER.to_json(), 2),
    "receipt proofs": (check_receipt, RECEIPT, 4),
    "log pages": (check_page, PAGE.to_json(), 6),
    "descents": (check_descent, DESCENT.to_json(), 6),
    "certified headers": (check_shown, BUNDLE, 3),
}

TARGETS = [
    *(
        Target(
            f"{name}, by leaf",
            "what was shown, or less",
            partial(in_leaves, check, whole),
            partial(leaf_seed, whole),
            share,
            65_536,
        )
        for name, (check, whole, share) in WHOLE.items()
    ),
    *(
        Target(
            f"{name}, as JSON",
            "what was shown, or less",
            partial(as_json, check),
            partial(json_seed, whole),
            share,
            65_536,
        )
        for name, (check, whole, share) in WHOLE.items()
    ),
    Target(
        "answers of nodes",
        "no other errors",
        partial(as_json, check_answer),
        answer_seeds,
        30,
        8_192,
    ),
    Target("sealed answers", "no other errors", check_sealed, sealed_seeds, 2),
]
