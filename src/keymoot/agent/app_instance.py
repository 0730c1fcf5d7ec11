"""An instance's side of an app: it shows what it is, and has what its app has.

    keys = InstanceKeys.new()                      # in memory; a start anew makes others
    instance = AppInstance(network, app, keys, produce)
    instance.register()                            # again before `expires_at`, and so on
    account = Account(instance.credential("yield", wallet))
    account.sign_transaction(...)                  # as with any credential

`produce` makes evidence of this very machine for 64 bytes of report data, in the form that
`keymoot.attest.verify` reads: of a real machine `enclave.kernel` and `attest.tsm` or `attest.nsm`,
of a simulated one `simulated(measurement)`. Whatever an instance is refused for has a code:

    EVIDENCE_STALE, UNKNOWN_NONCE, OTHER_BINDING   register anew: evidence is made again
    SAID_BEFORE                                    register anew, over a newer block
    REGISTRATION_EXPIRED, POLICY_TIGHTENED         register anew
    NO_SUCH_CREDENTIAL, NOT_REGISTERED             register
    MEASUREMENT_REFUSED, MEASUREMENT_EVICTED       this code is not (or no longer) the app's: stop
    VENDOR_REFUSED, MACHINE_REFUSED, DEBUG_ENCLAVE this machine will not do: stop
    KEY_TAKEN, INSTANCE_EVICTED                    start anew, with new keys
    APP_REMOVED, NO_SUCH_APP                       stop
    CHAIN_MISSING, LISTS_MISSING, COLLATERAL_STALE somebody has to post what the vendor publishes
    NOT_ENDORSED, MIX_REFUSED                      ask a node to endorse it; run it elsewhere
    APP_NOT_GRANTED                                the wallet's owner has to grant the app
    RAW_KEYS_REFUSED                               the app gives no keys: ask a wallet

At registering it is the `reason` of TransactionFailed, or of NetworkRefused where the network
tried it out and took no transaction. Of what is asked later it is the `reason` of PolicyRefused,
NetworkRefused, TransactionFailed or QueryReverted. `register` makes evidence anew by itself where
it is told EVIDENCE_STALE; the daemon (`keymoot.daemon.registrar`) does the rest of it.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NoReturn

from keymoot.agent.app_secrets import SecretEnvelope
from keymoot.agent.app_views import AppViews, InstanceView
from keymoot.agent.credential import Credential
from keymoot.agent.network import Network
from keymoot.agent.owner import new_key
from keymoot.agent.processes import stays_here
from keymoot.agent.query import ConfidentialQueries
from keymoot.agent.submission import TransactionFailed
from keymoot.attest import simulated as simulated_cpu
from keymoot.attest.evidence import ReportData
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, AppId, Bytes32, Measurement, WalletId
from keymoot.base.secret import Secret
from keymoot.base.units import Seconds, UnixSeconds
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.apps.evidence import instance_report, registration_digest
from keymoot.contracts.builtin.apps.record import Entries
from keymoot.crypto import hpke, secp256k1
from keymoot.store.header import Header

Produce = Callable[[ReportData], bytes]
"""Makes evidence of this machine that binds the report data."""

Endorse = Callable[[ReportData], bytes]
"""Gets a node's endorsement of what the report data bind: its Ed25519 key, and signature."""

_NO_ENTRIES: Final[Mapping[str, bytes]] = MappingProxyType({})
_OLD = "EVIDENCE_STALE"


@dataclass(frozen=True, slots=True)
class InstanceKeys:
    """Keys of one start of an instance, which stay in its memory.

    Attributes:
        signing: secp256k1: signs registrations, requests and transactions.
        encryption: X25519.
    """

    signing: Secret
    encryption: Secret

    @staticmethod
    def new() -> "InstanceKeys":
        return InstanceKeys(new_key(), Secret(secrets.token_bytes(hpke.KEY_BYTES)))

    @property
    def address(self) -> Address:
        """By which the ledger knows the instance."""
        return secp256k1.address_of_secret(self.signing)

    @property
    def public(self) -> Bytes32:
        """The public half of `encryption`."""
        return hpke.public_key(self.encryption)

    def __reduce__(self) -> NoReturn:
        """Refuse pickling: it would carry the keys."""
        stays_here("an instance's keys", "make new ones: InstanceKeys.new()")


def simulated(measurement: Measurement, *, debug: bool = False) -> Produce:
    """Give what makes SIMULATED evidence: proof of nothing, for development."""
    return lambda report: simulated_cpu.quote(measurement, report, debug=debug)


class AppInstance(AppViews):
    """One running instance of an app."""

    def __init__(
        self,
        network: Network,
        app: AppId,
        keys: InstanceKeys,
        produce: Produce,
        *,
        payer: Secret | None = None,
        endorse: Endorse | None = None,
    ) -> None:
        """Take what an instance is made of; nothing is sent yet.

        Args:
            network: The pinned network.
            app: Of which app.
            keys: Of this start.
            produce: Makes evidence.
            payer: Whose account of the ledger pays for registrations; its own if None, which
                has to have funds (on development networks: `network.faucet(keys.address)`).
            endorse: Gets an endorsement, where the app's policy asks for one.
        """
        super().__init__(network)
        self.app, self.keys = app, keys
        self._produce, self._payer, self._endorse = produce, payer, endorse

    def with_keys(self, keys: InstanceKeys) -> "AppInstance":
        """Give the same under other keys, which are not registered yet."""
        return AppInstance(
            self.network, self.app, keys, self._produce, payer=self._payer, endorse=self._endorse
        )

    def __reduce__(self) -> NoReturn:
        """Refuse pickling: it would carry the keys."""
        stays_here("an app's instance", "make new keys, and register")

    def register(
        self, lifetime: Seconds | None = None, metadata: Mapping[str, bytes] = _NO_ENTRIES
    ) -> InstanceView:
        """Register, or renew the registration; give what the ledger has then.

        Args:
            lifetime: For how long; None, and whatever is longer: as long as the app lets it.
            metadata: For whoever looks at it; it replaces what was there.

        Raises:
            TransactionFailed, NetworkRefused: the instance is not let in; see above.
        """
        shown = self.show(self.app)
        seconds = Seconds(shown.policy.lifetime_seconds if lifetime is None else lifetime)
        try:
            self._send(shown.header, seconds, metadata)
        except TransactionFailed as error:
            if error.reason != _OLD:
                raise
            # Nobody had made a block for a while; the attempt has.
            self._send(self.show(self.app).header, seconds, metadata)
        return self.instance(self.keys.address)

    def credential(self, name: str, wallet: WalletId) -> Credential:
        """Give what `Account` and its kin take, for a wallet that is granted to the app.

        It counts as long as the registration is renewed. It carries the instance's key: keep it
        in memory.
        """
        anchor, state = self.network.anchor(), self.network.wallet(wallet)
        return Credential(
            name=name,
            network=anchor.network,
            urls=self.network.nodes.urls,
            wallet=wallet,
            address=state.record.account,
            verifying_key=anchor.verifying_key,
            expires=_FOREVER,
            key=self.keys.signing,
        )

    def secrets(self) -> tuple[Mapping[str, Secret], tuple[str, ...]]:
        """Give the app's secrets by the names under which the ledger has them, and who is broken.

        What opens them stands in a sealed cell of the ledger: whoever breaks one of its enclaves
        can read that, as all confidential state.

        Raises:
            QueryReverted: the instance does not count; and as `ConfidentialQueries.view`.
        """
        asking = ConfidentialQueries(self.network, self.keys.signing)
        (raw,) = asking.view(Apps, "secretsKey").values
        opened, broken = {}, []
        for name, envelope in self.show(self.app).secrets.items():
            try:
                _, opened[name] = SecretEnvelope.decode(envelope).open(Secret(bytes(raw)))
            except Malformed:
                broken.append(name)
        return opened, tuple(broken)

    def _send(self, newest: Header, seconds: Seconds, metadata: Mapping[str, bytes]) -> None:
        keys, network = self.keys, self.network.identity().network
        told = Entries(metadata).encode()
        report = instance_report(network, self.app, keys.address, keys.public, newest.hash)
        digest = registration_digest(report, seconds, told)
        self.network.send(
            self._payer or keys.signing,
            "register",
            self.app,
            keys.address,
            keys.public,
            seconds,
            newest.encode(),
            self._produce(report),
            told,
            self._endorse(report) if self._endorse else b"",
            bytes(secp256k1.sign(keys.signing, digest)),
            contract=Apps,
        )


_FOREVER = UnixSeconds(2**63 - 1)
"""A credential's own expiry; of an instance's the ledger decides."""
