"""A light client of a network: RLP, py-trie and a BLS library, and not a line of ours.

It knows the network's id and verifying key, and believes nothing else that it is given.
"""

from dataclasses import dataclass
from hashlib import sha256

import rlp
from eth_utils import keccak
from py_ecc.bls.g2_primitives import pubkey_to_G1, signature_to_G2, subgroup_check
from py_ecc.bls.hash_to_curve import hash_to_G1
from py_ecc.optimized_bls12_381 import FQ12, G2, final_exponentiate, is_inf, neg, pairing
from trie import HexaryTrie

TAG = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
PARENT, STATE, TRANSACTIONS, NUMBER, GENERATION = 0, 3, 4, 8, 12


class Untrue(Exception):
    """What was shown is not the network's."""


@dataclass
class LightClient:
    network: bytes
    verifying_key: bytes

    def header(self, raw: bytes, signature: bytes) -> list[bytes]:
        """Give the fields of a header that the network has certified."""
        fields = rlp.decode(raw, strict=True)
        height = int.from_bytes(fields[NUMBER], "big").to_bytes(8, "big")
        parts = [b"keymoot/v1/certificate", self.network, fields[GENERATION], height, keccak(raw)]
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        point, key = pubkey_to_G1(signature), signature_to_G2(self.verifying_key)
        for each in (point, key):
            if is_inf(each) or not subgroup_check(each):
                raise Untrue("infinity, or not in the subgroup")
        hashed = hash_to_G1(message, TAG, sha256)
        product = pairing(G2, point, False) * pairing(neg(key), hashed, False)
        if final_exponentiate(product) != FQ12.one():
            raise Untrue("no certificate")
        return fields

    def slot(self, fields: list[bytes], address: bytes, slot: int, proof: dict) -> int:
        """Give a slot of an account, as `eth_getProof` answers for it."""
        account = rlp.decode(self._value(fields[STATE], keccak(address), proof["accountProof"]))
        nodes = proof["storageProof"][0]["proof"]
        value = self._value(account[2], keccak(slot.to_bytes(32, "big")), nodes)
        return int.from_bytes(rlp.decode(value), "big") if value else 0

    def transaction(self, fields: list[bytes], index: int, nodes: list[str]) -> bytes:
        return self._value(fields[TRANSACTIONS], rlp.encode(index), nodes)

    def _value(self, root: bytes, key: bytes, nodes: list[str]) -> bytes:
        decoded = [rlp.decode(bytes.fromhex(node[2:])) for node in nodes]
        return HexaryTrie.get_from_proof(root, key, decoded)
