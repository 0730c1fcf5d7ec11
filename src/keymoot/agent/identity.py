"""Who a network says it is, held against its id: the hash of its genesis."""

from dataclasses import dataclass
from typing import Any

from keymoot.agent.errors import SET_URL, WrongAnswer
from keymoot.base import hexes
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import LEDGER_CHAIN_ID, ChainId, Wei
from keymoot.committee.attestation import Attestation
from keymoot.committee.genesis import MAX_GENESIS_BYTES, Genesis
from keymoot.crypto.keccak import keccak256


@dataclass(frozen=True, slots=True)
class NetworkIdentity:
    """Who a network is: found out once, then pinned in credentials.

    Attributes:
        base_fee: What a unit of gas costs, always.
        simulated: Test funds only: its genesis takes SIMULATED evidence, or its node says so.
        attestation: What evidence nodes have to show, as its genesis has it.
    """

    network: NetworkId
    chain_id: ChainId
    base_fee: Wei
    simulated: bool
    attestation: Attestation


def read_identity(told: Any) -> NetworkIdentity:
    """Read the answer of keymoot_network; believed if the genesis hashes to the id."""
    if not isinstance(told, dict):
        raise WrongAnswer("keymoot_network was answered by something else: is it Keymoot RPC?")
    try:
        network = NetworkId(hexes.parse_data(told.get("network"), "network", NetworkId.LENGTH))
        genesis = hexes.parse_data(told.get("genesis"), "genesis", MAX_GENESIS_BYTES)
        # The id is the genesis's hash.
        if Hash32(network) != keccak256(genesis):
            raise WrongAnswer("the network's genesis does not hash to its id")
        read = Genesis.decode(genesis)
        chain_id = read.chain_id
        if chain_id != LEDGER_CHAIN_ID:
            theirs, ours = f"chain {chain_id}", f"a ledger's is {LEDGER_CHAIN_ID}"
            raise WrongAnswer(f"the network's genesis is of {theirs}, {ours}: {SET_URL}")
        if hexes.parse_quantity(told.get("chainId"), "chainId") != chain_id:
            raise WrongAnswer("the network's chain id is not its genesis's")
    except Malformed as error:
        raise WrongAnswer(f"keymoot_network was answered by something else: {error}") from error
    simulated = read.attestation.simulated or told.get("simulated") is not False
    return NetworkIdentity(
        network, chain_id, read.base_fee, simulated=simulated, attestation=read.attestation
    )
