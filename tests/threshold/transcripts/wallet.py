"""Wallets: from a root and an id to a key and an address, on EVM chains and on Solana."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from keymoot.base import hexes
from keymoot.base.fixed import NetworkId, WalletId
from keymoot.base.strict_json import Json
from keymoot.committee.wallet_key import path_of
from keymoot.policy.chains.registry import CHAINS
from keymoot.proof.wallet import account_of
from keymoot.threshold import derivation
from tests.threshold.transcripts import keygen
from tests.threshold.transcripts.ecdsa import OTHER_WALLET, WALLET
from tests.threshold.transcripts.points import bad_points
from tests.threshold.transcripts.scene import NETWORK, Case, Object, accept, refuse

OTHER_NETWORK = NetworkId(sha256(b"another network of the vectors").digest())


def transcripts() -> Iterator[Object]:
    """Give one for each kind of wallet."""
    for name, chains in (("ecdsa", "EVM chains"), ("eddsa", "Solana")):
        root = keygen.run_of(name).root
        found = derived(name, NETWORK, WALLET)
        yield {
            "description": f"a wallet on {chains}, under the root {name} that keygen.json makes",
            "parameters": {"group": root.group.NAME},
            "inputs": told(name, NETWORK, WALLET),
            "messages": {},
            "outputs": found,
            "cases": [*_cases(name)],
        }


def told(name: str, network: NetworkId, wallet: WalletId) -> Object:
    """Write what a wallet's key follows from."""
    root: Json = hexes.data(_public(name))
    return {"root": root, "network": network.hex0x, "wallet": wallet.hex0x}


def derived(name: str, network: NetworkId, wallet: WalletId) -> Object:
    """Derive a wallet's key and address."""
    root = keygen.run_of(name).root
    epsilon = derivation.tweak(root, network, path_of(wallet))
    key = derivation.child(root, epsilon)
    chain = {one.scheme.root: one for one in CHAINS}[name]
    address = account_of(network, wallet, chain, {name: root})
    return {
        "path": hexes.data(path_of(wallet)),
        "tweak": hexes.data(root.group.encode_scalar(epsilon)),
        "publicKey": hexes.data(root.group.encode(key)),
        "address": address.text,
    }


def _public(name: str) -> bytes:
    root = keygen.run_of(name).root
    group: Any = root.group
    return bytes(group.encode(root.public))


def _cases(name: str) -> Iterator[Case]:
    for description, network, wallet in (
        ("another wallet", NETWORK, OTHER_WALLET),
        ("another network: the same id has another key", OTHER_NETWORK, WALLET),
        ("a wallet whose id is zero", NETWORK, WalletId(bytes(32))),
    ):
        given = told(name, network, wallet)
        yield accept("derive", description, given, derived(name, network, wallet))
    for reason, raw in bad_points(keygen.run_of(name).root.group):
        given = told(name, NETWORK, WALLET) | {"root": hexes.data(raw)}
        yield refuse("derive", f"the root is no point: {reason}", given, "BAD_POINT")
    given = told(name, NETWORK, WALLET)
    short = {**given, "wallet": hexes.data(WALLET[:-1])}
    yield refuse("derive", "an id of 31 bytes", short, "MALFORMED")
    short = {**given, "network": hexes.data(NETWORK + b"\0")}
    yield refuse("derive", "a network's id of 33 bytes", short, "MALFORMED")
