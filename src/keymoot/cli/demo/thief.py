"""The host as a thief: a process with a copy of the data folder and of the source.

    python -m keymoot.cli.demo.thief search --data COPY --account 0x…
    python -m keymoot.cli.demo.thief open --data COPY --fuse FILE --wallet 0x… --challenge 0x…

`search` looks for the key in the files. `open` uses the code as it stands, or patched to
claim whatever measurement the thief likes, with whatever fuse key the thief has; with the
right one it signs the challenge with the wallet's key. Prints one line of JSON, never a key.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Address, Bytes32, Hash32, Measurement
from keymoot.base.secret import Secret
from keymoot.cli.demo.search import find_key
from keymoot.contracts.vault import Vault
from keymoot.contracts.wallets import Wallets
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import sign
from keymoot.enclave.keep import open_keep
from keymoot.enclave.measurement import measure, own_package
from keymoot.enclave.simulated import SimulatedPlatform, read_fuse
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.engine.start import open_application, stored_genesis
from keymoot.store.confidential import ConfidentialStore
from keymoot.store.journal import Journal
from keymoot.store.keys import StateKeys
from keymoot.store.meter import FreeMeter


def main() -> int:
    """Run one attack and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("attack", choices=["search", "open"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--account")
    parser.add_argument("--fuse", type=Path)
    parser.add_argument("--wallet")
    parser.add_argument("--challenge")
    parser.add_argument("--claim", help="measurement that the patched code claims")
    options = parser.parse_args()
    if options.attack == "search":
        found, tried = find_key(options.data, Address.from_hex(options.account))
        outcome: dict[str, Any] = {"found": found, "tried": tried}
    else:
        try:
            outcome = _open(options)
        except KeymootError as error:
            outcome = {"found": False, "why": error.code, "message": str(error)}
    print(json.dumps(outcome))
    return 0


def _open(options: argparse.Namespace) -> dict[str, Any]:
    measurement = measure(own_package())
    if options.claim:
        measurement = Measurement(bytes.fromhex(options.claim.removeprefix("0x")))
    platform = SimulatedPlatform(read_fuse(options.fuse, options.data), measurement)
    keep = open_keep(options.data / "enclave", platform)
    store = LmdbStore(options.data)
    genesis = stored_genesis(store)
    if genesis is None or keep.network is None:
        return {"found": False, "why": "EMPTY"}
    keys = StateKeys(keep.state, genesis.network, 0)
    app = open_application(store, genesis, keys)
    with store.snapshot() as table:
        journal = Journal(app.state(table))
        cells = ConfidentialStore(journal, Vault.ADDRESS, keys, None, FreeMeter())
        name = Bytes32(bytes.fromhex(options.wallet.removeprefix("0x")))
        key = Vault.keys.get(cells, Bytes32(keccak256(Wallets.ADDRESS + name)))
    if key is None:
        return {"found": False, "why": "NO_SUCH_KEY"}
    signature = sign(Secret(key), Hash32.from_hex(options.challenge))
    return {"found": True, "signature": signature.hex()}


if __name__ == "__main__":
    sys.exit(main())
