"""Ed25519 wallets inside the enclaves: nonces bound to a block, each used once, or never."""

import pytest
from eth_abi.abi import decode
from nacl.signing import VerifyKey

from keymoot.base.fixed import Bytes32, SolanaAddress, WalletId
from keymoot.base.request import ASK_AGAIN, SIGN_SOLANA_TRANSACTION
from keymoot.base.strict_json import canonical
from keymoot.base.units import Height
from keymoot.committee.messages import (
    MESSAGE_TYPE,
    Kind,
    NodeMessage,
    NumberedBody,
)
from keymoot.committee.nonces import ledger as stock
from keymoot.committee.nonces.record import SeatBits, SignerCommitments, commitments_of
from keymoot.committee.roots import EDDSA
from keymoot.enclave import messages
from keymoot.runtime.release import find_record
from keymoot.threshold import frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.edwards25519 import EDWARDS25519
from tests.committee.bodies import fields_of
from tests.enclave.network import Network
from tests.enclave.shares import refused, shares_of
from tests.node.solana import RECOVERY, payment, policy
from tests.runtime.people import OWNER, STRANGER, Scenario


@pytest.fixture
def scenario(network: Network) -> Scenario:
    """An owner with a wallet on Solana, and an agent that may pay from it."""
    made = network.scenario()
    receipt = made.send(OWNER, "createSolana", b"f" * 32, Bytes32(RECOVERY), value=10**20)
    assert receipt.status == 1, receipt.error
    wallet, account = decode(["bytes32", "bytes32"], receipt.output)
    made.wallet, made.account = WalletId(wallet), SolanaAddress(account)
    document = canonical(policy())
    assert made.send(OWNER, "setPolicy", made.wallet, document, 0).status == 1
    assert made.grant().status == 1
    return made


def bind(network, scenario, lamports=5):
    """Have a payment bound in a final block; give its name and what is signed."""
    message = bytes(payment(scenario.account, lamports))
    raw, key = network.request(scenario, message, SIGN_SOLANA_TRANSACTION)
    receipt = network.send(raw)
    assert receipt.status == 1, receipt.error
    return key, message


def again(network, scenario, key, silent=frozenset()):
    payload = key + (SeatBits.of(silent) if silent else b"")
    raw, new = network.request(scenario, payload, ASK_AGAIN)
    receipt = network.send(raw)
    return receipt, new


def slots_of(network, key):
    return SignerCommitments.decode(find_record(network.state(), key).bound_to).slots


def signed(network, scenario, key, message, answers):
    """Add the signers' shares, as a requester does; a library that knows no FROST verifies."""
    found = {at: network.opened(one) for at, one in answers.items() if one.sealed}
    assert found.keys() == {one.seat for one in slots_of(network, key)}
    assert len({(one[1], one[2]) for one in found.values()}) == 1
    nonce, public = next(iter(found.values()))[1:3]
    assert public == scenario.account
    total = sum(EDWARDS25519.decode_scalar(one[3]) for one in found.values())
    signature = nonce + EDWARDS25519.encode_scalar(total % EDWARDS25519.ORDER)
    VerifyKey(bytes(scenario.account)).verify(message, signature)
    return signature


def test_a_named_signer_never_rests(network, scenario):
    """Without its share there is no signature: others cannot make it."""
    box, network.withheld = network.boxes[1], {1}
    for lamports in range(1, 5):
        key, _ = bind(network, scenario, lamports)
        height = network.height_of(key)
        while box.next <= height:
            box.execute(network.branch.blocks[box.next])
            if box.next < height:
                network.show(box, box.next)
            box.next = Height(box.next + 1)
        if 1 in {one.seat for one in slots_of(network, key)}:
            break
    (answer,) = box.certify(height, network.branch.proofs[height], rests=True).answers
    assert (answer.request, answer.code) == (key, "")


def test_the_named_signers_sign_and_the_same_answer_comes_again(network, scenario):
    key, message = bind(network, scenario)
    answers = shares_of(network, key)
    other = ({1, 2, 3, 4} - {one.seat for one in slots_of(network, key)}).pop()
    assert answers[other].code == "NOT_A_SIGNER"
    signed(network, scenario, key, message, answers)
    assert shares_of(network, key) == answers


def test_no_share_without_the_certificate_of_that_very_block(network, scenario):
    network.withheld = {1}
    one = network.boxes[1]
    while True:
        key, message = bind(network, scenario)
        if 1 in {slot.seat for slot in slots_of(network, key)}:
            break
        network.feed(one)
    height = network.height_of(key)
    later = network.order([])
    for at in range(one.next, later + 1):
        one.execute(network.branch.blocks[at])
        if at < height:
            network.show(one, at)
    with refused("NOT_CERTIFIED"):
        one.certify(height, network.branch.proofs[later])
    assert (one.answer(key)[0].code, one.answer(key)[0].sealed) == ("NOT_HELD", b"")
    # Covered by another block's certificate, its nonces are burned.
    one.certify(later, network.branch.proofs[later])
    with refused("COVERED"):
        one.certify(height, network.branch.proofs[height])
    assert (one.answer(key)[0].code, one.answer(key)[0].sealed) == ("NOT_HELD", b"")
    one.next, one.certified = later + 1, later
    network.withheld = set()
    _, new = again(network, scenario, key, frozenset({1}))
    signed(network, scenario, new, message, shares_of(network, new))


def test_asked_again_other_nonces_serve_and_the_silent_are_left_out(network, scenario):
    key, message = bind(network, scenario)
    one = slots_of(network, key)[0].seat
    receipt, new = again(network, scenario, key, frozenset({one}))
    assert receipt.status == 1
    assert one not in {slot.seat for slot in slots_of(network, new)}
    used = {(slot.seat, slot.number) for slot in slots_of(network, key)}
    assert not used & {(slot.seat, slot.number) for slot in slots_of(network, new)}
    first = signed(network, scenario, key, message, shares_of(network, key))
    second = signed(network, scenario, new, message, shares_of(network, new))
    assert first[:32] != second[:32]
    # Again of again signs the first one's message.
    receipt, third = again(network, scenario, new)
    assert receipt.status == 1
    signed(network, scenario, third, message, shares_of(network, third))


@pytest.mark.parametrize("payload", [b"", b"k" * 31, b"k" * 39, b"k" * 41])
def test_to_ask_again_one_names_a_request(network, scenario, payload):
    raw, _ = network.request(scenario, payload, ASK_AGAIN)
    assert network.send(raw).error_code == "NOT_BOUND"


def test_nobody_asks_again_for_anothers_request(network, scenario):
    key, _ = bind(network, scenario)
    assert scenario.grant(STRANGER).status == 1
    raw, _ = network.request(scenario, key, ASK_AGAIN, who=STRANGER)
    receipt = network.send(raw)
    assert (receipt.status, receipt.error_code) == (0, "NOT_BOUND")


def test_an_epoch_that_begins_in_between_does_not_mix_shares(network, scenario):
    key, message = bind(network, scenario)
    before = network.machine.epochs.current.number
    # Two of its signers answer before the epoch ends, the third one after.
    early = {one.seat: network.boxes[one.seat].answer(key)[0] for one in slots_of(network, key)[:2]}
    for one in network.boxes.values():
        one.ask(messages.TURN, b"")
    network.settle()
    assert network.machine.epochs.current.number == before + 1
    answers = shares_of(network, key)
    assert {at: answers[at] for at in early} == early
    signed(network, scenario, key, message, answers)
    # What is bound from now on is signed with the new shares.
    later, text = bind(network, scenario, 6)
    signed(network, scenario, later, text, shares_of(network, later))


def test_a_start_in_between_loses_its_nonces_and_the_others_go_on(network, scenario):
    key, message = bind(network, scenario)
    gone = slots_of(network, key)[1].seat
    network.restart(gone)
    network.settle()
    answers = shares_of(network, key)
    assert (answers[gone].code, answers[gone].sealed) == ("NOT_HELD", b"")
    _, new = again(network, scenario, key, frozenset({gone}))
    signed(network, scenario, new, message, shares_of(network, new))


def test_a_generation_wipes_nonces_and_what_was_bound_to_them(network, scenario):
    key, _ = bind(network, scenario)
    network.recover()
    assert {one.code for one in shares_of(network, key).values()} <= {"NOT_HELD", "NOT_A_SIGNER"}
    later, message = bind(network, scenario, 6)
    signed(network, scenario, later, message, shares_of(network, later))


def test_without_nonces_requests_wait_in_their_order(network, scenario, monkeypatch):
    monkeypatch.setattr(stock, "MIN_LEFT", 0)
    network.mute = True
    keys = []
    while network.machine.nonces.choose() is not None:
        keys.append(bind(network, scenario, 1)[0])
    waiting = [bind(network, scenario, lamports) for lamports in (2, 3)]
    assert {find_record(network.state(), key).status for key, _ in waiting} == {"queued"}
    # A wallet of EVM chains does not wait behind them.
    monkeypatch.undo()
    network.mute = False
    for one in network.boxes.values():
        one.enclave.poll()
    network.settle()
    assert len(keys) >= stock.NONCE_BATCH_SIZE
    for key, message in waiting:
        assert find_record(network.state(), key).status == "bound"
        signed(network, scenario, key, message, shares_of(network, key))
    first, second = (slots_of(network, key) for key, _ in waiting)
    later = {one.seat: one.number for one in second}
    assert all(one.number < later.get(one.seat, one.number + 1) for one in first)


# -- what goes wrong


def test_a_commitment_that_is_no_point_is_told_to_the_ledger(network, scenario):
    # Seat 4 posts a batch of no points from now on.
    bad = network.boxes[4]

    def spoil(raw):
        if raw[0] == MESSAGE_TYPE:
            said = NodeMessage.decode(raw)
            if said.kind is Kind.NONCES:
                batch, content = fields_of(NumberedBody.decode(said.body))
                body = NumberedBody(batch, b"\x02" * len(content)).encode()
                key = bad.enclave.start.participant.session.signing
                raw = (
                    type(said)(said.network, said.generation, said.seat, said.kind, body)
                    .signed(key)
                    .encode()
                )
        network.said.append(raw)

    bad.send = spoil
    for _ in range(3 * stock.MIN_LEFT):
        key, _ = bind(network, scenario, 1)
        answers = network.answers[key]
        if any(one.code == "CHEATED" for one in answers.values()):
            break
    else:
        raise AssertionError("its bad commitments never serve")
    network.settle()
    cheats = network.machine.state.record.cheats
    assert {(one.seat, one.what) for one in cheats} == {(4, "committed to a nonce with no point")}
    later, message = bind(network, scenario, 1)
    assert 4 not in {one.seat for one in slots_of(network, later)}
    signed(network, scenario, later, message, shares_of(network, later))


def test_degree_signers_shares_make_no_signature(network, scenario):
    key, message = bind(network, scenario)
    slots = slots_of(network, key)
    root = network.machine.state.root(EDDSA)
    assert len(slots) == root.degree + 1
    with pytest.raises(Exception, match="signers"):
        frost.prepare(ED25519, root, 0, message, commitments_of(slots[:-1]))


def test_a_policy_and_a_method_of_other_chains_are_refused(network, scenario):
    document = canonical({"version": "1", "chain": "eip155:1", "rules": []})
    receipt = scenario.send(OWNER, "setPolicy", scenario.wallet, document, 1)
    assert receipt.error_code == "BAD_POLICY"
    assert "eip155:1" in receipt.error
    raw, key = network.request(scenario, b"\x02\xc0")
    network.send(raw)
    assert find_record(network.state(), key).status == "refused"
    receipt = scenario.send(OWNER, "createSolana", b"g" * 32, bytes(32))
    assert receipt.error_code == "BAD_RECOVERY"
    receipt = scenario.send(OWNER, "createSolana", b"f" * 32, bytes(RECOVERY))
    assert receipt.error_code == "WALLET_EXISTS"


def test_no_nonce_and_no_share_leaves_an_enclave(network, scenario):
    secrets = set()
    for one in network.boxes.values():
        participant = one.enclave.start.participant
        for nonces in participant.nonces._held.values():
            secrets |= {part.expose() for part in nonces._pair}
        secrets |= {
            share.secret.expose() for share in participant.shares_in(network.machine).values()
        }
    key, message = bind(network, scenario)
    answers = shares_of(network, key)
    signed(network, scenario, key, message, answers)
    seen = b"".join(one.sealed for one in answers.values())
    seen += b"".join(b"".join(one.out) for one in network.boxes.values())
    for path in network.folder.rglob("*"):
        seen += path.read_bytes() if path.is_file() else b""
    commitments = [slot.commitment.hiding for slot in slots_of(network, key)]
    assert all(one in seen for one in commitments)
    assert len(secrets) > 4 * 2 * stock.MIN_LEFT
    assert not [one for one in secrets if one in seen or one.hex().encode() in seen]
