"""What makes an enclave of the committee give a share, and what never does."""

from itertools import combinations

import pytest

from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.units import Height
from keymoot.committee.certified import certificate_message
from keymoot.committee.roots import CERTIFICATE
from keymoot.crypto.secp256k1 import recover
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.polynomial import interpolate_points
from tests.enclave.network import Network
from tests.enclave.shares import combined, refused, shares_of
from tests.runtime.people import AGENT, OWNER

SECRETS = ("λ", "λ'", "κλ", "κλ'", "xλ", "xλ'")
"""What a seat has of each presignature."""


def behind(network, scenario):
    """Bind a request while enclave 1 is shown its block, and no certificate of it."""
    network.withheld = {1}
    one = network.boxes[1]
    key = network.bind(scenario)
    height = network.height_of(key)
    while one.next <= height:
        ballot = one.ballots[one.next] = one.execute(network.branch.blocks[one.next])
        assert ballot.hash == network.branch.headers[one.next].hash
        if one.next < height:
            network.show(one, one.next)
        one.next = Height(one.next + 1)
    return key, height, one


# -- the walk


def test_degree_plus_one_shares_sign_and_the_same_answer_comes_again(network):
    scenario = network.scenario()
    key = network.bind(scenario)
    answers = network.answers[key]
    assert answers.keys() == {1, 2, 3, 4}
    assert all(not one.code for one in answers.values())
    seen = set()
    for pair in combinations(answers, 2):
        digest, signature = combined(network, key, {at: answers[at] for at in pair})
        assert recover(digest, signature) == scenario.account
        seen.add(bytes(signature))
    assert len(seen) == 1
    # They came with the certificate; asked again, and shown it again, enclaves give the same.
    assert shares_of(network, key) == answers
    height = network.height_of(key)
    for at, one in network.boxes.items():
        released = one.certify(height, network.branch.proofs[height])
        assert [each for each in released.answers if each.request == key] == [answers[at]]


def test_who_rests_keeps_its_presignature_until_it_is_asked(network):
    scenario = network.scenario()
    key, height, one = behind(network, scenario)
    proof = network.branch.proofs[height]
    (rested,) = one.certify(height, proof, rests=True).answers
    assert (rested.request, rested.code, rested.sealed) == (key, "RESTS", b"")
    (answer,) = one.answer(key)
    shares = {2: network.answers[key][2], one.seat: answer}
    assert recover(*combined(network, key, shares)) == scenario.account
    # What was given is given again, to whoever rests as well.
    assert list(one.certify(height, proof, rests=True).answers) == [answer]


# -- blocks without their certificate


def test_without_the_certificate_of_a_quorum_there_is_no_share(network):
    scenario = network.scenario()
    key, height, one = behind(network, scenario)
    assert one.answer(key)[0].code == "NOT_HELD"
    root = network.machine.state.root(CERTIFICATE)
    ballots = {at: network.boxes[at].ballots[height] for at in (1, 2, 3, 4)}
    points = {at: G1.decode(each.share) for at, each in ballots.items() if each.share}
    for few in combinations(points, root.degree):
        # Shares of too few, however they are put together, are no certificate.
        forged = G1.encode(interpolate_points(G1, {at: points[at] for at in few}))
        with refused("NOT_CERTIFIED"):
            one.certify(height, forged)
        with refused("NOT_CERTIFIED"):
            one.certify(height, G1.encode(points[few[0]]))
    assert one.answer(key)[0].code == "NOT_HELD"
    with refused("MALFORMED"):
        one.certify(height, network.branch.record.encode())
    assert one.certify(height, network.branch.proofs[height]).answers[0].request == key
    assert not one.answer(key)[0].code


def test_no_share_without_the_certificate_of_that_very_block(network):
    scenario = network.scenario()
    key, height, one = behind(network, scenario)
    other = network.bind(scenario, 6)
    later = network.branch.proofs[network.height_of(other)]
    generation = network.branch.headers[height].generation
    name = network.branch.headers[height].hash
    wrong = [
        later,
        network.branch.proofs[Height(height - 1)],
        b"\xc0" + bytes(47),
        bytes(48),
        G1.encode(G1.generator),
    ]
    for proof in wrong:
        with refused("NOT_CERTIFIED", "MALFORMED"):
            one.certify(height, proof)
        assert one.answer(key)[0].code == "NOT_HELD"
    # The root's own key signed none of them.
    root = network.machine.state.root(CERTIFICATE)
    message = certificate_message(network.genesis.network, generation, height, name)
    assert bls.verify(root.public, message, G1.decode(network.branch.proofs[height]))
    assert not bls.verify(root.public, message, G1.decode(later))


def test_what_a_block_bound_that_a_later_certificate_covers_is_burned(network):
    scenario = network.scenario()
    key, height, one = behind(network, scenario)
    later = network.order([])
    one.execute(network.branch.blocks[later])
    released = one.certify(later, network.branch.proofs[later])
    assert released.first == height
    assert key not in {each.request for each in released.answers}
    assert one.answer(key)[0].code == "NOT_HELD"
    with refused("COVERED"):
        one.certify(height, network.branch.proofs[height])
    assert one.answer(key)[0].code == "NOT_HELD"
    # The others were shown it in time.
    assert combined(network, key, shares_of(network, key, (2, 3)))


def test_blocks_of_another_genesis_are_none(network, tmp_path):
    other = Network(tmp_path / "other").found()
    one = network.boxes[1]
    one.start()
    with refused("OTHER_NETWORK"):
        one.join(other.genesis)
    one.join(network.genesis)
    with refused("NOT_FOUNDED"):
        one.begin(other.branch.place(), other.branch)
    fresh = network.add(9)
    with refused("NOT_MEMBER"):
        fresh.join(network.genesis)
    assert fresh.enclave.sealed.now.network is None


# -- what stops an answer


def test_a_pause_or_a_revocation_stops_answers_that_were_not_fetched(network):
    scenario = network.scenario()
    key = network.bind(scenario)
    assert scenario.send(OWNER, "pause", scenario.wallet).status == 1
    assert {one.code for one in shares_of(network, key).values()} == {"NOT_BOUND"}
    assert scenario.send(OWNER, "resume", scenario.wallet).status == 1
    assert {one.code for one in shares_of(network, key).values()} == {""}
    other = network.bind(scenario, 7)
    assert scenario.send(OWNER, "revoke", scenario.wallet, AGENT.address).status == 1
    assert {one.code for one in shares_of(network, other).values()} == {"NOT_BOUND"}


def test_expiry_counts_by_the_enclaves_own_clock_too(network):
    scenario = network.scenario()
    key = network.bind(scenario)
    network.boxes[3].ahead = 10_000
    assert network.boxes[3].answer(key)[0].code == "NOT_BOUND"
    assert not network.boxes[2].answer(key)[0].code
    # A clock that stands still does not help: the ledger's time counts as well.
    network.boxes[2].ahead = -10_000
    network.clock.now += 320
    network.order([])
    assert network.boxes[2].answer(key)[0].code == "NOT_BOUND"


def test_what_no_block_has_bound_gets_nothing(network):
    network.bind(network.scenario())
    assert network.boxes[1].answer(Hash32(Bytes32(b"\x31" * 32)))[0].code == "NOT_HELD"


# -- what never leaves


def test_no_presignature_and_no_share_leaves_an_enclave(network):
    scenario = network.scenario()
    secrets = set()
    for one in network.boxes.values():
        participant, keep = one.enclave.start.participant, one.enclave.sealed.now
        secrets |= {participant.session.signing.expose(), participant.session.sealing.expose()}
        secrets |= {participant.keys.living.expose(), participant.keys.next.expose()}
        secrets |= {keep.identity.expose(), keep.state.expose()}
        secrets |= {share.secret.expose() for share in shares_in(one, network).values()}
        for batch in participant.presign._presignatures.values():
            secrets |= {part.expose() for held in batch.values() for part in held.secrets}
    assert len(secrets) >= 4 * len(SECRETS) * network.machine.stock.left()
    key = network.bind(scenario)
    answers = network.answers[key]
    assert combined(network, key, answers)
    network.restart(2)
    seen = b"".join(b"".join(network.opened(one)) for one in answers.values())
    seen += b"".join(b"".join(one.out) for one in network.boxes.values())
    for path in network.folder.rglob("*"):
        seen += path.read_bytes() if path.is_file() else b""
    # The search looks in the right places: the dealings' commitments are there.
    page = network.machine.stock.batch(network.machine.stock.page.ready[0])
    assert network.machine.stock.batch(page.number).keys[0] in seen
    assert not [one for one in secrets if one in seen or one.hex().encode() in seen]


def shares_in(box, network):
    return box.enclave.start.participant.shares_in(network.machine)


@pytest.mark.parametrize("seat", [1, 4])
def test_shares_of_a_start_that_is_over_are_nobodys(network, seat):
    scenario = network.scenario()
    key = network.bind(scenario)
    network.restart(seat)
    assert network.boxes[seat].answer(key)[0].code == "NOT_HELD"
