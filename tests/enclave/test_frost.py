"""Ed25519 wallets inside the enclaves: nonces bound to a block, each used once, or never."""

import pytest
from eth_abi.abi import decode
from nacl.signing import VerifyKey

from keymoot.base.fixed import Bytes32, SolanaAddress, WalletId
from keymoot.base.request import ASK_AGAIN, SIGN_SOLANA_TRANSACTION
from keymoot.base.strict_json import canonical
from keymoot.contracts.wallet_events import RequestBound
from keymoot.contracts.wallets import Wallets
from keymoot.enclave import messages
from keymoot.moot import commitments as stock
from keymoot.moot.body import read_numbered, write_numbered
from keymoot.moot.message import MESSAGE_TYPE, Kind, NodeMessage
from keymoot.moot.roots import EDDSA
from keymoot.moot.slot import Slot, commitments_of, read_slots, write_seats, write_slots
from keymoot.runtime.receipt import Log
from keymoot.runtime.release import find_record
from keymoot.threshold import frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.edwards25519 import EDWARDS25519
from tests.enclave.parliament import Parliament, Shown
from tests.enclave.test_cosigning import refused, shares_of
from tests.node.solana import RECOVERY, payment, policy
from tests.runtime.people import OWNER, STRANGER, Play


@pytest.fixture
def play(parliament: Parliament) -> Play:
    """An owner with a wallet on Solana, and an agent that may pay from it."""
    made = parliament.play()
    receipt = made.send(OWNER, "createSolana", b"f" * 32, Bytes32(RECOVERY), value=10**20)
    assert receipt.status == 1, receipt.error
    wallet, account = decode(["bytes32", "bytes32"], receipt.output)
    made.wallet, made.account = WalletId(wallet), SolanaAddress(account)
    document = canonical(policy())
    assert made.send(OWNER, "setPolicy", made.wallet, document, 0).status == 1
    assert made.grant().status == 1
    return made


def bind(parliament, play, lamports=5):
    """Have a payment bound in a final block; give its name and what is signed."""
    message = bytes(payment(play.account, lamports))
    raw, key = parliament.request(play, message, SIGN_SOLANA_TRANSACTION)
    receipt = parliament.send(raw)
    assert receipt.status == 1, receipt.error
    return key, message


def again(parliament, play, key, silent=frozenset()):
    payload = key + (write_seats(silent) if silent else b"")
    raw, new = parliament.request(play, payload, ASK_AGAIN)
    receipt = parliament.send(raw)
    return receipt, new


def slots_of(parliament, key):
    return read_slots(find_record(parliament.ledger.state(), key).bound_to)


def signed(parliament, play, key, message, answers):
    """Add the signers' shares, as a requester does; a library that knows no FROST verifies."""
    found = {at: parliament.opened(key, one) for at, one in answers.items() if one.sealed}
    assert found.keys() == {one.seat for one in slots_of(parliament, key)}
    assert len({(one[1], one[2]) for one in found.values()}) == 1
    nonce, public = next(iter(found.values()))[1:3]
    assert public == play.account
    total = sum(EDWARDS25519.decode_scalar(one[3]) for one in found.values())
    signature = nonce + EDWARDS25519.encode_scalar(total % EDWARDS25519.ORDER)
    VerifyKey(bytes(play.account)).verify(message, signature)
    return signature


def test_the_named_signers_sign_and_the_same_answer_comes_again(parliament, play):
    key, message = bind(parliament, play)
    answers = shares_of(parliament, key)
    other = ({1, 2, 3, 4} - {one.seat for one in slots_of(parliament, key)}).pop()
    assert answers[other].code == "NOT_A_SIGNER"
    signed(parliament, play, key, message, answers)
    assert shares_of(parliament, key) == answers


def test_no_share_without_the_beacon_of_that_very_height(parliament, play):
    first, message = bind(parliament, play)
    second, _ = bind(parliament, play, 6)
    other = parliament.beacon(parliament.height_of(second))
    for one in slots_of(parliament, first):
        answer = parliament.delegates[one.seat].cosign(first, other)
        assert (answer.code, answer.sealed) == ("BAD_BEACON", b"")
    signed(parliament, play, first, message, shares_of(parliament, first))


def test_asked_again_other_nonces_serve_and_the_silent_are_left_out(parliament, play):
    key, message = bind(parliament, play)
    one = slots_of(parliament, key)[0].seat
    receipt, new = again(parliament, play, key, frozenset({one}))
    assert receipt.status == 1
    assert one not in {slot.seat for slot in slots_of(parliament, new)}
    used = {(slot.seat, slot.number) for slot in slots_of(parliament, key)}
    assert not used & {(slot.seat, slot.number) for slot in slots_of(parliament, new)}
    first = signed(parliament, play, key, message, shares_of(parliament, key))
    second = signed(parliament, play, new, message, shares_of(parliament, new))
    assert first[:32] != second[:32]
    # Again of again signs the first one's message.
    receipt, third = again(parliament, play, new)
    assert receipt.status == 1
    signed(parliament, play, third, message, shares_of(parliament, third))


@pytest.mark.parametrize("payload", [b"", b"k" * 31, b"k" * 39, b"k" * 41])
def test_to_ask_again_one_names_a_request(parliament, play, payload):
    raw, _ = parliament.request(play, payload, ASK_AGAIN)
    assert parliament.send(raw).error_code == "NOT_BOUND"


def test_nobody_asks_again_for_anothers_request(parliament, play):
    key, _ = bind(parliament, play)
    assert play.grant(STRANGER).status == 1
    raw, _ = parliament.request(play, key, ASK_AGAIN, who=STRANGER)
    receipt = parliament.send(raw)
    assert (receipt.status, receipt.error_code) == (0, "NOT_BOUND")


def test_an_epoch_that_begins_in_between_does_not_mix_shares(parliament, play):
    key, message = bind(parliament, play)
    before = parliament.assembly.turning.epoch.number
    # Two of its signers answer before the epoch ends, the third one after.
    early = {
        one.seat: parliament.delegates[one.seat].cosign(
            key, parliament.beacon(parliament.height_of(key))
        )
        for one in slots_of(parliament, key)[:2]
    }
    for one in parliament.delegates.values():
        one.ask(messages.TURN, b"")
    parliament.settle()
    assert parliament.assembly.turning.epoch.number == before + 1
    answers = shares_of(parliament, key)
    assert {at: answers[at] for at in early} == early
    signed(parliament, play, key, message, answers)
    # What is bound from now on is signed with the new shares.
    later, text = bind(parliament, play, 6)
    signed(parliament, play, later, text, shares_of(parliament, later))


def test_a_start_in_between_loses_its_nonces_and_the_others_go_on(parliament, play):
    key, message = bind(parliament, play)
    gone = slots_of(parliament, key)[1].seat
    parliament.restart(gone)
    parliament.settle()
    answers = shares_of(parliament, key)
    assert (answers[gone].code, answers[gone].sealed) == ("NOT_HELD", b"")
    _, new = again(parliament, play, key, frozenset({gone}))
    signed(parliament, play, new, message, shares_of(parliament, new))


def test_a_generation_wipes_nonces_and_what_was_bound_to_them(parliament, play):
    key, _ = bind(parliament, play)
    parliament.recover()
    assert {one.code for one in shares_of(parliament, key).values()} <= {"NOT_HELD", "NOT_A_SIGNER"}
    later, message = bind(parliament, play, 6)
    signed(parliament, play, later, message, shares_of(parliament, later))


def test_without_nonces_requests_wait_in_their_order(parliament, play, monkeypatch):
    monkeypatch.setattr(stock, "MIN_LEFT", 0)
    parliament.mute = True
    keys = []
    while parliament.assembly.commitments.choose() is not None:
        keys.append(bind(parliament, play, 1)[0])
    waiting = [bind(parliament, play, lamports) for lamports in (2, 3)]
    assert {find_record(parliament.ledger.state(), key).status for key, _ in waiting} == {"queued"}
    # A wallet of EVM chains does not wait behind them.
    monkeypatch.undo()
    parliament.mute = False
    for one in parliament.delegates.values():
        one.room.look()
    parliament.settle()
    assert len(keys) >= stock.SHEAF_SIZE
    for key, message in waiting:
        assert find_record(parliament.ledger.state(), key).status == "bound"
        signed(parliament, play, key, message, shares_of(parliament, key))
    first, second = (slots_of(parliament, key) for key, _ in waiting)
    later = {one.seat: one.number for one in second}
    assert all(one.number < later.get(one.seat, one.number + 1) for one in first)


# -- servers that lie


def retold(block: Shown, change) -> Shown:
    """Give a block whose bound request is told otherwise."""
    receipts = []
    for receipt in block.receipts:
        logs = []
        for log in receipt.logs:
            if log.address == Wallets.ADDRESS and log.topics[0] == RequestBound.topic():
                found = RequestBound.read(log.topics, log.data)
                topics, data = RequestBound(**(found | change(found))).log()
                log = Log(log.address, topics, data)  # noqa: PLW2901
            logs.append(log)
        receipts.append(type(receipt)(**{**_fields(receipt), "logs": tuple(logs)}))
    return Shown(block.signed, block.transactions, tuple(receipts))


def _fields(receipt):
    return {name: getattr(receipt, name) for name in receipt.__slots__}


def test_an_enclave_that_is_told_of_another_message_gives_no_share(parliament, play):
    parliament.withheld = {1}
    one = parliament.delegates[1]
    key, _ = bind(parliament, play)
    height = parliament.height_of(key)
    evil = bytes(payment(play.account, 10**9))
    while one.next <= height:
        block = parliament.shown[one.next]
        block = retold(block, lambda _: {"message": evil}) if one.next == height else block
        one.next = type(one.next)(one.next + 1)
        one.follow(block.signed, block.transactions, block.receipts)
    answer = one.cosign(key, parliament.beacon(height, {2, 3, 4}))
    assert (answer.code, answer.sealed) == ("BAD_BEACON", b"")


@pytest.mark.parametrize(
    "change",
    [
        lambda slots: slots[:2],
        lambda slots: [Slot(slots[0].seat, slots[0].number + 1, slots[0].commitment), *slots[1:]],
        lambda slots: [Slot(slots[0].seat, slots[0].number, slots[1].commitment), *slots[1:]],
    ],
)
def test_an_enclave_that_is_told_of_other_signers_stops_following(parliament, play, change):
    parliament.withheld = {1}
    one = parliament.delegates[1]
    key, _ = bind(parliament, play)
    height = parliament.height_of(key)
    while one.next < height:
        block = parliament.shown[one.next]
        one.next = type(one.next)(one.next + 1)
        one.follow(block.signed, block.transactions, block.receipts)

    def other(found):
        return {"bound_to": write_slots(change(list(read_slots(found["bound_to"]))))}

    block = retold(parliament.shown[height], other)
    with refused("DIVERGED"):
        one.follow(block.signed, block.transactions, block.receipts)


def test_a_commitment_that_is_no_point_is_told_to_the_ledger(parliament, play):
    # Seat 4 posts a sheaf of no points from now on.
    bad = parliament.delegates[4]

    def spoil(raw):
        if raw[0] == MESSAGE_TYPE:
            said = NodeMessage.decode(raw)
            if said.kind is Kind.NONCES:
                sheaf, content = read_numbered(said.body)
                body = write_numbered(sheaf, b"\x02" * len(content))
                key = bad.room._boot.signing
                raw = (
                    type(said)(said.network, said.generation, said.seat, said.kind, body)
                    .signed(key)
                    .encode()
                )
        parliament.said.append(raw)

    bad.room.member._say = spoil
    for _ in range(3 * stock.MIN_LEFT):
        key, _ = bind(parliament, play, 1)
        answers = shares_of(parliament, key)
        if any(one.code == "CHEATED" for one in answers.values()):
            break
    else:
        raise AssertionError("its bad commitments never serve")
    parliament.settle()
    cheats = parliament.assembly.hall.head.cheats
    assert {(one.seat, one.what) for one in cheats} == {(4, "committed to a nonce with no point")}
    later, message = bind(parliament, play, 1)
    assert 4 not in {one.seat for one in slots_of(parliament, later)}
    signed(parliament, play, later, message, shares_of(parliament, later))


def test_degree_signers_shares_make_no_signature(parliament, play):
    key, message = bind(parliament, play)
    slots = slots_of(parliament, key)
    root = parliament.assembly.hall.root(EDDSA)
    assert len(slots) == root.degree + 1
    with pytest.raises(Exception, match="signers"):
        frost.prepare(ED25519, root, 0, message, commitments_of(slots[:-1]))


def test_a_policy_and_a_method_of_other_chains_are_refused(parliament, play):
    document = canonical({"version": "1", "chain": "eip155:1", "rules": []})
    receipt = play.send(OWNER, "setPolicy", play.wallet, document, 1)
    assert receipt.error_code == "BAD_POLICY"
    assert "eip155:1" in receipt.error
    raw, key = parliament.request(play, b"\x02\xc0")
    parliament.send(raw)
    assert find_record(parliament.ledger.state(), key).status == "refused"
    receipt = play.send(OWNER, "createSolana", b"g" * 32, bytes(32))
    assert receipt.error_code == "BAD_RECOVERY"
    receipt = play.send(OWNER, "createSolana", b"f" * 32, bytes(RECOVERY))
    assert receipt.error_code == "WALLET_EXISTS"


def test_no_nonce_and_no_share_leaves_an_enclave(parliament, play):
    secrets = set()
    for one in parliament.delegates.values():
        party = one.room.member.party
        for nonces in party.committer._held.values():
            secrets |= {part.expose() for part in nonces._pair}
        secrets |= {share.secret.expose() for share in party.shares.values()}
    key, message = bind(parliament, play)
    answers = shares_of(parliament, key)
    signed(parliament, play, key, message, answers)
    seen = b"".join(one.sealed for one in answers.values())
    seen += b"".join(raw for one in parliament.shown.values() for raw in one.transactions)
    for path in parliament.folder.rglob("*"):
        seen += path.read_bytes() if path.is_file() else b""
    commitments = [slot.commitment.hiding for slot in slots_of(parliament, key)]
    assert all(one in seen for one in commitments)
    assert len(secrets) > 4 * 2 * stock.MIN_LEFT
    assert not [one for one in secrets if one in seen or one.hex().encode() in seen]
