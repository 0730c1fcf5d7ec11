"""Who keeps the keys now: proved to us, so that no node is believed.

Who pins a network's id checks its founding once and has the verifying key; who pins that key
as well needs nothing else. Under it a certified header proves a state, and the state says who
the members are, with their keys and what their shares are committed to. The newest header seen
is remembered, in a file where there is one (`seen`): nothing from before it is believed, and
nothing that does not build on it.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from keymoot.agent.errors import AnotherNetwork, LeftBehind, NetworkRefused, Unproven
from keymoot.agent.nodes import Rpc
from keymoot.agent.processes import Forked
from keymoot.agent.seen import Seen
from keymoot.base import hexes
from keymoot.base.errors import KeymootError, Malformed
from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId, WalletId
from keymoot.base.units import Height
from keymoot.committee.certified import NotCertified
from keymoot.committee.founding_record import NotFounded
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.record import RequestRecord
from keymoot.proof.bundle import ProofBundle
from keymoot.proof.chain import FollowedChain, Shown, read_steps
from keymoot.proof.committee import ProvenCommittee, check_committee
from keymoot.proof.errors import DescentMissing, NotProven, OlderHeader, OtherBranch
from keymoot.proof.founding import Anchor, Founding
from keymoot.proof.log import Page, check_log, check_record, record_slot
from keymoot.proof.receipt import ProvenReceipt, ReceiptProof
from keymoot.proof.state import AccountProof, Storage
from keymoot.proof.wallet import ProvenWallet, check_wallet
from keymoot.store.account import AccountState
from keymoot.store.header import Header
from keymoot.threshold.errors import BadCommittee

ATTEMPTS = 4
"""How often a proof is asked for anew while blocks go on coming."""

_ANY = Bytes32(bytes(Bytes32.LENGTH))
"""A slot to ask for, where only the account itself is of interest."""

_NOT_BELIEVED = (Malformed, NotProven, NotCertified, NotFounded, BadCommittee)


class ProvenState(Forked):
    """The members of one network, as far as we have followed; serves any number of threads.

    Whatever is asked raises Unproven where what came does not prove it, and NetworkUnreachable,
    ConnectionLost, NetworkRefused or NetworkBusy as their names say.
    """

    def __init__(
        self, network: NetworkId, verifying_key: bytes | None = None, seen: Seen | None = None
    ) -> None:
        """Pin a network by its id, and by its verifying key; None to learn it from the founding."""
        super().__init__()
        self._network, self._seen = network, seen
        self._lock = threading.RLock()
        self._chain: FollowedChain | None = None
        if verifying_key is not None:
            self._chain = self._begun(Anchor(network, verifying_key))
        self._committee: ProvenCommittee | None = None

    def begin_in_child(self) -> None:
        """Take a new lock: a thread of the parent may hold the old one."""
        self._lock = threading.RLock()

    @property
    def faults(self) -> int:
        """How many members may be silent or lie; 0 before they are known."""
        return 0 if self._committee is None else self._committee.committee.faults

    def anchor(self, transport: Rpc, timeout_seconds: float) -> Anchor:
        """Give the network's id and verifying key, after the founding was checked once."""
        return self._followed(transport, timeout_seconds).anchor

    def committee(self, transport: Rpc, timeout_seconds: float) -> ProvenCommittee:
        """Give the members as they were when last looked at."""
        known = self._committee
        return self.renewed(transport, timeout_seconds) if known is None else known

    def renewed(self, transport: Rpc, timeout_seconds: float) -> ProvenCommittee:
        """Give the members of now."""
        header, proof = self.proven(transport, timeout_seconds, "keymoot_committee")
        key = self._followed(transport, timeout_seconds).anchor.verifying_key
        with _believing():
            committee = check_committee(proof, header, key)
        with self._lock:
            known = self._committee
            # Another thread may have seen a newer one.
            if known is None or committee.header.height >= known.header.height:
                self._committee = known = committee
            return known

    def wallet(self, transport: Rpc, timeout_seconds: float, wallet: WalletId) -> ProvenWallet:
        """Give a wallet as it is now; NoSuchWallet where it is proved that there is none."""
        roots = self.committee(transport, timeout_seconds).roots
        header, proof = self.proven(transport, timeout_seconds, "keymoot_wallet", wallet.hex0x)
        with _believing():
            return check_wallet(proof, header, self._network, wallet, roots)

    def proven(
        self, transport: Rpc, timeout_seconds: float, method: str, *params: Any
    ) -> tuple[Header, AccountProof]:
        """Call a method that answers with a bundle.

        Give its proof and the header, which is believed.
        """
        for left in reversed(range(ATTEMPTS)):
            chain = self._followed(transport, timeout_seconds)
            told = transport.call(method, params, timeout_seconds)
            try:
                with _believing():
                    bundle = ProofBundle.from_json(told)
                anchor = self._anchor_for(chain, bundle.shown, transport, timeout_seconds)
                # No lock is held while a node is asked: one that hangs would stop all threads.
                with self._lock, _believing():
                    chain = replace(self._chain or chain, anchor=anchor)
                    self._believe(chain.follow(bundle.shown))
            except Unproven as error:
                raise self._named(transport, timeout_seconds, error) from error
            except DescentMissing as error:
                # A recovery made another generation: see that it builds on what we saw.
                self._descend(transport, timeout_seconds, chain, error.name)
            except OtherBranch as error:
                raise self._left_behind(chain, error) from error
            except OlderHeader as error:
                if not left:
                    raise Unproven(error) from error
            else:
                return bundle.shown.header, bundle.proof
        raise Unproven("recoveries come faster than they can be followed")

    def log(
        self, transport: Rpc, timeout_seconds: float, wallet: WalletId, start: int, count: int
    ) -> Page:
        """Give a page of a wallet's log as it is now, of at most `MAX_PAGE` entries, whole."""
        asked = wallet.hex0x, hexes.quantity(start), hexes.quantity(count)
        header, proof = self.proven(transport, timeout_seconds, "keymoot_log", *asked)
        with _believing():
            return check_log(proof, header, wallet, start, count)

    def record(
        self, transport: Rpc, timeout_seconds: float, request: Hash32
    ) -> tuple[Header, RequestRecord | None]:
        """Give a request's record as it is now; None where no block has decided it."""
        slot = record_slot(request)
        header, storage = self.cells(transport, timeout_seconds, Wallets.ADDRESS, [slot])
        with _believing():
            return header, check_record(storage, request)

    def cells(
        self, transport: Rpc, timeout_seconds: float, address: Address, slots: Sequence[Bytes32]
    ) -> tuple[Header, Storage]:
        """Give cells of a contract as they are now, absent ones too."""
        wanted = [slot.hex0x for slot in slots]
        header, proof = self.proven(
            transport, timeout_seconds, "keymoot_cells", address.hex0x, wanted
        )
        with _believing():
            if proof.address != address or {slot.slot for slot in proof.slots} != set(slots):
                raise NotProven("the proof is of other cells than were asked for")
            return header, proof.check(header.state_root)

    def account(
        self, transport: Rpc, timeout_seconds: float, address: Address
    ) -> tuple[Header, AccountState]:
        """Give an account's nonce and balance as they are now."""
        header, storage = self.cells(transport, timeout_seconds, address, [_ANY])
        return header, storage.account

    def certified(self, transport: Rpc, timeout_seconds: float, height: Height) -> Header:
        """Give the header of one block with a certificate of its own, on the branch we follow."""
        anchor = self._followed(transport, timeout_seconds).anchor
        told = transport.call("keymoot_certified", [hexes.quantity(height)], timeout_seconds)
        with _believing():
            shown = Shown.from_json(told)
            if shown.header.height != height:
                raise NotProven(f"block {height} has no certificate of its own")
        self._see_past(transport, timeout_seconds, shown, anchor)
        return shown.header

    def receipt(self, transport: Rpc, timeout_seconds: float, name: Hash32) -> ProvenReceipt:
        """Give the receipt of a transaction that is in a certified block."""
        anchor = self._followed(transport, timeout_seconds).anchor
        told = transport.call("keymoot_receipt", [name.hex0x], timeout_seconds)
        with _believing():
            proof = ReceiptProof.from_json(told)
        self._see_past(transport, timeout_seconds, proof.shown, anchor)
        with _believing():
            check = proof.check(proof.shown.header)
            if check.hash != name:
                raise NotProven("the receipt is another transaction's")
            return check

    def _see_past(
        self, transport: Rpc, timeout_seconds: float, shown: Shown, anchor: Anchor
    ) -> None:
        """Believe a certified header as `_believe_past`, over a recovery too."""
        for _ in range(ATTEMPTS):
            chain = self._chain or self._begun(anchor)
            try:
                with _believing():
                    return self._believe_past(shown, anchor)
            except DescentMissing as error:
                self._descend(transport, timeout_seconds, chain, error.name)
        raise Unproven("recoveries come faster than they can be followed")

    def _believe_past(self, shown: Shown, anchor: Anchor) -> None:
        """Believe a certified header on the branch that we follow, from before the newest too."""
        shown.check(anchor)
        header = shown.header
        with self._lock:
            chain = self._chain or self._begun(anchor)
            newest = chain.newest
            # Another thread may have seen a newer one: in a generation there is one branch.
            if newest is not None and header.height < newest.height:
                if header.generation != newest.generation:
                    raise Unproven(OlderHeader(header.height, newest.height))
                return
            try:
                self._believe(chain.follow(shown))
            except OtherBranch as error:
                raise self._left_behind(chain, error) from error

    def close(self) -> None:
        if self._seen is not None:
            self._seen.flush()

    def _descend(
        self, transport: Rpc, timeout_seconds: float, chain: FollowedChain, name: Hash32
    ) -> None:
        """Follow the network over a recovery, by what leads from the block that we saw."""
        try:
            told = transport.call("keymoot_follow", [name.hex0x], timeout_seconds)
        except NetworkRefused as error:
            raise self._left_behind(chain, error) from error
        followed = chain
        try:
            with _believing():
                for step in read_steps(told):
                    followed = followed.follow(step.shown, step.descent)
        except OtherBranch as error:
            raise self._left_behind(chain, error) from error
        with self._lock:
            if self._chain is None or self._chain.newest == chain.newest:
                self._believe(followed)

    def _left_behind(self, chain: FollowedChain, why: Exception) -> Unproven:
        newest = chain.newest
        if newest is None:
            return Unproven(why)
        path = None if self._seen is None else self._seen.path
        return LeftBehind(newest.height, newest.hash, path, why)

    def _believe(self, chain: FollowedChain) -> None:
        self._chain = chain
        if self._seen is not None and chain.newest is not None:
            self._seen.note(chain.newest)

    def _begun(self, anchor: Anchor) -> FollowedChain:
        return FollowedChain(anchor, None if self._seen is None else self._seen.newest)

    def _followed(self, transport: Rpc, timeout_seconds: float) -> FollowedChain:
        known = self._chain
        if known is not None:
            return known
        told = transport.call("keymoot_founding", [], timeout_seconds)
        anchor = anchor_of(told, self._network)
        with self._lock:
            if self._chain is None:
                self._chain = self._begun(anchor)
            return self._chain

    def _anchor_for(
        self, chain: FollowedChain, shown: Shown, transport: Rpc, timeout_seconds: float
    ) -> Anchor:
        """Fetch the founding record for who pins the key alone, if it has to certify a block."""
        anchor = chain.anchor
        if shown.certificate is not None or anchor.founded is not None:
            return anchor
        told = transport.call("keymoot_founding", [], timeout_seconds)
        newest = anchor_of(told, self._network)
        if newest.verifying_key != anchor.verifying_key:
            raise Unproven("its founding record names another verifying key than is pinned here")
        return newest

    def _named(self, transport: Rpc, timeout_seconds: float, error: Unproven) -> Unproven:
        """Say so, where it is another network that answers, and says who it is."""
        with suppress(KeymootError):
            told = transport.call("keymoot_network", [], timeout_seconds)
            name = told.get("network") if isinstance(told, dict) else told
            network = NetworkId.from_hex(str(name))
            if network != self._network:
                return AnotherNetwork(transport.url, network.hex0x, self._network.hex0x)
        return error


def anchor_of(told: Any, network: NetworkId) -> Anchor:
    """Read the answer of keymoot_founding; Unproven where it does not make this network."""
    with _believing():
        return Founding.from_json(told).check(network).anchor


@contextmanager
def _believing() -> Iterator[None]:
    try:
        yield
    except _NOT_BELIEVED as error:
        raise Unproven(error) from error
