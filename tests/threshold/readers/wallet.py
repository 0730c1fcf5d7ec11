"""Reads `wallet.json`."""

from typing import Any

from keymoot.base.fixed import NetworkId, SolanaAddress, WalletId
from keymoot.crypto.secp256k1 import address_of
from keymoot.threshold import derivation
from keymoot.threshold.root import Root
from keymoot.threshold.secp256k1 import SECP256K1
from tests.threshold.readers.told import GROUPS, data, raw


class Reader:
    """One transcript."""

    def __init__(self, told: Any) -> None:
        self.group = GROUPS[told["parameters"]["group"]]
        self.inputs = told["inputs"]

    def replay(self) -> tuple[Any, Any]:
        """From the root, the network and the wallet's id."""
        return {}, self.derive(self.inputs)

    def derive(self, told: Any) -> Any:
        network, wallet = NetworkId(raw(told["network"])), WalletId(raw(told["wallet"]))
        root = Root(self.group, 0, self.group.decode(raw(told["root"])), ())
        path = b"wallet" + wallet
        epsilon = derivation.tweak(root, network, path)
        key = derivation.child(root, epsilon)
        if self.group is SECP256K1:
            address = address_of(SECP256K1.encode_uncompressed(key)).hex0x
        else:
            address = SolanaAddress(self.group.encode(key)).base58
        return {
            "path": data(path),
            "tweak": data(self.group.encode_scalar(epsilon)),
            "publicKey": data(self.group.encode(key)),
            "address": address,
        }
