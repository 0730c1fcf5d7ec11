"""The host as a thief: a process with a copy of the data folder, and the code as it finds it.

    python -m demo.thief search DATA --account 0x… --challenge 0x…
    python -m demo.thief open DATA --fuse FILE --seats 1,2 --wallet 0x… --challenge 0x…

`search` looks for the key of an address in the files. `open` breaks enclaves whose fuse keys
it has, with the code as it stands or patched to claim what the thief likes, and computes the
wallet's key from what they keep. Whoever has a key signs the challenge with it. Prints one
line of JSON, never a key.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from demo.broken import opened
from demo.search import find_key, places
from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Address, Hash32, Measurement, WalletId
from keymoot.base.secret import Secret
from keymoot.crypto.secp256k1 import sign
from keymoot.enclave.measurement import measure, own_package


def main() -> int:
    """Run one attack and print what came of it."""
    options = _options()
    outcome: dict[str, Any] = {}
    key: Secret | None = None
    if options.attack == "search":
        key, outcome["tried"] = find_key(options.data, options.account)
    else:
        try:
            key = _open(options)
        except KeymootError as error:
            outcome["why"] = error.code
    if key is not None:
        outcome["signature"] = sign(key, options.challenge).hex()
        outcome["places"] = places(options.data, key)
    print(json.dumps(outcome))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo.thief")
    attacks = parser.add_subparsers(dest="attack", required=True)
    search = attacks.add_parser("search")
    search.add_argument("--account", type=Address.from_hex, required=True)
    breaks = attacks.add_parser("open")
    breaks.add_argument("--fuse", type=Path, required=True)
    breaks.add_argument("--seats", default="1", help="whose enclaves are broken: 1,2,…")
    breaks.add_argument("--wallet", type=WalletId.from_hex, required=True)
    breaks.add_argument("--vault", action="store_true", help="the wallet's key lies in Vault")
    breaks.add_argument("--claim", help="measurement that the patched code claims, in hex")
    for attack in (search, breaks):
        attack.add_argument("data", type=Path)
        attack.add_argument("--challenge", type=Hash32.from_hex, required=True)
    return parser.parse_args()


def _open(options: argparse.Namespace) -> Secret:
    code = Measurement(bytes.fromhex(options.claim)) if options.claim else measure(own_package())
    seats = map(int, options.seats.split(","))
    with opened(options.data, options.fuse, seats, code) as broken:
        if options.vault:
            return broken.vault_key(options.wallet)
        return broken.threshold_key(options.wallet)


if __name__ == "__main__":
    sys.exit(main())
