"""No secret leaves: files, answers, logs, errors and events are searched for the keys."""

import base64
import json
from collections import Counter
from dataclasses import fields
from itertools import combinations
from pathlib import Path

import pytest

from keymoot.base.fixed import Bytes32, WalletId
from keymoot.base.secret import Secret
from keymoot.base.units import Height, Wei
from keymoot.committee.identity import EnclaveIdentity
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import MESSAGE_TYPE, Kind, NodeMessage
from keymoot.committee.participant import Participant, SessionSecrets
from keymoot.committee.reshare.epoch_keys import EpochKeys
from keymoot.committee.roots import DERIVE, ECDSA, ROOTS
from keymoot.committee.seat import SessionKeys
from keymoot.committee.statekey.ledger import STATE_KINDS
from keymoot.committee.statekey.member import StateKeyParticipant
from keymoot.committee.statekey.record import state_secret
from keymoot.committee.wallet_key import path_of
from keymoot.contracts.builtin.vault import Vault
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import address_of_secret
from keymoot.enclave.measurement import measure, own_package
from keymoot.enclave.sealed_state import SealedState, open_sealed_state
from keymoot.enclave.simulated import SimulatedPlatform, read_fuse
from keymoot.engine.folder import open_chain, stored_genesis
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.policy.errors import PolicyRefused
from keymoot.runtime.committee_pages import committee_in, version_of
from keymoot.store import keys as keys_module
from keymoot.store.confidential import ConfidentialStore
from keymoot.store.journal import Journal
from keymoot.store.keys import FIRST_NAME, StateKeys
from keymoot.store.meter import FreeMeter
from keymoot.threshold import derivation, derived
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.polynomial import interpolate
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.secp256k1 import SECP256K1
from tests.node.memory import held_in, memory_of
from tests.node.running import RECOVERY, Running, pay, running, wallet_with_agent
from tests.node.test_epochs import turn, until_seated

pytestmark = pytest.mark.long


def encodings(secret: bytes) -> list[bytes]:
    """Every form in which a careless program would write 32 bytes."""
    number = int.from_bytes(secret, "big")
    backwards = int.from_bytes(secret, "little")
    forms = [
        secret,
        secret[::-1],
        secret.hex().encode(),
        secret.hex().upper().encode(),
        secret[::-1].hex().encode(),
        base64.b64encode(secret).rstrip(b"="),
        base64.urlsafe_b64encode(secret).rstrip(b"="),
        str(number).encode(),
        str(backwards).encode(),
        json.dumps(list(secret)).encode(),
        repr(secret).encode(),
    ]
    # The middle of each, so that a cut or shifted copy is found too.
    return forms + [secret[4:28], secret.hex()[8:56].encode()]


def found_in(haystack: bytes, secrets: dict[str, bytes]) -> list[str]:
    return [
        name
        for name, secret in secrets.items()
        if any(one in haystack for one in encodings(secret))
    ]


def secrets_of(node: Running, wallet: bytes, vaulted: bytes) -> dict[str, bytes]:
    """Open the stopped node's secrets with its own fuse keys, as its enclaves do.

    Args:
        node: Stopped.
        wallet: A wallet whose key the committee keeps.
        vaulted: One whose key Vault keeps.
    """
    found: dict[str, bytes] = {}
    keeps = {}
    for seat in range(1, 5):
        fuse = read_fuse(node.config.fuse_of(seat), node.data)
        platform = SimulatedPlatform(fuse, measure(own_package()))
        keep = keeps[seat] = open_sealed_state(node.config.enclave_folder(seat), platform)
        found |= {
            f"fuse {seat}": fuse.expose(),
            f"sealing key {seat}": platform.sealing_key("keep").expose(),
        }
        for field in fields(keep):
            kept = getattr(keep, field.name)
            if isinstance(kept, Secret):
                found[f"{field.name} {seat}"] = kept.expose()
    assert all(f"identity {seat}" in found and f"epoch {seat}" in found for seat in keeps)
    assert len({keep.state.expose() for keep in keeps.values()}) == 1
    store = LmdbStore(node.data)
    genesis = stored_genesis(store)
    secret = keeps[1].state
    keys = StateKeys(secret, genesis.network)
    chain = open_chain(store, genesis)
    state = chain.state()
    now = keys.at(version_of(state))
    cells = ConfidentialStore(Journal(state), Vault.ADDRESS, now, None, FreeMeter())
    key = Vault.keys.get(cells, Bytes32(keccak256(Wallets.ADDRESS + vaulted)))
    machine = committee_in(state, genesis.network)
    participants = {seat: party_of(seat, keep) for seat, keep in keeps.items()}
    for seat, participant in participants.items():
        recover(participant, machine)
        for name, share in participant.shares.items():
            found[f"share of {name} {seat}"] = share.secret.expose()
    for kind in ROOTS:
        shares = {seat: one.shares[kind.name].secret for seat, one in participants.items()}
        root = interpolate(kind.group, shares)
        found[f"root {kind.name}"] = root.expose()
        if kind.name == DERIVE:
            found |= state_points(machine, root, shares)
        if kind.name == ECDSA:
            tweak = derivation.tweak(
                machine.state.root(ECDSA), genesis.network, path_of(WalletId(wallet))
            )
            child = kind.group.add_scalars((root, kind.group.hide(tweak)))
            found["wallet key"] = child.expose()
    chain.close()
    store.close()
    vault = now.contract_keys(Vault.ADDRESS)
    return found | {
        "vault key": bytes(key),
        "state secret": secret.expose(),
        "blinding key": vault.blind.expose(),
    }


def state_points(
    machine: CommitteeMachine, root: Secret, shares: dict[int, Secret]
) -> dict[str, bytes]:
    """Give what the ElGamal pairs on the ledger hide: the state key's point, and its parts."""
    state_key = machine.state_key
    point = derived.point_of(state_key.present.root, state_key.present.input)
    return {"state point": G1.encode(G1.multiply(root, point))} | {
        f"part {seat} of the state point": G1.encode(G1.multiply(share, point))
        for seat, share in shares.items()
    }


def said_of_state_key(node: Running) -> Counter[Kind]:
    """Count what the stopped node's blocks hold of messages about the state key."""
    store, said = LmdbStore(node.data), Counter[Kind]()
    chain = open_chain(store, stored_genesis(store))
    for height in range(1, chain.newest() + 1):
        for raw in chain.block(Height(height)).transactions:
            if raw[0] == MESSAGE_TYPE:
                said[NodeMessage.decode(raw).kind] += 1
    chain.close()
    store.close()
    return Counter({kind: said[kind] for kind in STATE_KINDS})


def party_of(seat: int, keep: SealedState) -> Participant:
    """Give a seat's mind with the keys that its disk holds; its keys of start are gone."""
    sealing = SECP256K1.scalar(b"7" * 32)
    session = SessionKeys(Bytes32(bytes(32)), SECP256K1.encode(SECP256K1.base(sealing)))
    keeper = StateKeyParticipant(seat, keep.identity, frozenset({FIRST_NAME}))
    identity = EnclaveIdentity(keep.identity, bytes)
    sessions = SessionSecrets(sealing, sealing, session)
    sealing_keys = EpochKeys(keep.epoch, keep.next, keep.previous, keep.recoveries)
    return Participant(seat, sealing_keys, sessions, identity, keeper)


def recover(participant: Participant, machine: CommitteeMachine) -> None:
    """Compute a seat's root shares from what is public and the keys on its disk."""
    for task in participant.recovery(machine):
        task.run(SeededRng(Secret(bytes(32))))
    participant.enter(machine)


def _files(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def _answers(node: Running, wallet: bytes, account: str, keys: list[str]) -> bytes:
    """Ask everything that anybody can ask."""
    network = node.network
    height = int(network.call("eth_blockNumber"), 16)
    collected = [network.call("keymoot_network"), network.call("web3_clientVersion")]
    collected.append(network.call("keymoot_assembly"))
    for method in ("keymoot_founding", "keymoot_committee", "keymoot_certified"):
        collected.append(network.call(method))
    collected.append(network.call("keymoot_wallet", "0x" + wallet.hex()))
    for number in range(1, height + 1):
        collected.append(network.call("eth_getBlockByNumber", hex(number), True))
        collected.append(network.call("eth_getBlockReceipts", hex(number)))
        collected.append(network.call("keymoot_certified", hex(number)))
    collected.append(network.call("eth_getLogs", {"fromBlock": "0x1", "toBlock": "latest"}))
    for contract in (Vault.ADDRESS.hex0x, Wallets.ADDRESS.hex0x, account):
        collected.append(network.call("eth_getProof", contract, [hex(n) for n in range(4)]))
    for key in keys:
        collected.append(network.nodes.line[0].get(f"/shares/{key}", 10))
        collected.append(network.call("keymoot_getRequest", key))
    for method in Wallets.METHODS.values():
        data = "0x" + (method.selector + bytes(wallet) + bytes(32 * 6)).hex()
        collected.append(_error(network, "eth_call", {"to": Wallets.ADDRESS.hex0x, "data": data}))
    for method in Vault.METHODS.values():
        data = "0x" + (method.selector + bytes(wallet) * 2).hex()
        collected.append(_error(network, "eth_call", {"to": Vault.ADDRESS.hex0x, "data": data}))
        collected.append(
            _error(network, "eth_estimateGas", {"to": Vault.ADDRESS.hex0x, "data": data})
        )
    for path in ("/metrics", "/"):
        import urllib.request

        with urllib.request.urlopen(node.url + path) as page:
            collected.append(page.read().decode())
    return json.dumps(collected).encode()


def _error(network, method: str, *params) -> object:
    try:
        return network.call(method, *params)
    except Exception as error:
        return [str(error), repr(error), repr(getattr(error, "data", None))]


def test_no_secret_leaves(tmp_path: Path) -> None:
    with running(tmp_path / "node", anew=True) as node:
        owner = node.owner()
        wallet, credential, account = wallet_with_agent(node, owner, limit=6)
        vaulted = owner.create("vaulted", RECOVERY, Wei(10**18), in_vault=True)
        signed = [account.sign_transaction(pay(n)) for n in range(4)]
        errors = []
        for wish in (pay(9, value=100), pay(10, value=10**9)):
            try:
                account.sign_transaction(wish)
            except PolicyRefused as error:
                errors.append(json.dumps(error.to_json()) + repr(error) + str(error))
        errors += [repr(account), str(account), repr(credential), repr(owner)]
        turn(node)
        signed.append(account.sign_transaction(pay(4)))
        derived = owner.derived_keys().derive(b"login")
        node.stop()
        node.start()
        signed.append(account.sign_transaction(pay(5)))
        until_seated(node)
        log = owner.log(wallet.wallet)
        requests = [
            keccak256(credential.requester + bytes.fromhex(one["requestId"][2:])).hex0x
            for one in log
        ]
        answers = _answers(node, wallet.wallet, wallet.account.hex0x, requests)
        server = memory_of(node.process.pid)
        enclaves = [memory_of(pid) for pid in node.enclaves()]
        assert node.stop() == 0
        places = {
            "data folder": _files(node.data),
            "log lines": node.log.read_bytes(),
            "answers": answers,
            "errors": "\n".join(errors).encode(),
            "signed transactions": b"".join(bytes(one.raw_transaction) for one in signed),
        }
        secrets = secrets_of(node, wallet.wallet, vaulted.wallet)
        secrets["derived key"] = derived.expose()
    # The search looks for the right things: all shares together make the wallet's key.
    assert address_of_secret(Secret(secrets["wallet key"])) == wallet.account
    assert address_of_secret(Secret(secrets["vault key"])) == vaulted.account
    assert len(secrets) > 40
    assert all(len(place) > 50 for place in places.values())
    # The state secret came over the ledger, in blocks that were searched, and is the root's key.
    assert said_of_state_key(node)[Kind.STATE_ANSWER] >= 12
    point = Secret(secrets["state point"])
    assert state_secret(point).expose() == secrets["state secret"]
    # One node's folder, opened with its own fuse key, does not hold the root; any two do.
    root = secrets["root ecdsa"]
    held = {seat: Secret(secrets[f"share of ecdsa {seat}"]) for seat in range(1, 5)}
    assert all(share.expose() != root for share in held.values())
    for pair in combinations(held, 2):
        assert interpolate(SECP256K1, {seat: held[seat] for seat in pair}).expose() == root
    leaks = {name: found_in(place, secrets) for name, place in places.items()}
    assert not any(leaks.values()), leaks
    # Nothing of it is in the server's memory, as root sees it. The same search finds what is
    # there, a request's name, and in each enclave's memory what that one has.
    assert held_in(server, secrets) == []
    assert held_in(server, {one: bytes.fromhex(one[2:]) for one in requests})
    state = {"state secret": secrets["state secret"]}
    assert [held_in(one, state) for one in enclaves] == [["state secret"]] * 4


def test_the_same_search_finds_the_key_where_sealing_is_a_double(
    tmp_path: Path, monkeypatch
) -> None:
    from demo.unsealed import NoSealer

    with running(tmp_path / "double", "demo.unsealed") as node:
        owner = node.owner()
        wallet = owner.create("test", RECOVERY, Wei(10**18), in_vault=True)
        node.stop()
        monkeypatch.setattr(keys_module, "Sealer", NoSealer)
        secrets = secrets_of(node, wallet.wallet, wallet.wallet)
        assert address_of_secret(Secret(secrets["vault key"])) == wallet.account
        assert found_in(_files(node.data), secrets) == ["vault key"]
