"""What vendors publish, brought to the ledger: anyone may, and nothing but the vendor's is kept.

    post_intel_lists(network, key, Path("collateral.json").read_bytes())
    post_amd_chain(network, key, ask_der, ark_der)

Intel's is what `dcap-qvl` and caching services give for one kind of machine, and lives a month.
AMD's are the certificates of a line's signing key and root, and live for decades.
"""

from keymoot.agent.network import Network
from keymoot.agent.owner import Confirmation, confirmation_of
from keymoot.attest.collateral import Standing
from keymoot.attest.dcap import DcapCollateral
from keymoot.attest.snp import AmdChain
from keymoot.base.secret import Secret
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.apps.errors import ListsMissing
from keymoot.contracts.builtin.apps.vendors import machine_name, standing_of_lists
from keymoot.store.public import public_slot


def post_intel_lists(network: Network, payer: Secret, collateral: bytes) -> Confirmation:
    """Post Intel's lists for one kind of machine.

    Args:
        network: Where.
        payer: Whose account of the ledger pays.
        collateral: JSON, as services give it.

    Raises:
        Malformed: no such JSON.
        TransactionFailed, NetworkRefused: CHAIN_REFUSED, COLLATERAL_STALE, LISTS_OLDER.
    """
    lists = DcapCollateral.of_json(collateral).encode()
    return confirmation_of(network.send(payer, "postIntelLists", lists, contract=Apps))


def post_amd_chain(network: Network, payer: Secret, signer: bytes, root: bytes) -> Confirmation:
    """Post AMD's certificates of a line: its signing key (ASK, or ASVK for clouds), and its root.

    Args:
        network: Where.
        payer: Whose account of the ledger pays.
        signer: DER.
        root: DER.

    Raises:
        TransactionFailed, NetworkRefused: CHAIN_REFUSED, COLLATERAL_STALE.
    """
    chain = AmdChain(signer, root).encode()
    return confirmation_of(network.send(payer, "postAmdChain", chain, contract=Apps))


def intel_standing(
    network: Network, kind: str, fmspc: str, authority: str
) -> tuple[Standing, str, UnixSeconds]:
    """Give what the ledger's lists are good for, which part is the worst, and when the first ends.

    It is proved, as of the newest certified block.

    Args:
        network: Which.
        kind: `TDX` or `SGX`.
        fmspc: Of the machine: 12 digits of hex in upper case.
        authority: Who vouches for the machine: `Intel SGX PCK Platform CA` or
            `Intel SGX PCK Processor CA`.

    Raises:
        ListsMissing: it is proved that there are none.
    """
    key = Apps.intel_lists.slot_key(machine_name(kind, fmspc, authority))
    header, storage = network.cells(Apps.ADDRESS, [public_slot(key)])
    raw = storage.cell(key)
    if raw is None:
        raise ListsMissing(kind, fmspc, authority)
    return standing_of_lists(raw, header.time)
