"""The published vectors.

Written again to the same bytes, obeyed by us, agreed on by others' code.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
import rlp
from eth_hash.auto import keccak
from trie import HexaryTrie

from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.proof.chain import Shown
from keymoot.proof.dossier import Dossier
from keymoot.proof.founding import Anchor, Founding
from keymoot.proof.receipt import ReceiptProof
from keymoot.proof.state import AccountProof
from keymoot.store.account import AccountState
from tests.ecosystem.light_client import LightClient, Untrue
from tests.proof.vectors import FILES, FOLDER, text_of

NOT_ITS_RULE = "signed as it is"
"""Ends the descriptions of headers whose RLP the other client does not hold to be canonical."""


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def cases(name: str) -> list[Any]:
    found = json.loads((FOLDER / f"{name}.json").read_text())
    assert isinstance(found, list)
    return found


def all_cases() -> list[Any]:
    return [
        pytest.param(name, one, id=f"{name}: {one['description']}")
        for name in FILES
        for one in cases(name)
    ]


def anchor(told: Any) -> Anchor:
    return Anchor(NetworkId(raw(told["network"])), raw(told["verifyingKey"]))


def read_certified(told: Any) -> Any:
    shown = Shown.from_json({"header": told["header"], "certificate": told["certificate"]})
    shown.check(anchor(told))
    return {"height": shown.header.height, "hash": shown.header.hash.hex0x}


def read_founding(told: Any) -> Any:
    founded = Founding.from_json(told["founding"]).check(NetworkId(raw(told["network"]))).anchor
    assert founded.founded is not None
    height, block = founded.founded
    key = "0x" + founded.verifying_key.hex()
    return {"verifyingKey": key, "height": height, "block": block.hex0x}


def read_account(told: Any) -> Any:
    found = AccountProof.from_json(told["proof"]).check(Hash32(raw(told["stateRoot"])))
    slots = {at.hex0x: "0x" + one.hex() for at, one in found.slots.items()}
    return {"storageHash": found.account.storage_root.hex0x, "slots": slots}


def read_receipt(told: Any) -> Any:
    proof = ReceiptProof.from_json(told["receipt"])
    proof.shown.check(anchor(told))
    found = proof.check(proof.shown.header)
    return {
        "block": found.header.hash.hex0x,
        "transaction": "0x" + found.transaction.hex(),
        "status": found.status,
        "cumulativeGas": found.cumulative_gas,
        "logs": len(found.logs),
    }


def read_file(told: Any) -> Any:
    dossier = Dossier.from_json(told["file"])
    return [one.name for one in dossier.examine(NetworkId(raw(told["network"])))]


READERS: dict[str, Callable[[Any], Any]] = {
    "certified": read_certified,
    "founding": read_founding,
    "account": read_account,
    "receipt": read_receipt,
    "file": read_file,
}


@pytest.mark.parametrize("name", FILES)
def test_they_are_written_again_to_the_same_bytes(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text() == text_of(name), "run: make vectors"


@pytest.mark.parametrize(("name", "case"), all_cases())
def test_we_accept_and_refuse_as_they_say(name: str, case: Any) -> None:
    if case["valid"]:
        assert READERS[name](case["input"]) == case["says"]
        return
    assert case["says"] is None
    with pytest.raises(KeymootError):
        READERS[name](case["input"])


def test_each_file_has_both_kinds_and_no_case_twice() -> None:
    for name in FILES:
        found = cases(name)
        assert {one["valid"] for one in found} == {True, False}
        shown = [json.dumps(one["input"], sort_keys=True) for one in found]
        assert len(set(shown)) == len({one["description"] for one in found}) == len(found)


@pytest.mark.parametrize(
    "case",
    [one for one in cases("certified") if not one["description"].endswith(NOT_ITS_RULE)],
    ids=lambda one: one["description"],
)
def test_another_client_agrees_on_certificates(case: Any) -> None:
    told = case["input"]
    client = LightClient(raw(told["network"]), raw(told["verifyingKey"]))

    def read() -> list[bytes]:
        if len(raw(told["certificate"])) != 48:
            raise Untrue("another length")
        return client.header(raw(told["header"]), raw(told["certificate"]))

    if case["valid"]:
        assert int.from_bytes(read()[8], "big") == case["says"]["height"]
    else:
        with pytest.raises((Untrue, ValueError)):
            read()


def test_another_trie_agrees_on_values() -> None:
    for case in cases("account"):
        if not case["valid"]:
            continue
        proof, root = case["input"]["proof"], raw(case["input"]["stateRoot"])
        account = rlp.decode(
            value(root, keccak(raw(proof["address"])), proof["accountProof"]) or b"\xc0"
        )
        storage = account[2] if account else AccountState().storage_root
        assert "0x" + storage.hex() == case["says"]["storageHash"]
        for slot in proof["storageProof"]:
            found = value(storage, keccak(raw(slot["key"])), slot["proof"])
            shown = rlp.decode(found) if found else b""
            assert "0x" + shown.hex() == case["says"]["slots"][slot["key"]]


def test_another_trie_agrees_on_receipts() -> None:
    for case in cases("receipt"):
        if not case["valid"]:
            continue
        told = case["input"]["receipt"]
        fields = rlp.decode(raw([told["header"], *told["links"]][-1]), strict=True)
        key = rlp.encode(int(told["index"], 16))
        transaction = value(fields[4], key, told["transactionProof"])
        assert "0x" + transaction.hex() == case["says"]["transaction"]
        receipt = value(fields[5], key, told["receiptProof"])
        typed = receipt if receipt[0] >= 0xC0 else receipt[1:]
        status, gas, _, logs = rlp.decode(typed, strict=True)
        assert int.from_bytes(status, "big") == case["says"]["status"]
        assert int.from_bytes(gas, "big") == case["says"]["cumulativeGas"]
        assert len(logs) == case["says"]["logs"]


def value(root: bytes, key: bytes, nodes: list[str]) -> bytes:
    found: bytes = HexaryTrie.get_from_proof(root, key, [rlp.decode(raw(one)) for one in nodes])
    return found
