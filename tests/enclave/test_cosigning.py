"""What makes an enclave of the assembly give a share, and what never does."""

from dataclasses import replace
from itertools import combinations

import pytest

from keymoot.attest.block import data_hash
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.units import Height
from keymoot.contracts.wallet_events import RequestBound
from keymoot.crypto.secp256k1 import recover
from keymoot.enclave import messages
from keymoot.enclave.client import EnclaveRefused
from keymoot.moot.roots import CERTIFICATE
from keymoot.runtime.receipt import Log
from keymoot.threshold import bls, ecdsa
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.ecdsa import SignatureShare, Task
from keymoot.threshold.polynomial import interpolate_points
from keymoot.threshold.secp256k1 import SECP256K1
from tests.enclave.parliament import Parliament, Shown
from tests.runtime.people import AGENT, OWNER

SECRETS = ("λ", "λ'", "κλ", "κλ'", "xλ", "xλ'")
"""What a seat has of each presignature."""


def refused(code: str):
    return pytest.raises(EnclaveRefused, check=lambda error: error.code == code)


def shares_of(parliament, key, seats=(1, 2, 3, 4)):
    signature = parliament.beacon(parliament.height_of(key))
    return {at: parliament.delegates[at].cosign(key, signature) for at in seats}


def combined(parliament, key, answers):
    opened = {at: parliament.opened(key, one) for at, one in answers.items()}
    digest, nonce, public, _ = next(iter(opened.values()))
    point = SECP256K1.decode(nonce)
    work = Task(point, SECP256K1.x(point), 0, 0, Hash32(digest), SECP256K1.decode(public))
    shares = {at: SignatureShare.decode(one[3]) for at, one in opened.items()}
    signature, _ = ecdsa.combine(work, shares, 1)
    return Hash32(digest), signature


# -- the walk


def test_degree_plus_one_shares_sign_and_the_same_answer_comes_again(parliament):
    play = parliament.play()
    key = parliament.bind(play)
    answers = shares_of(parliament, key)
    assert all(not one.code for one in answers.values())
    seen = set()
    for pair in combinations(answers, 2):
        digest, signature = combined(parliament, key, {at: answers[at] for at in pair})
        assert recover(digest, signature) == play.account
        seen.add(bytes(signature))
    assert len(seen) == 1
    again = shares_of(parliament, key)
    assert {at: one.sealed for at, one in again.items()} == {
        at: one.sealed for at, one in answers.items()
    }


# -- blocks that are none


def test_without_two_thirds_of_the_votes_there_is_no_share(parliament):
    play = parliament.play()
    parliament.withheld = {1}
    one = parliament.delegates[1]
    key = parliament.bind(play)
    height = parliament.height_of(key)
    signature = parliament.beacon(height, {2, 3, 4})
    for at in range(one.next, height):
        block = parliament.shown[Height(at)]
        one.follow(block.signed, block.transactions, block.receipts)
    block = parliament.shown[height]
    for seats in combinations((1, 2, 3, 4), 2):
        forged = parliament.signed_by(block.signed.header, set(seats))
        with refused("TOO_LITTLE_POWER"):
            one.follow(forged, block.transactions, block.receipts)
    assert one.cosign(key, signature).code == "NOT_HELD"
    assert one.follow(block.signed, block.transactions, block.receipts)
    assert not one.cosign(key, signature).code


def test_a_vote_that_nobody_cast_makes_no_block_final(parliament):
    play = parliament.play()
    parliament.withheld = {1}
    one = parliament.delegates[1]
    key = parliament.bind(play)
    block = parliament.shown[one.next]
    commit = block.signed.commit
    places = [
        replace(place, signature=bytes([place.signature[0] ^ 1]) + place.signature[1:])
        for place in commit.signatures
        if place.signature
    ]
    forged = replace(block.signed, commit=replace(commit, signatures=tuple(places)))
    with refused("FORGED_COMMIT"):
        one.follow(forged, block.transactions, block.receipts)
    assert one.cosign(key, parliament.beacon(parliament.height_of(key), {2, 3, 4})).code


def test_of_two_blocks_of_one_height_only_the_first_counts(parliament):
    play = parliament.play()
    height = parliament.engine.app.committed.height
    # All of them sign a second block of that height, as if every consensus key were stolen.
    old = parliament.shown[height]
    other = replace(old.signed.header, app_hash=b"\x66" * 32)
    forged = parliament.signed_by(other, {1, 2, 3, 4})
    for one in parliament.delegates.values():
        with refused("OUT_OF_ORDER"):
            one.follow(forged, old.transactions, old.receipts)
    # And the next block, true in all but that it continues the second.
    parliament.withheld = {1}
    key = parliament.bind(play)
    block = parliament.shown[Height(height + 1)]
    header = replace(block.signed.header, last_block_id=forged.commit.block_id)
    with refused("DIVERGED"):
        parliament.delegates[1].follow(
            parliament.signed_by(header, {1, 2, 3, 4}), block.transactions, block.receipts
        )
    parliament.show(parliament.delegates[1])
    assert all(not one.code for one in shares_of(parliament, key).values())


def test_blocks_of_another_genesis_are_none(parliament, tmp_path):
    other = Parliament(tmp_path / "other")
    try:
        one = parliament.delegates[1]
        block = other.shown[Height(1)]
        fresh = parliament.delegates[2]
        with refused("OTHER_NETWORK"):
            fresh.ask(
                messages.JOIN,
                messages.join_item(replace(parliament.genesis, base_fee=7).encode(), 0),
            )
        one.start()
        one.ask(messages.JOIN, messages.join_item(parliament.genesis.encode(), 0))
        with pytest.raises(EnclaveRefused):
            one.follow(block.signed, block.transactions, block.receipts)
        with refused("NOT_MEMBER"):
            one.ask(messages.JOIN, messages.join_item(other.genesis.encode(), 0))
    finally:
        other.close()


def test_transactions_that_are_not_the_blocks_own_are_refused(parliament):
    parliament.withheld = {1}
    play = parliament.play()
    one = parliament.delegates[1]
    key = parliament.bind(play)
    height = parliament.height_of(key)
    for at in range(one.next, height):
        block = parliament.shown[Height(at)]
        one.follow(block.signed, block.transactions, block.receipts)
    block = parliament.shown[height]
    assert data_hash(list(block.transactions)) == block.signed.header.data_hash
    with refused("DIVERGED"):
        one.follow(block.signed, (), ())
    with refused("DIVERGED"):
        one.follow(block.signed, (*block.transactions, b"\x02"), (*block.receipts, *block.receipts))


# -- replicas that executed differently


def lie_about(block: Shown) -> Shown:
    """Give a block with the receipts of another execution: another digest was bound."""

    def spoiled(log: Log) -> Log:
        if log.topics[0] != RequestBound.topic():
            return log
        digest = RequestBound.read(log.topics, log.data)["digest"]
        return replace(log, data=log.data.replace(digest, bytes(reversed(digest))))

    changed = [
        replace(one, logs=tuple(map(spoiled, one.logs)), output=b"\x01" + one.output)
        for one in block.receipts
    ]
    return replace(block, receipts=tuple(changed))


@pytest.mark.parametrize("size", [4, 6])
def test_replicas_that_diverge_get_no_beacon_and_so_no_share(tmp_path, small_batches, size):
    parliament = Parliament(tmp_path, size)
    try:
        play = parliament.play()
        half = set(range(1, size // 2 + 1))
        parliament.lie = lambda at, block: lie_about(block) if at in half else block
        key = parliament.bind(play)
        height = parliament.height_of(key)
        shares = {at: G1.decode(one.beacons[height]) for at, one in parliament.delegates.items()}
        root = parliament.assembly.hall.root(CERTIFICATE)
        need = root.degree + 1
        true = parliament.message(height)
        assert len(half) < need
        assert size - len(half) < need
        # No set of shares makes a beacon over what the replica executed, ...
        for chosen in combinations(shares, need):
            point = interpolate_points(G1, {at: shares[at] for at in chosen})
            assert not bls.verify(root.public, true, point)
            # ... and none gets a share out of either half.
            for one in parliament.delegates.values():
                assert one.cosign(key, G1.encode(point)).code == "BAD_BEACON"
        # Each share is good for what its enclave saw: those of one side verify, no other.
        good = {at for at in shares if bls.check(root, at, true, shares[at])}
        assert good == set(shares) - half
    finally:
        parliament.close()


def test_who_was_shown_another_outcome_learns_it_from_the_next_header(parliament):
    play = parliament.play()
    parliament.withheld = {1}
    one = parliament.delegates[1]
    key = parliament.bind(play)
    height = parliament.height_of(key)
    while one.next <= height:
        block = parliament.shown[one.next]
        block = lie_about(block) if one.next == height else block
        one.next = Height(one.next + 1)
        one.follow(block.signed, block.transactions, block.receipts)
    block = parliament.shown[Height(height + 1)]
    with refused("DIVERGED"):
        one.follow(block.signed, block.transactions, block.receipts)
    # The others have a beacon without it, and under that it gives nothing.
    answers = shares_of(parliament, key)
    assert answers[1].code == "BAD_BEACON"
    assert not any(answers[at].code for at in (2, 3, 4))


# -- beacons


def test_no_share_without_the_beacon_of_that_very_height(parliament):
    play = parliament.play()
    first = parliament.bind(play)
    second = parliament.bind(play, 6)
    heights = parliament.height_of(first), parliament.height_of(second)
    assert heights[0] != heights[1]
    other = parliament.beacon(heights[1])
    for wrong in (other, b"\xc0" + bytes(47), bytes(48), G1.encode(G1.generator)):
        answer = parliament.delegates[2].cosign(first, wrong)
        assert (answer.code, answer.sealed) == ("BAD_BEACON", b"")
    # Degree shares of the right height are not enough either.
    delegates = parliament.delegates
    shares = {at: G1.decode(delegates[at].beacons[heights[0]]) for at in (1, 3)}
    point = G1.encode(interpolate_points(G1, shares))
    assert delegates[2].cosign(first, point).code == "BAD_BEACON"
    # And who knows no beacon gets nothing either once another has shown the right one.
    assert not delegates[2].cosign(first, parliament.beacon(heights[0])).code
    assert delegates[2].cosign(first, other).code == "BAD_BEACON"


# -- what stops an answer


def test_a_pause_or_a_revocation_stops_answers_that_were_not_fetched(parliament):
    play = parliament.play()
    key = parliament.bind(play)
    assert play.send(OWNER, "pause", play.wallet).status == 1
    assert {one.code for one in shares_of(parliament, key).values()} == {"NOT_BOUND"}
    assert play.send(OWNER, "resume", play.wallet).status == 1
    assert {one.code for one in shares_of(parliament, key).values()} == {""}
    other = parliament.bind(play, 7)
    assert play.send(OWNER, "revoke", play.wallet, AGENT.address).status == 1
    assert {one.code for one in shares_of(parliament, other).values()} == {"NOT_BOUND"}


def test_expiry_counts_by_the_enclaves_own_clock_too(parliament):
    play = parliament.play()
    key = parliament.bind(play)
    height = parliament.height_of(key)
    cosigner = parliament.delegates[3].room.member.cosigner
    now = cosigner.clock()
    cosigner.clock = lambda: type(now)(now + 10_000)
    assert parliament.delegates[3].cosign(key, parliament.beacon(height)).code == "NOT_BOUND"
    assert not parliament.delegates[2].cosign(key, parliament.beacon(height)).code


def test_what_no_block_has_bound_gets_nothing(parliament):
    play = parliament.play()
    key = parliament.bind(play)
    beacon_ = parliament.beacon(parliament.height_of(key))
    assert parliament.delegates[1].cosign(Hash32(Bytes32(b"\x31" * 32)), beacon_).code == "NOT_HELD"


# -- what never leaves


def test_no_presignature_and_no_share_leaves_an_enclave(parliament):
    play = parliament.play()
    secrets = set()
    for one in parliament.delegates.values():
        party, boot = one.room.member.party, one.room.member._boot
        secrets |= {boot.signing.expose(), boot.sealing.expose(), party.keys.next.expose()}
        secrets |= {party.keys.living.expose()}
        secrets |= {share.secret.expose() for share in party.shares.values()}
        for batch in party.presigner._presignatures.values():
            secrets |= {part.expose() for held in batch.values() for part in held.secrets}
    held = sum(len(SECRETS) for _ in parliament.delegates) * parliament.assembly.stock.left()
    assert len(secrets) >= held
    key = parliament.bind(play)
    answers = shares_of(parliament, key)
    assert combined(parliament, key, answers)
    seen = b"".join(one.sealed for one in answers.values())
    seen += b"".join(b"".join(parliament.opened(key, one)) for one in answers.values())
    seen += b"".join(raw for one in parliament.shown.values() for raw in one.transactions)
    for path in parliament.folder.rglob("*"):
        seen += path.read_bytes() if path.is_file() else b""
    # The search looks in the right places: the dealings' commitments are there.
    page = parliament.assembly.stock.batch(parliament.assembly.stock.page.ready[0])
    assert parliament.assembly.stock.batch(page.number).keys[0] in seen
    assert not [one for one in secrets if one in seen or one.hex().encode() in seen]
