"""The state secret between enclave, node and ledger: sealed first, handed over next, then said."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from eth_abi.abi import decode

from keymoot.base.errors import Defect
from keymoot.base.fixed import Address, Bytes32, Hash32, Signature65, WalletId
from keymoot.base.secret import Secret
from keymoot.base.units import UnixSeconds
from keymoot.contracts.context import Context, Mode
from keymoot.contracts.vault import Vault
from keymoot.crypto.secp256k1 import recover
from keymoot.enclave import messages
from keymoot.enclave.answer import Answer
from keymoot.enclave.keep import open_keep
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.roots import DERIVE
from keymoot.moot.statekey import state_input, state_secret
from keymoot.runtime.gas import GasMeter
from keymoot.runtime.machine import Machine
from keymoot.runtime.release import gather
from keymoot.store.errors import NoStateKeys, StateKeyAwaited
from keymoot.store.journal import Journal
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.polynomial import interpolate
from tests.enclave.parliament import Parliament
from tests.enclave.test_cosigning import refused
from tests.runtime.people import OWNER, RECOVERY, STRANGER, payment


@dataclass
class Ear(list[bytes]):
    """What enclaves say; it looks at each message, and may keep some back."""

    back: list[bytes] = field(default_factory=list)
    keeps: Callable[[NodeMessage], bool] = lambda _: False
    looks: Callable[[NodeMessage], None] = lambda _: None

    def append(self, raw: bytes) -> None:
        message = NodeMessage.decode(raw)
        self.looks(message)
        (self.back if self.keeps(message) else super()).append(raw)


def sealed(parliament: Parliament, seat: int) -> bytes | None:
    """What is in a seat's keep on its disk."""
    one = parliament.delegates[seat]
    state = open_keep(one.folder, one.platform).state
    return None if state is None else state.expose()


def by_algebra(parliament: Parliament) -> bytes:
    """The state secret from all shares of the root, as only a test computes it."""
    shares = {
        at: one.room.member.party.shares[DERIVE].secret for at, one in parliament.delegates.items()
    }
    root = parliament.assembly.hall.root(DERIVE)
    point = derived.point_of(root, state_input(parliament.genesis.network, 0))
    return state_secret(Secret(G1.encode(G1.multiply(interpolate(G2, shares), point)))).expose()


def without_secret(parliament: Parliament, seat: int) -> None:
    """Take the state secret out of a seat's keep."""
    keep = parliament.delegates[seat].room.keep
    keep.put(replace(keep.now, state=None))


@pytest.fixture
def waiting(tmp_path: Path, small_batches: None):
    """An assembly with keys and stock, in which nobody has asked for the state secret yet."""
    ear = Ear(keeps=lambda message: message.kind is Kind.STATE_ASK)
    made = Parliament(tmp_path, said=ear)
    yield made
    made.close()


def hand_out(parliament: Parliament) -> None:
    ear = parliament.said
    ear.keeps = lambda _: False
    ear.extend(ear.back)
    parliament.settle()


def test_all_enclaves_seal_the_same_secret_and_the_node_has_it(parliament):
    secret = by_algebra(parliament)
    assert [sealed(parliament, seat) for seat in parliament.delegates] == [secret] * 4
    assert parliament.keys.held
    assert parliament.keys._secret.expose() == secret
    assert parliament.assembly.handout.standing.exists


def test_it_is_sealed_and_handed_over_before_the_ledger_hears_of_it(tmp_path, small_batches):
    seen = []
    ear = Ear()
    taken = []

    class Listening(Parliament):
        def take(self, secret: Secret) -> None:
            taken.append(secret.expose())
            super().take(secret)

    def look(message):
        if message.kind is Kind.STATE_HELD:
            # Each seat's own secret has come by then, not only somebody's.
            seen.append((message.seat, len(taken), sealed(made, message.seat)))

    ear.looks = look
    made = object.__new__(Listening)
    Listening.__init__(made, tmp_path, said=ear)
    assert sorted(seat for seat, _, _ in seen) == [1, 2, 3, 4]
    assert all(count >= place for place, (_, count, _) in enumerate(seen, 1))
    assert all(content == taken[0] for _, _, content in seen)
    made.close()


def test_before_it_exists_confidential_state_is_refused_and_nothing_changes(waiting):
    play = waiting.play()
    assert not waiting.assembly.handout.standing.exists
    before = waiting.ledger.state().account(Vault.ADDRESS)
    made = play.send(OWNER, "createInVault", b"v" * 32, RECOVERY, value=10**18)
    assert (made.status, made.error_code) == (0, "STATE_KEY_AWAITED")
    assert made.logs == ()
    assert waiting.ledger.state().account(Vault.ADDRESS) == before
    born = play.send(STRANGER, "birth", b"n" * 32, contract=Vault)
    assert (born.status, born.error_code) == (0, "STATE_KEY_AWAITED")
    assert waiting.ledger.state().account(Vault.ADDRESS) == before
    hand_out(waiting)
    assert waiting.assembly.handout.standing.exists
    made = play.send(OWNER, "createInVault", b"v" * 32, RECOVERY, value=10**18)
    assert made.status == 1, made
    born = play.send(STRANGER, "birth", b"n" * 32, contract=Vault)
    assert born.status == 1, born


def test_a_node_that_has_it_early_refuses_all_the_same(waiting):
    """Replicas get it at different times; what they do depends on the ledger alone."""
    play = waiting.play()
    waiting.keys.take(Secret(b"e" * 32))
    made = play.send(OWNER, "createInVault", b"v" * 32, RECOVERY, value=10**18)
    assert made.error_code == "STATE_KEY_AWAITED"


def test_a_replica_that_lacks_it_stops_and_does_not_fork(tmp_path, small_batches):
    class Deaf(Parliament):
        def take(self, secret: Secret) -> None:
            pass

    deaf = Deaf(tmp_path)
    play = deaf.play()
    assert deaf.assembly.handout.standing.exists
    height = deaf.engine.app.committed.height
    with pytest.raises(Defect, match="it is not here"):
        play.send(OWNER, "createInVault", b"v" * 32, RECOVERY, value=10**18)
    assert deaf.engine.app.committed.height == height
    deaf.close()


def confidential_query(parliament: Parliament) -> bytes:
    app = parliament.engine.app
    block = parliament.ledger.block_environment()
    journal = Journal(parliament.ledger.state())
    machine = Machine(journal, block, app.contracts, app.keys, Mode.QUERY, GasMeter(10**6))
    ctx = Context(machine, Vault.ADDRESS, None)
    return Vault.keys.get(ctx.confidential_store(), Bytes32(b"q" * 32))


def test_queries_and_releases_are_refused_too(waiting):
    play = waiting.play()
    with pytest.raises(StateKeyAwaited):
        confidential_query(waiting)
    for one in waiting.delegates.values():
        with refused("NO_STATE_KEYS"):
            released(waiting, one, Hash32(b"u" * 32))
    hand_out(waiting)
    assert confidential_query(waiting) is None
    waiting.keys._secret = None
    with pytest.raises(NoStateKeys):
        confidential_query(waiting)
    assert play.wallet


def released(parliament: Parliament, one, key: Hash32) -> Answer:
    """Have one enclave answer a request in Vault's custody."""
    provable = parliament.engine.provable
    header, app = provable.signed.header, parliament.engine.app
    block = replace(
        app.committed.block, height=header.height, time=UnixSeconds(header.time // 10**9)
    )
    if app.keys.held:
        root = Hash32(header.app_hash)
        witness, _ = gather(
            provable.table, root, block, app.contracts, app.keys, [key], parliament.ledger.now()
        )
    else:
        witness = {}
    item = messages.release_item(provable.signed, witness, [key])
    return messages.read_answers(one.ask(messages.RELEASE, item))[0]


def vaulted(parliament: Parliament):
    play = parliament.play()
    receipt = play.send(OWNER, "createInVault", b"v" * 32, RECOVERY, value=10**18)
    assert receipt.status == 1, receipt
    wallet, account = decode(["bytes32", "address"], receipt.output)
    play.wallet, play.account = WalletId(wallet), Address.from_hex(account)
    return play.ready(10**6)


def test_any_enclave_signs_with_a_key_of_vault(parliament):
    play = vaulted(parliament)
    raw, key = parliament.request(play, payment(5).unsigned_bytes())
    assert parliament.send(raw).status == 1
    found = set()
    for one in parliament.delegates.values():
        answer = released(parliament, one, key)
        digest, signature = parliament.opened(key, answer)
        found.add(signature)
        assert recover(Hash32(digest), Signature65(signature)) == play.account
    assert len(found) == 1
    # One that lost the secret says so, until it has it again.
    without_secret(parliament, 2)
    parliament.mute = True
    parliament.restart(2)
    with refused("NO_STATE_KEYS"):
        released(parliament, parliament.delegates[2], key)
    parliament.mute = False
    parliament.settle()
    assert released(parliament, parliament.delegates[2], key).code == ""


def asks_on_ledger(parliament: Parliament) -> int:
    return parliament.assembly.handout.standing.asks


def test_a_start_that_has_it_sealed_does_not_ask(parliament):
    asks = asks_on_ledger(parliament)
    parliament.restart(2)
    parliament.settle()
    parliament.recover()
    assert asks_on_ledger(parliament) == asks
    assert parliament.assembly.handout.standing.holders == {1, 2, 3, 4}


def test_a_keep_without_it_asks_and_seals_the_same(parliament):
    before = by_algebra(parliament)
    without_secret(parliament, 3)
    assert sealed(parliament, 3) is None
    parliament.restart(3)
    parliament.settle()
    assert sealed(parliament, 3) == before
    assert parliament.assembly.handout.standing.holders == {1, 2, 3, 4}


def test_a_start_that_had_sealed_it_but_not_said_so_says_so(tmp_path, small_batches):
    ear = Ear(keeps=lambda message: message.kind is Kind.STATE_HELD and message.seat == 3)
    made = Parliament(tmp_path, said=ear)
    assert made.assembly.handout.standing.holders == {1, 2, 4}
    assert sealed(made, 3) is not None
    asks = asks_on_ledger(made)
    ear.keeps = lambda _: False
    made.restart(3)
    made.settle()
    assert made.assembly.handout.standing.holders == {1, 2, 3, 4}
    assert made.assembly.handout.asks() == {}
    assert asks_on_ledger(made) == asks
    made.close()
