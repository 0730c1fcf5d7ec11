"""What a data folder has decided already, and options of `up` that say something else."""

from keymoot.base.errors import Refused
from keymoot.committee.genesis import Genesis
from keymoot.engine.lmdb_file import FILE_NAME
from keymoot.node.config import Config


class OtherOption(Refused, code="OTHER_OPTION"):
    """An option is that of a new network, and the folder's network has another value."""


class LedgerMissing(Refused, code="LEDGER_MISSING"):
    """The enclaves' folders are there, and the ledger is not."""


def check_ledger_is_there(config: Config) -> None:
    """Raise if enclaves have sealed something, and their ledger is gone."""
    ledger = config.data / FILE_NAME
    sealed = sorted(config.data.glob("enclave-*/*.sealed"))
    if sealed and not ledger.exists():
        raise LedgerMissing(
            f"{ledger} is missing, and {sealed[0]} belongs to it: put back a copy of the whole data "
            "folder, or start a new network with another --data"
        )


def check_options(config: Config, genesis: Genesis, members: int) -> None:
    """Raise if an option asks for another network than the one that the folder has."""
    if config.nodes is not None and config.nodes != members:
        raise OtherOption(
            f"the network in {config.data} has {members} enclaves, and --nodes {config.nodes} is "
            "for a new one: leave the option away and use `keymoot net join` or `keymoot net "
            "leave`, or start a new network with another --data"
        )
    if config.admission is not None and config.admission != genesis.admission:
        raise OtherOption(
            f"the network in {config.data} demands other things of its nodes than --admission "
            "says, and these never change: leave the option away, or start a new network with "
            "another --data"
        )
    if config.epoch_seconds is not None and config.epoch_seconds != genesis.epoch_seconds:
        raise OtherOption(
            f"an epoch of the network in {config.data} lives {genesis.epoch_seconds} seconds, and "
            f"--epoch-seconds {config.epoch_seconds} is for a new one: leave the option away "
            "(`keymoot net turn` ends an epoch now), or start a new network with another --data"
        )
