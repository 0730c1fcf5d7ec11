"""What broken enclaves give away: with the fuse keys of some CPUs, and a copy of the folder.

Opens what they have sealed as the enclaves would, with the code as it stands here, and does the
committee's arithmetic in one place, which no enclave ever does.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from keymoot.base.errors import Refused
from keymoot.base.fixed import Bytes32, Measurement, NetworkId, WalletId
from keymoot.base.secret import Secret
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.roots import ECDSA, ROOTS
from keymoot.committee.wallet_key import path_of
from keymoot.contracts.builtin.vault import Vault
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.crypto.keccak import keccak256
from keymoot.enclave.sealed_state import SealedState, open_sealed_state
from keymoot.enclave.simulated import SimulatedPlatform, read_fuse
from keymoot.engine.folder import open_chain, stored_genesis
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.node.config import Config
from keymoot.runtime.committee_pages import committee_in, version_of
from keymoot.store.confidential import ConfidentialStore
from keymoot.store.journal import Journal
from keymoot.store.keys import StateKeys
from keymoot.store.meter import FreeMeter
from keymoot.store.state import State
from keymoot.threshold import derivation, dkg
from keymoot.threshold.polynomial import interpolate
from keymoot.threshold.rng import SEED_BYTES, SeededRng
from keymoot.threshold.secp256k1 import SECP256K1


@dataclass(frozen=True, slots=True)
class Broken:
    """Enclaves whose fuse keys somebody has.

    Attributes:
        sealed: What each keeps for ever, by seat.
        network: Theirs.
        state: Of the ledger, as the copy of the folder has it.
    """

    sealed: dict[int, SealedState]
    network: NetworkId
    state: State

    def threshold_key(self, wallet: WalletId) -> Secret:
        """Give what their shares make of a wallet's key: the key, if they are enough.

        Of too few it is just some number.
        """
        machine = committee_in(self.state, self.network)
        shares = {
            seat: share_of(machine, ECDSA, seat, one.epoch) for seat, one in self.sealed.items()
        }
        tweak = derivation.tweak(machine.state.root(ECDSA), self.network, path_of(wallet))
        return SECP256K1.add_scalars((interpolate(SECP256K1, shares), SECP256K1.hide(tweak)))

    def vault_key(self, wallet: WalletId) -> Secret:
        """Give the key of a wallet that Vault keeps, with the state secret of one of them.

        Raises:
            Refused: there is no such key.
        """
        one = next(iter(self.sealed.values()))
        keys = StateKeys(one.state, self.network).at(version_of(self.state))
        cells = ConfidentialStore(Journal(self.state), Vault.ADDRESS, keys, None, FreeMeter())
        key = Vault.keys.get(cells, Bytes32(keccak256(Wallets.ADDRESS + wallet)))
        if key is None:
            raise Refused("Vault has no key of this wallet")
        return Secret(key)


@contextmanager
def opened(data: Path, fuse: Path, seats: Iterable[int], code: Measurement) -> Iterator[Broken]:
    """Open what some seats have sealed in a copy of a data folder.

    Args:
        data: The copy.
        fuse: The simulated CPUs' fuse files, as `up` names them.
        seats: Whose fuse files there are.
        code: What the code measures, or is said to measure.

    Raises:
        Refused: it does not open, or the folder is nobody's.
    """
    config = Config(data, fuse)
    sealed = {}
    for seat in seats:
        key = read_fuse(config.fuse_of(seat), data)
        sealed[seat] = open_sealed_state(config.enclave_folder(seat), SimulatedPlatform(key, code))
    store = LmdbStore(data)
    try:
        genesis = stored_genesis(store)
        if genesis is None:
            raise Refused("the folder has no ledger")
        chain = open_chain(store, genesis)
        try:
            yield Broken(sealed, genesis.network, chain.state())
        finally:
            chain.close()
    finally:
        store.close()


def share_of(machine: CommitteeMachine, name: str, seat: int, epoch: Secret) -> Secret:
    """Compute a seat's share of a root, as its enclave does after a restart.

    Args:
        machine: The committee, in the epoch of the key generation.
        name: Of the root.
        seat: Whose share.
        epoch: Secret half of the seat's sealing key in that epoch.
    """
    place = next(at for at, kind in enumerate(ROOTS) if kind.name == name)
    to = machine.keygen.setting().recipients(place)
    openings = {at: given[place] for at, given in machine.keygen.openings().items()}
    shares, _ = dkg.receive(to, seat, epoch, openings, SeededRng(Secret(bytes(SEED_BYTES))))
    return to.group.add_scalars(list(shares.values()))
