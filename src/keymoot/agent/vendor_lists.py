"""What vendors publish, brought to the ledger: anyone may, and nothing but the vendor's is kept.

    post_intel_lists(network, key, Path("collateral.json").read_bytes())
    post_amd_chain(network, key, ask_der, ark_der)

Intel's is what `dcap-qvl` and caching services give for one kind of machine, and lives a month.
AMD's are the certificates of a line's signing key and root, and live for decades.
"""

from keymoot.agent.network import Network
from keymoot.agent.owner import Confirmation, confirmation_of
from keymoot.attest import vendors
from keymoot.attest.collateral import Standing
from keymoot.attest.dcap import DcapCollateral
from keymoot.attest.snp import AmdChain
from keymoot.attest.vendors import machine_name, standing_of_lists
from keymoot.base.secret import Secret
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.apps.errors import ListsMissing
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
    return send_intel_lists(network, payer, DcapCollateral.of_json(collateral))


def send_intel_lists(network: Network, payer: Secret, lists: DcapCollateral) -> Confirmation:
    """Post Intel's lists that were read, or fetched; see `post_intel_lists`."""
    return confirmation_of(network.send(payer, "postIntelLists", lists.encode(), contract=Apps))


def check_intel_lists(lists: DcapCollateral, now: UnixSeconds) -> None:
    """Raise unless lists are Intel's and count now, where this install has what that takes.

    The ledger checks the same: here it costs nothing.

    Raises:
        Malformed, ChainRefused, CollateralStale: they are not posted.
    """
    try:
        root = vendors.intel_root()
    except ModuleNotFoundError:  # a client's install: `keymoot[node]` has the library
        return
    lists.check(root, now)


def posted_intel_lists(
    network: Network, kind: str, fmspc: str, authority: str
) -> tuple[DcapCollateral | None, UnixSeconds]:
    """Give the ledger's lists for a kind of machine, or None, proved; and as of when.

    Args:
        network: Which.
        kind: `TDX` or `SGX`.
        fmspc: Of the machine: 12 digits of hex in upper case.
        authority: Who vouches for the machine: `Intel SGX PCK Platform CA` or
            `Intel SGX PCK Processor CA`.
    """
    raw, now = _posted(network, kind, fmspc, authority)
    return (None if raw is None else DcapCollateral.decode(raw)), now


def post_amd_chain(
    network: Network, payer: Secret, signer: bytes, root: bytes, revoked: bytes = b""
) -> Confirmation:
    """Post AMD's certificates of a line: its signing key (ASK, or ASVK for clouds), and its root.

    Args:
        network: Where.
        payer: Whose account of the ledger pays.
        signer: DER.
        root: DER.
        revoked: The root's list of revoked keys, as DER. From then on it has to be renewed:
            when it has ended no new evidence of this line counts. Empty: none is looked at.

    Raises:
        TransactionFailed, NetworkRefused: CHAIN_REFUSED, COLLATERAL_STALE, LISTS_OLDER.
    """
    return send_amd_chain(network, payer, AmdChain(signer, root, revoked))


def send_amd_chain(network: Network, payer: Secret, chain: AmdChain) -> Confirmation:
    """Post AMD's certificates of a line that were read, or fetched; see `post_amd_chain`."""
    return confirmation_of(network.send(payer, "postAmdChain", chain.encode(), contract=Apps))


def check_amd_chain(chain: AmdChain, now: UnixSeconds) -> None:
    """Raise unless certificates and list are AMD's and count now, as the ledger checks.

    Raises:
        Malformed, ChainRefused, CollateralStale: they are not posted.
    """
    chain.issuer(now, vendors.amd_lines())


def posted_amd_chain(network: Network, signer: bytes) -> tuple[AmdChain | None, UnixSeconds]:
    """Give what the ledger has under a signing key's name, or None, proved; and as of when.

    Args:
        network: Which.
        signer: The signing key's certificate, as DER.
    """
    key = Apps.amd_chains.slot_key(AmdChain(signer, b"").name)
    header, storage = network.cells(Apps.ADDRESS, [public_slot(key)])
    raw = storage.cell(key)
    return (None if raw is None else AmdChain.decode(raw)), header.time


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
    raw, now = _posted(network, kind, fmspc, authority)
    if raw is None:
        raise ListsMissing(kind, fmspc, authority)
    return standing_of_lists(raw, now)


def _posted(
    network: Network, kind: str, fmspc: str, authority: str
) -> tuple[bytes | None, UnixSeconds]:
    key = Apps.intel_lists.slot_key(machine_name(kind, fmspc, authority))
    header, storage = network.cells(Apps.ADDRESS, [public_slot(key)])
    return storage.cell(key), header.time
