"""The requester's part of the assembly's custody: collect, combine, check.

The requester is the transport: it combines the beacon of the block that bound its request,
shows it to the enclaves, opens the shares that they seal to its reply key, and combines
them into a signature, which it checks before anybody else sees it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any

from keymoot.agent.errors import WrongAnswer
from keymoot.agent.share import INFO, MAX_SEALED_BYTES, Released
from keymoot.agent.transport import Transport
from keymoot.base import hexes, rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of
from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519, hpke
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import address_of
from keymoot.threshold import ecdsa
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.committee import Committee
from keymoot.threshold.ecdsa import SignatureShare, Task
from keymoot.threshold.errors import TooFew
from keymoot.threshold.polynomial import interpolate_points
from keymoot.threshold.secp256k1 import SECP256K1

BY_ASSEMBLY = "assembly"

MAX_COMBINATIONS = 4
"""Sets of beacon shares that are tried before the node is asked which are bad."""

CHECK_SECONDS = 2.0
"""How long the node may wait for good ones."""

_BAD_BEACON = "BAD_BEACON"


class TooFewShares(WrongAnswer):
    """Too few enclaves hold what the request was bound to: ask again."""

    code = "TOO_FEW_SHARES"


@dataclass(frozen=True, slots=True)
class _Opened:
    """What one enclave said: over what, with which nonce, for which key, its share."""

    digest: Hash32
    nonce: bytes
    public: bytes
    share: SignatureShare


@dataclass(frozen=True, slots=True)
class Assembling:
    """What must be known to put one signature together.

    Attributes:
        network: Our network.
        key: The request's name on the ledger.
        nodes: Identity keys by seat, the first one's first, as the credential pins them.
        secret: Private half of the request's reply key.
        address: The wallet's.
    """

    network: NetworkId
    key: Hash32
    nodes: tuple[Bytes32, ...]
    secret: Secret
    address: Address

    def run(
        self, transport: Transport, answer: Mapping[str, Any], timeout_seconds: float
    ) -> Released:
        """Give the signature, checked to be the wallet's.

        Args:
            transport: Keymoot RPC.
            answer: The answer of keymoot_ask or /shares, with the shares of the beacon.
            timeout_seconds: For each exchange.

        Raises:
            TooFewShares: not enough good shares came.
            WrongAnswer: what came is nothing that enclaves of ours say.
        """
        committee = Committee(len(self.nodes))
        answers = answer.get("answers")
        if isinstance(answers, list):
            return self._combine(answers, committee)
        if answer.get("lost") is True:
            raise TooFewShares("too many enclaves started anew since the request was bound")
        released = self._under_beacon(transport, answer, committee, timeout_seconds)
        if released is None:
            # One of the shares is bad, and more may have come since: have them looked at.
            wait = int(1_000 * min(timeout_seconds, CHECK_SECONDS))
            path = f"/shares/{self.key.hex0x}?wait={wait}&checked=1"
            told = transport.get(path, timeout_seconds)
            if told is not None:
                released = self._under_beacon(transport, told, committee, timeout_seconds)
        if released is None:
            raise TooFewShares("no set of the beacon's shares makes a beacon")
        return released

    def _under_beacon(
        self,
        transport: Transport,
        answer: Mapping[str, Any],
        committee: Committee,
        timeout_seconds: float,
    ) -> Released | None:
        """Combine the beacon, and under it the shares; None if no set of them makes a beacon."""
        shares = self._beacon_shares(answer)
        need = committee.degree + 1
        if len(shares) < need:
            return None
        for chosen in islice(combinations(sorted(shares), need), MAX_COMBINATIONS):
            point = interpolate_points(G1, {seat: shares[seat] for seat in chosen})
            told = transport.call(
                "keymoot_cosign",
                [self.key.hex0x, hexes.data(G1.encode(point))],
                timeout_seconds,
            )
            answers = told.get("answers") if isinstance(told, dict) else None
            if not isinstance(answers, list):
                raise WrongAnswer("keymoot_cosign was answered by something else")
            try:
                return self._combine(answers, committee)
            except TooFewShares:
                # One enclave's word that the beacon is bad is worth nothing while others sign.
                codes = {one.get("code") for one in answers if isinstance(one, dict)}
                if _BAD_BEACON not in codes:
                    raise
        return None

    def _beacon_shares(self, answer: Mapping[str, Any]) -> dict[int, Any]:
        found = answer.get("beacon")
        shares = {}
        for seat, text in (found if isinstance(found, dict) else {}).items():
            try:
                index = int(seat)
                if 1 <= index <= len(self.nodes):
                    shares[index] = G1.decode(hexes.parse_data(text, "beacon", G1.POINT_BYTES))
            except (Malformed, ValueError):
                continue
        return shares

    def _combine(self, answers: list[Any], committee: Committee) -> Released:
        groups: dict[tuple[bytes, bytes, bytes], dict[int, _Opened]] = {}
        said = []
        for one in answers:
            if not isinstance(one, dict):
                continue
            try:
                seat, opened = self._open(one)
            except (Malformed, _Said) as error:
                said.append(str(error))
                continue
            # As soon as enough agree they are tried; the rest is opened only if that fails.
            name = (opened.digest, opened.nonce, opened.public)
            group = groups.setdefault(name, {})
            group[seat] = opened
            if len(group) <= committee.ecdsa_degree:
                continue
            try:
                return self._signature(opened.digest, *name[1:], group, committee)
            except (Malformed, TooFew) as error:
                said.append(str(error))
        raise TooFewShares("too few shares make a signature: " + "; ".join(said or ["none came"]))

    def _signature(
        self,
        digest: Hash32,
        nonce: bytes,
        public: bytes,
        group: Mapping[int, _Opened],
        committee: Committee,
    ) -> Released:
        point, key = SECP256K1.decode(nonce), SECP256K1.decode(public)
        if address_of(SECP256K1.encode_uncompressed(key)) != self.address:
            raise Malformed("the shares are of another wallet's key")
        # Combining needs R' and what the signature must verify under, and no more.
        work = Task(point, SECP256K1.x(point), 0, 0, digest, key)
        shares = {seat: one.share for seat, one in group.items()}
        signature, _ = ecdsa.combine(work, shares, committee.ecdsa_degree)
        return Released(digest, signature)

    def _open(self, answer: Mapping[str, Any]) -> tuple[int, _Opened]:
        if "code" in answer:
            raise _Said(f"seat {answer.get('seat')}: {answer.get('message')}")
        node = Bytes32(hexes.parse_data(answer.get("node"), "node", Bytes32.LENGTH))
        sealed = hexes.parse_data(answer.get("sealed"), "sealed", MAX_SEALED_BYTES)
        signature = hexes.parse_data(answer.get("signature"), "signature", ed25519.SIGNATURE_BYTES)
        # 1. One of our nodes gave it; its seat is its place among them.
        if node not in self.nodes:
            raise Malformed(f"node {node.hex0x} answered, which the credential does not name")
        if not ed25519.verify(node, keccak256(self.network + self.key + sealed), signature):
            raise Malformed(f"the answer is not signed by node {node.hex0x}, which it names")
        # 2. It was sealed to this request's reply key.
        content = hpke.open_with(self.secret, sealed, INFO + self.network, self.key)
        digest, nonce, public, share = list_of(rlp.decode(content), 4, "answer")
        point = SECP256K1.POINT_BYTES
        return self.nodes.index(node) + 1, _Opened(
            fixed_of(digest, Hash32, "digest"),
            bytes_of(nonce, "nonce", point),
            bytes_of(public, "public", point),
            SignatureShare.decode(bytes_of(share, "share")),
        )


class _Said(Exception):
    """What an enclave said instead of a share."""


def assembled(answer: Mapping[str, Any]) -> bool:
    """Tell whether an answer is to be put together from shares."""
    if answer.get("custody") != BY_ASSEMBLY:
        return False
    return any(answer.get(name) for name in ("beacon", "answers", "lost"))
