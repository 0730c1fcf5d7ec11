"""Values from a transcript's JSON: bytes, randomness, sessions, parties, roots."""

from typing import Any

from keymoot.base import rlp
from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.dealing import Recipients
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.group import Group
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.root import Root, read_share
from keymoot.threshold.secp256k1 import SECP256K1
from keymoot.threshold.session import Session

GROUPS: dict[str, Group[Any]] = {one.NAME: one for one in (SECP256K1, EDWARDS25519, G1, G2)}


class Bad(KeymootError):
    """A check that answers yes or no says no."""

    code = "BAD"

    def __init__(self, party: int | None) -> None:
        super().__init__("this does not hold")
        self.party = party


def hold(holds: bool, party: int | None = None) -> None:
    if not holds:
        raise Bad(party)


def raw(text: str) -> bytes:
    assert text.startswith("0x")
    return bytes.fromhex(text[2:])


def data(value: bytes) -> str:
    return "0x" + value.hex()


def item(text: str) -> rlp.Decoded:
    return rlp.decode(raw(text))


def wire(encoded: rlp.Item) -> str:
    return data(rlp.encode(encoded))


def secret(text: str) -> Secret:
    return Secret(raw(text))


def rng(text: str) -> SeededRng:
    return SeededRng(secret(text))


def by_party(told: dict[str, Any]) -> dict[int, Any]:
    return {int(at): one for at, one in told.items()}


def session(told: Any) -> Session:
    network, generation = NetworkId(raw(told["network"])), Hash32(raw(told["generation"]))
    return Session(network, generation, told["name"])


class Parties:
    """Whoever takes part: sealing keys and seeds, by index."""

    def __init__(self, told: list[Any]) -> None:
        self.told = {one["index"]: one for one in told}
        self.secrets = {at: secret(one["sealingSecret"]) for at, one in self.told.items()}
        self.keys = {at: SECP256K1.decode(raw(one["sealingKey"])) for at, one in self.told.items()}
        for at, key in self.secrets.items():
            assert SECP256K1.equal(SECP256K1.base(key), self.keys[at])

    def rng(self, at: int, name: str = "seed") -> SeededRng:
        return rng(self.told[at][name])


def recipients(told: Any, parties: Parties) -> Recipients:
    """To whom dealings go, by a transcript's parameters."""
    group = GROUPS[told["group"]]
    return Recipients(group, session(told["session"]), told["degree"], parties.keys)


def root(group: Group[Any], told: Any) -> Root:
    shares = tuple(read_share(group, raw(one)) for one in told["shares"])
    return Root(group, told["degree"], group.decode(raw(told["public"])), shares)


def shown_root(made: Root) -> Any:
    return {
        "degree": made.degree,
        "public": data(made.group.encode(made.public)),
        "shares": [data(one) for one in made.encoded_shares()],
    }
