"""The interface files in docs/solidity are those of the classes, and Solidity takes them."""

import inspect
import json
import subprocess
from pathlib import Path

import pytest

from keymoot.cli.demo.outside import ROOT
from keymoot.contracts import keys, vault, wallet_errors, wallet_events
from keymoot.contracts.contract import Contract
from keymoot.contracts.errors import Anonymous, ContractError
from keymoot.contracts.event import Event
from keymoot.contracts.keys import Keys
from keymoot.contracts.nodes import Nodes
from keymoot.contracts.solidity import interface_of
from keymoot.contracts.vault import Vault
from keymoot.contracts.wallets import Wallets

FOLDER = ROOT / "docs" / "solidity"


def members(module, base: type) -> list:
    found = [
        one
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, base) and one.__module__ == module.__name__ and one.__name__[0] != "_"
    ]
    return sorted(found, key=lambda one: one.__name__)


INTERFACES: dict[type[Contract], str] = {
    Vault: interface_of(Vault, members(vault, Event), [Anonymous, *members(vault, ContractError)]),
    Keys: interface_of(Keys, members(keys, Event), [Anonymous, *members(keys, ContractError)]),
    Nodes: interface_of(Nodes, [], []),
    Wallets: interface_of(
        Wallets, members(wallet_events, Event), members(wallet_errors, ContractError)
    ),
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
