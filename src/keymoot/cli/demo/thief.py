"""The host as a thief: a process with a copy of the data folder and of the source.

    python -m keymoot.cli.demo.thief search --data COPY --account 0x…
    python -m keymoot.cli.demo.thief open --data COPY --fuse FILE --wallet 0x… --challenge 0x…

`search` looks for the key in the files. `open` uses the code as it stands, or patched to
claim whatever measurement the thief likes, with whatever fuse keys the thief has: it opens
the keeps of some enclaves, computes their shares of the root, puts together what they make,
and signs the challenge with it. Prints one line of JSON, never a key.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Address, Hash32, Measurement, WalletId
from keymoot.base.secret import Secret
from keymoot.cli.demo.search import find_key
from keymoot.crypto.secp256k1 import sign
from keymoot.enclave.keep import open_keep
from keymoot.enclave.measurement import measure, own_package
from keymoot.enclave.simulated import SimulatedPlatform, read_fuse
from keymoot.engine.folder import open_chain, stored_genesis
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.moot.assembly import Assembly
from keymoot.moot.outcome import path_of
from keymoot.moot.roots import ECDSA, ROOTS
from keymoot.node.config import Config
from keymoot.runtime.assembly import assembly_in
from keymoot.threshold import derivation, dkg
from keymoot.threshold.dice import SEED_BYTES, Dice
from keymoot.threshold.polynomial import interpolate
from keymoot.threshold.secp256k1 import SECP256K1


def main() -> int:
    """Run one attack and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("attack", choices=["search", "open"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--account")
    parser.add_argument("--fuse", type=Path)
    parser.add_argument("--seats", default="1", help="whose enclaves are broken: 1,2,…")
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
    config = Config(options.data, options.fuse)
    epochs: dict[int, Secret] = {}
    for seat in map(int, options.seats.split(",")):
        fuse = read_fuse(config.fuse_of(seat), options.data)
        keep = open_keep(config.enclave_folder(seat), SimulatedPlatform(fuse, measurement))
        if keep.network is None:
            return {"found": False, "why": "EMPTY"}
        epochs[seat] = keep.epoch
    store = LmdbStore(options.data)
    genesis = stored_genesis(store)
    if genesis is None:
        return {"found": False, "why": "EMPTY"}
    assembly = assembly_in(open_chain(store, genesis).state(), genesis.network)
    shares = {seat: share_of(assembly, ECDSA, seat, epoch) for seat, epoch in epochs.items()}
    root = assembly.hall.root(ECDSA)
    name = WalletId(bytes.fromhex(options.wallet.removeprefix("0x")))
    epsilon = derivation.tweak(root, genesis.network, path_of(name))
    # Whatever the number of shares: below the threshold this is just some number.
    key = SECP256K1.add_scalars((interpolate(SECP256K1, shares), SECP256K1.hide(epsilon)))
    signature = sign(key, Hash32.from_hex(options.challenge))
    return {"found": True, "signature": signature.hex()}


def share_of(assembly: Assembly, name: str, seat: int, epoch: Secret) -> Secret:
    """Compute a seat's share of a root, as its enclave does after a restart.

    Args:
        assembly: In the epoch of the key generation.
        name: Of the root.
        seat: Whose share.
        epoch: Secret half of the seat's sealing key in that epoch.
    """
    place = next(at for at, kind in enumerate(ROOTS) if kind.name == name)
    to = assembly.founding.setting().recipients(place)
    openings = {at: given[place] for at, given in assembly.founding.openings().items()}
    shares, _ = dkg.receive(to, seat, epoch, openings, Dice(Secret(bytes(SEED_BYTES))))
    return to.group.add_scalars(list(shares.values()))


if __name__ == "__main__":
    sys.exit(main())
