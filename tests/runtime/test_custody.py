"""Bind and release: what leads to a signature, and everything that must not."""

from dataclasses import replace

import pytest
from eth_account.messages import _hash_eip191_message, encode_defunct

from keymoot.base.contained import Unexecutable
from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.units import Wei
from keymoot.contracts.builtin.vault import NoSuchKey, Vault
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.errors import NotBound
from keymoot.contracts.framework.context import Context, Mode
from keymoot.contracts.framework.errors import KeyUseRefused
from keymoot.crypto.secp256k1 import recover
from keymoot.crypto.transactions import signing_hash
from keymoot.runtime.gas import GasMeter
from keymoot.runtime.machine import CallMachine
from keymoot.runtime.release import release
from keymoot.store.journal import Journal
from keymoot.store.keys import FIRST_NAME, Version
from keymoot.store.state import State
from keymoot.store.table import MemoryTable, RecordingTable
from keymoot.store.trie import BrokenState
from tests.runtime.people import (
    AGENT,
    OWNER,
    RECOVERY,
    STRANGER,
    VAULT,
    Scenario,
    calldata,
    payment,
    policy,
)


def answer(scenario: Scenario, key: Hash32, seconds: int = 0):
    chain = scenario.chain
    now = chain.block.time + seconds
    return release(chain.state(), chain.block, chain.contracts, chain.keys, key, now)


def test_a_bound_request_is_signed_by_the_wallet() -> None:
    scenario = Scenario().ready()
    receipt, key = scenario.ask(payment(100))
    assert (receipt.status, receipt.error) == (1, "")
    done = answer(scenario, key)
    assert done.record.digest == signing_hash(payment(100))
    assert recover(done.record.digest, done.signature) == scenario.account == done.account


def test_a_refused_request_is_never_signed() -> None:
    scenario = Scenario().ready()
    receipt, key = scenario.ask(payment(501))
    assert (receipt.status, receipt.error_code) == (0, "LIMIT_EXCEEDED")
    with pytest.raises(NotBound, match="refused"):
        answer(scenario, key)


def test_a_text_that_a_rule_names_is_signed_and_replaces_nothing() -> None:
    scenario = Scenario().ready()
    text = {
        "id": "login",
        "action": "ALLOW",
        "method": "personal_sign",
        "prefix": "app.example wants you to sign in:",
    }
    document = policy()
    document["rules"].append(text)
    document["limits"].append(
        {"id": "rate", "meter": "count", "max": "2", "window": "1h", "kind": "rolling"}
    )
    scenario.rule(document)
    codes = []
    for _ in range(3):
        raw, key = scenario.request(text["prefix"].encode() + b" 1", method="personal_sign")
        codes.append(scenario.chain.send(raw).error_code)
        if not codes[-1]:
            released = answer(scenario, key)
            message = encode_defunct(text=text["prefix"] + " 1")
            digest = Hash32(_hash_eip191_message(message))
            assert recover(digest, released.signature) == scenario.account
    assert codes == ["", "", "LIMIT_EXCEEDED"]


def test_release_stops_with_expiry_pause_and_revocation() -> None:
    scenario = Scenario().ready()
    _, key = scenario.ask(payment(1))
    with pytest.raises(NotBound, match="expired"):
        answer(scenario, key, seconds=301)
    answer(scenario, key, seconds=200)
    scenario.send(OWNER, "pause", scenario.wallet)
    with pytest.raises(NotBound, match="paused"):
        answer(scenario, key)
    scenario.send(OWNER, "resume", scenario.wallet)
    answer(scenario, key)
    scenario.send(OWNER, "revoke", scenario.wallet, AGENT.address)
    with pytest.raises(NotBound, match="revoked"):
        answer(scenario, key)


def test_an_expired_credential_releases_nothing() -> None:
    scenario = Scenario().ready()
    scenario.send(OWNER, "grant", scenario.wallet, AGENT.address, scenario.chain.block.time + 20)
    _, key = scenario.ask(payment(1))
    with pytest.raises(NotBound, match="credential"):
        answer(scenario, key, seconds=60)


def test_every_altered_part_of_what_a_release_reads_is_refused() -> None:
    scenario = Scenario().ready()
    _, key = scenario.ask(payment(1))
    chain = scenario.chain
    surroundings = (chain.block, chain.contracts, chain.keys, key, chain.block.time)
    recording = RecordingTable(chain.table)
    release(State(recording, chain.root), *surroundings)
    read = recording.seen

    def released_on(table: dict[bytes, bytes], root: Hash32 = chain.root) -> None:
        release(State(MemoryTable(table), root), *surroundings)

    released_on(read)
    assert len(read) >= 8
    for entry, content in read.items():
        for at in (0, len(content) // 2, len(content) - 1):
            broken = bytearray(content)
            broken[at] ^= 1
            with pytest.raises(BrokenState):
                released_on(read | {entry: bytes(broken)})
        with pytest.raises(BrokenState):
            released_on({one: value for one, value in read.items() if one != entry})
    with pytest.raises(BrokenState):
        released_on(read, Hash32(b"\x07" * 32))


def test_a_fault_of_the_sealer_is_no_signature() -> None:
    scenario = Scenario().ready()
    _, key = scenario.ask(payment(1))
    chain = scenario.chain

    class Blind:
        def __getattr__(self, name: str):
            raise AssertionError(f"the sealer was used: {name}")

    chain.keys._sealers[FIRST_NAME, Vault.ADDRESS] = Blind()
    with pytest.raises(Unexecutable) as met:
        answer(scenario, key)
    assert "the sealer was used" in str(met.value.__cause__)


def _vault_in(scenario: Scenario, mode: Mode, sender) -> bytes:
    chain = scenario.chain
    machine = CallMachine(
        Journal(chain.state()),
        chain.block,
        chain.contracts.at(chain.block.height),
        chain.keys.at(Version()),
        mode,
        GasMeter(10**7),
    )
    ctx = Context(machine, Vault.ADDRESS, sender)
    return Vault().sign(ctx, Bytes32(scenario.wallet), Hash32(b"d" * 32))


def test_a_wallets_key_answers_to_wallets_alone() -> None:
    scenario = Scenario().ready()
    assert recover(Hash32(b"d" * 32), _vault_in(scenario, Mode.RELEASE, Wallets.ADDRESS))
    for sender in (OWNER.address, AGENT.address, STRANGER.address, Vault.ADDRESS):
        with pytest.raises(NoSuchKey):
            _vault_in(scenario, Mode.RELEASE, sender)
    for mode in (Mode.EXECUTE, Mode.QUERY):
        with pytest.raises(KeyUseRefused):
            _vault_in(scenario, mode, Wallets.ADDRESS)


def test_vault_has_no_way_out_for_keys() -> None:
    names = {method.name for method in Vault.METHODS.values()}
    assert names == {"birth", "accountOf"}
    scenario = Scenario().ready()
    for data in (b"", b"\x12\x34\x56\x78", calldata(Vault, "birth", b"x" * 32)):
        with pytest.raises(KeymootError):
            scenario.chain.ask(Vault.ADDRESS, data)
    born = scenario.send(STRANGER, "birth", bytes(scenario.wallet), contract=Vault)
    assert born.status == 1
    assert born.output[-20:] != scenario.account  # a name of one's own, not the wallet's key
    again = scenario.send(STRANGER, "birth", bytes(scenario.wallet), contract=Vault)
    assert (again.status, again.error_code) == (0, "KEY_EXISTS")


def test_an_owner_withdraws_only_to_recovery_and_even_while_paused() -> None:
    scenario = Scenario().ready()
    scenario.send(OWNER, "pause", scenario.wallet)
    until = scenario.chain.block.time + 300

    def withdraw(transaction, who=OWNER, name=b"w" * 32, max_fee=0):
        raw = transaction.unsigned_bytes()
        arguments = (scenario.wallet, raw, name, until, b"r" * 32, 0, max_fee)
        return scenario.send(who, "withdraw", *arguments)

    theft = withdraw(payment(5, to=VAULT))
    assert (theft.status, theft.error_code) == (0, "NOT_A_WITHDRAWAL")
    assert withdraw(payment(5, to=RECOVERY), who=AGENT).error_code == "NOT_OWNER"
    done = withdraw(payment(5, to=RECOVERY))
    assert done.status == 1, done.error
    released = answer(scenario, Hash32(done.output))
    assert recover(released.record.digest, released.signature) == scenario.account
    dear = replace(payment(5, to=RECOVERY), max_fee=Wei(10**15))
    assert withdraw(dear, name=b"x" * 32).error_code == "NOT_A_WITHDRAWAL"
    assert withdraw(dear, name=b"x" * 32, max_fee=21 * 10**18).status == 1
    other = withdraw(payment(6, to=RECOVERY))
    assert (other.status, other.error_code) == (0, "REQUEST_REUSED")
