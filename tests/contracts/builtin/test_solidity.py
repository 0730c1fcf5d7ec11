"""The interface files in docs/solidity are those of the classes, and Solidity takes them."""

import json
import random
import subprocess
from pathlib import Path

from demo.checkout import ROOT
from keymoot.base.errors import Refused
from keymoot.base.fixed import Bytes32
from keymoot.contracts.builtin.registry import BUILT_IN
from keymoot.contracts.builtin.vault import Vault
from keymoot.contracts.framework.errors import ANY_REFUSAL, COMMON, ContractError
from keymoot.contracts.framework.solidity import interface_of
from keymoot.crypto.keccak import keccak256
from tests.runtime.people import AGENT, OWNER, STRANGER, Scenario, calldata

FOLDER = ROOT / "docs" / "solidity"
KINDS = [one.kind for one in BUILT_IN]


def test_the_files_are_up_to_date() -> None:
    there = {path.name: path.read_text() for path in FOLDER.glob("*.sol")}
    assert there == {f"I{one.name}.sol": interface_of(one) for one in BUILT_IN}, "make pages"


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
    paths = [str(FOLDER / f"I{kind.__name__}.sol") for kind in KINDS]
    command = ["node", "--input-type=module", "-e", script, *paths]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    made = json.loads(done.stdout)
    for kind in KINDS:
        name = f"I{kind.__name__}"
        identifiers = made[f"{name}.sol"][name]["evm"]["methodIdentifiers"]
        ours = {one.signature: one.selector.hex() for one in kind.METHODS.values()}
        assert identifiers == ours
    assert tmp_path.exists()


def every_error(base: type[ContractError] = ContractError) -> set[type[ContractError]]:
    found = {one for one in base.__subclasses__() if one.__module__.startswith("keymoot.")}
    return found | {deeper for one in found for deeper in every_error(one)}


def test_every_error_with_a_signature_stands_in_an_interface() -> None:
    named = {one for one in every_error() if one.SIGNATURE != ANY_REFUSAL}
    assert len(named) > 15
    carried = {error for kind in KINDS for error in (*COMMON, *kind.ERRORS)}
    assert {one for one in named if one.__name__[0] != "_"} == carried


def test_whatever_comes_back_from_a_call_is_in_its_interface() -> None:
    """Calls with wrong senders, values and arguments, run and asked: each selector is known."""
    scenario, came = Scenario(), set()
    known = {
        kind: {
            keccak256(signature.encode())[:4]
            for signature in (ANY_REFUSAL, *(one.SIGNATURE for one in (*COMMON, *kind.ERRORS)))
        }
        for kind in KINDS
    }
    wallet, born = scenario.wallet, Bytes32(b"v" * 32)
    assert scenario.send(OWNER, "birth", born, contract=Vault).status == 1
    values = {
        "bytes21": [bytes(21), b"a" * 21],
        "bytes32": [wallet, born, bytes(32), b"s" * 32],
        "address": [OWNER.address.hex0x, AGENT.address.hex0x, "0x" + "00" * 20],
        "uint8": [0, 1, 2],
        "uint64": [0, 5, scenario.chain.block.time + 100],
        "uint256": [0, 1],
        "bytes": [b"", b"{}", b"x" * 48],
        "string": ["", "eip155", "no chain"],
    }
    rng = random.Random(1)
    for kind in KINDS:
        for method in kind.METHODS.values():
            calls = [
                calldata(kind, method.name, *(rng.choice(values[abi]) for _, abi in method.inputs))
                for _ in range(12)
            ]
            for data in [*calls, calls[0][:4], calls[0] + b"\0", b"\1\2\3\4", b""]:
                for who, value in ((OWNER, 0), (STRANGER, 0), (OWNER, 1)):
                    try:
                        scenario.chain.ask(kind.ADDRESS, data, who.address)
                    except ContractError as error:
                        came.add(error.code)
                        assert error.revert_data()[:4] in known[kind], error.code
                    except Refused as error:  # travels as ANY_REFUSAL
                        came.add(error.code)
                    receipt = scenario.chain.send(scenario.raw(who, kind.ADDRESS, data, value))
                    if receipt.status == 0:
                        came.add(receipt.error_code)
                        assert receipt.output[:4] in known[kind], receipt.error_code
    assert came >= {"KEY_EXISTS", "NOT_OWNER", "ANONYMOUS", "KEY_USE_REFUSED", "NOT_PAYABLE"}
    assert came >= {"UNKNOWN_METHOD", "WALLET_EXISTS", "NO_SUCH_WALLET", "BAD_RECOVERY"}
