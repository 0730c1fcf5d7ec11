"""The interface files in docs/solidity are those of the classes, and Solidity takes them."""

import inspect
import json
import random
import subprocess
from pathlib import Path

import pytest

from keymoot.base.errors import Refused
from keymoot.base.fixed import Bytes32
from keymoot.cli.demo.outside import ROOT
from keymoot.contracts import keys, vault, wallet_events
from keymoot.contracts.contract import Contract
from keymoot.contracts.errors import COMMON, ContractError
from keymoot.contracts.event import Event
from keymoot.contracts.keys import Keys
from keymoot.contracts.nodes import Nodes
from keymoot.contracts.registry import BUILT_IN
from keymoot.contracts.solidity import interface_of
from keymoot.contracts.vault import Vault
from keymoot.contracts.wallets import Wallets
from keymoot.crypto.keccak import keccak256
from tests.runtime.people import AGENT, OWNER, STRANGER, Play, calldata

FOLDER = ROOT / "docs" / "solidity"


def members(module, base: type) -> list:
    found = [
        one
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, base) and one.__module__ == module.__name__ and one.__name__[0] != "_"
    ]
    return sorted(found, key=lambda one: one.__name__)


INTERFACES: dict[type[Contract], str] = {
    Vault: interface_of(Vault, members(vault, Event)),
    Keys: interface_of(Keys, members(keys, Event)),
    Nodes: interface_of(Nodes, []),
    Wallets: interface_of(Wallets, members(wallet_events, Event)),
}


@pytest.mark.parametrize("kind", INTERFACES, ids=lambda kind: kind.__name__)
def test_the_files_are_up_to_date(kind: type[Contract]) -> None:
    path = FOLDER / f"I{kind.__name__}.sol"
    assert path.read_text() == INTERFACES[kind], f"write INTERFACES[{kind.__name__}] to {path.name}"


def test_solc_takes_them_and_finds_the_same_selectors(tmp_path: Path) -> None:
    script = """
import solc from "solc"; import {readFileSync} from "node:fs";
const sources = Object.fromEntries(process.argv.slice(1).map(
  (path) => [path.split("/").pop(), {content: readFileSync(path, "utf8")}]));
const out = JSON.parse(solc.compile(JSON.stringify({language: "Solidity", sources,
  settings: {outputSelection: {"*": {"*": ["evm.methodIdentifiers"]}}}})));
if (out.errors) { console.error(JSON.stringify(out.errors)); process.exit(1); }
console.log(JSON.stringify(out.contracts));
"""
    paths = [str(FOLDER / f"I{kind.__name__}.sol") for kind in INTERFACES]
    command = ["node", "--input-type=module", "-e", script, *paths]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    made = json.loads(done.stdout)
    for kind in INTERFACES:
        name = f"I{kind.__name__}"
        identifiers = made[f"{name}.sol"][name]["evm"]["methodIdentifiers"]
        ours = {one.signature: one.selector.hex() for one in kind.METHODS.values()}
        assert identifiers == ours
    assert tmp_path.exists()


def every_error(base: type[ContractError] = ContractError) -> set[type[ContractError]]:
    found = {one for one in base.__subclasses__() if one.__module__.startswith("keymoot.")}
    return found | {deeper for one in found for deeper in every_error(one)}


def test_every_error_with_a_signature_stands_in_an_interface() -> None:
    named = {one for one in every_error() if one.SIGNATURE != ContractError.SIGNATURE}
    assert len(named) > 15
    carried = {error for kind in BUILT_IN for error in (*COMMON, *kind.ERRORS)}
    assert {one for one in named if one.__name__[0] != "_"} == carried


def test_whatever_comes_back_from_a_call_is_in_its_interface() -> None:
    """Calls with wrong senders, values and arguments, run and asked: each selector is known."""
    play, came = Play(), set()
    known = {
        kind: {
            keccak256(signature.encode())[:4]
            for signature in ("Error(string)", *(one.SIGNATURE for one in (*COMMON, *kind.ERRORS)))
        }
        for kind in BUILT_IN
    }
    wallet, born = play.wallet, Bytes32(b"v" * 32)
    assert play.send(OWNER, "birth", born, contract=Vault).status == 1
    values = {
        "bytes32": [wallet, born, bytes(32), b"s" * 32],
        "address": [OWNER.address.hex0x, AGENT.address.hex0x, "0x" + "00" * 20],
        "uint64": [0, 5, play.chain.block.time + 100],
        "uint256": [0, 1],
        "bytes": [b"", b"{}", b"x" * 48],
    }
    dice = random.Random(1)
    for kind in BUILT_IN:
        for method in kind.METHODS.values():
            calls = [
                calldata(kind, method.name, *(dice.choice(values[abi]) for _, abi in method.inputs))
                for _ in range(12)
            ]
            for data in [*calls, calls[0][:4], calls[0] + b"\0", b"\1\2\3\4", b""]:
                for who, value in ((OWNER, 0), (STRANGER, 0), (OWNER, 1)):
                    try:
                        play.chain.ask(kind.ADDRESS, data, who.address)
                    except ContractError as error:
                        came.add(error.code)
                        assert error.revert_data()[:4] in known[kind], error.code
                    except Refused as error:  # travels as Error(string)
                        came.add(error.code)
                    receipt = play.chain.send(play.raw(who, kind.ADDRESS, data, value))
                    if receipt.status == 0:
                        came.add(receipt.error_code)
                        assert receipt.output[:4] in known[kind], receipt.error_code
    assert came >= {"KEY_EXISTS", "NOT_OWNER", "ANONYMOUS", "KEY_USE_REFUSED", "NOT_PAYABLE"}
    assert came >= {"UNKNOWN_METHOD", "WALLET_EXISTS", "NO_SUCH_WALLET", "BAD_RECOVERY"}
