"""The instance that a network knows: what the daemon's servers speak for.

Its keys are made at the start and stay in memory: nothing of them is on a disk, so a copy of the
daemon's folder is of no use elsewhere. No node is believed: what is read is proved, and what is
put together is checked, as everywhere in `keymoot.agent`.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from keymoot.agent.account import Account
from keymoot.agent.app_instance import AppInstance, InstanceKeys, Produce
from keymoot.agent.app_keys import AppKeys
from keymoot.agent.app_views import InstanceView
from keymoot.agent.errors import NetworkRefused
from keymoot.agent.processes import stays_here
from keymoot.agent.submission import GasBeyond, TransactionFailed
from keymoot.agent.views import WalletViews
from keymoot.attest.evidence import ReportData
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32, WalletId
from keymoot.base.secret import Secret
from keymoot.base.strict_json import Json, parse
from keymoot.base.units import Gas, Seconds, UnixSeconds, Wei
from keymoot.contracts.builtin.apps.errors import NotRegistered
from keymoot.contracts.builtin.keys import AppKeyKind
from keymoot.crypto import secp256k1
from keymoot.daemon.errors import BadArgument, NotServed, TransactionRefused
from keymoot.daemon.port import (
    CallOutcome,
    GrantedWallet,
    InstanceIdentity,
    KeyKind,
    LedgerCall,
    OpenedSecrets,
)
from keymoot.daemon.reserve import RESERVE_WEI, Reserve
from keymoot.policy.document import MAX_DOCUMENT_BYTES

MAX_CALL_GAS = Gas(5_000_000)
"""Most gas that one transaction of an agent's has, whether it names it or has it estimated."""

TRANSFER_GAS = 100_000
"""Of which what a transfer of the ledger's tokens takes is a part; the rest is left behind."""


class JoinedInstance:
    """One instance of an app on a network.

    The account of an instance counts its transactions, so one is sent after the other.
    """

    def __init__(
        self, instance: AppInstance, produce: Produce, wallets: Mapping[str, WalletId]
    ) -> None:
        """Register an instance; its evidence is what `produce` makes, its wallets are by name.

        Raises:
            TransactionFailed, NetworkRefused: it is not let in; see `agent.app_instance`.
        """
        self._instance, self._produce, self._wallets = instance, produce, dict(wallets)
        self._keys = AppKeys(instance.network, instance.keys, instance.app)
        self._reserve = self._reserve_of(instance)
        self._signers: dict[str, GrantedWallet] = {}
        self._lock, self._sending = threading.Lock(), threading.Lock()
        anchor = instance.network.anchor()
        shown, registered = instance.show(instance.app), instance.register()
        self._took(registered)
        self._told: Mapping[str, bytes] = {}
        self._identity = InstanceIdentity(
            app=instance.app,
            name=_words(shown.metadata.get("name", b""))[:128],
            key=instance.keys.address,
            encryption=instance.keys.public,
            measurement=registered.measurement,
            vendor=registered.vendor,
            network=anchor.network,
            verifying_key=anchor.verifying_key,
        )

    def __reduce__(self) -> NoReturn:
        """Refuse pickling: it would carry the instance's keys."""
        stays_here("a joined instance", "start a daemon")

    @property
    def identity(self) -> InstanceIdentity:
        return self._identity

    def derive(self, name: bytes, kind: KeyKind = KeyKind.RAW_256) -> Secret:
        with self._sending:
            self._check_spared()
            return self._keys.derive(name, AppKeyKind[kind.name])

    def gives_keys(self) -> bool:
        return self._instance.show(self._instance.app).policy.raw_keys

    def vouch(self, digest: Bytes32) -> bytes:
        return bytes(secp256k1.sign(self._instance.keys.signing, digest))

    def evidence(self, report: ReportData) -> bytes:
        return self._produce(report)

    def submit(self, call: LedgerCall) -> CallOutcome:
        """Send a transaction; tell what it came to, be it that a contract refused it.

        That it was carried out, or failed in a block, is proved; what it returned, or why it
        failed, is the nodes' word. What a node tried out and was refused is not signed.

        Raises:
            TransactionRefused: too much gas, or it could take what registrations are paid with.
            NetworkRefused: it was not taken, and no contract said so.
        """
        sending, key = self._instance.network.submission(), self._instance.keys.signing
        try:
            with self._sending:
                self._check_affords(call)
                self._reserve.forget()
                receipt = sending.call(
                    key,
                    call.to,
                    call.data,
                    call.value,
                    "the transaction",
                    call.gas,
                    most_gas=MAX_CALL_GAS,
                )
        except GasBeyond as error:
            raise TransactionRefused(str(error)) from error
        except TransactionFailed as error:
            return CallOutcome(fine=False, reason=error.reason, message=str(error))
        except NetworkRefused as error:
            # Nothing was sent: a node tried it out, to know how much gas it takes.
            if not error.reverted:
                raise
            return CallOutcome(fine=False, reason=error.reason, message=str(error))
        return CallOutcome(fine=True, output=sending.output(receipt))

    def _check_affords(self, call: LedgerCall) -> None:
        if call.gas > MAX_CALL_GAS:
            raise TransactionRefused(
                f"gas of {call.gas} is asked for, at most {MAX_CALL_GAS} are spent on a "
                "transaction of an agent's: ask for less, or for 0 to have it estimated"
            )
        network = self._instance.network
        held = network.account(self._identity.key).balance
        fee = (call.gas or MAX_CALL_GAS) * network.identity().base_fee
        if held < call.value + fee + RESERVE_WEI:
            raise TransactionRefused(
                f"the instance has {held} wei, of which {RESERVE_WEI} are kept for its "
                f"registrations: {call.value} and gas of up to {fee} are more than the rest. Send "
                "less, or tokens to the instance"
            )

    def query(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Answer what can be proved; `rofl_queries` has the list."""
        if method == "rofl.App":
            return self._app()
        if method == "rofl.AppInstance":
            return self._app_instance(_address(arguments, "rak"))
        if method == "evm.Balance":
            held = self._instance.network.account(_address(arguments, "address")).balance
            return held.to_bytes(32, "big")
        raise NotServed(f"{method} is answered by nothing that this ledger proves")

    @property
    def wallets(self) -> Sequence[str]:
        return tuple(self._wallets)

    def signer(self, wallet: str) -> GrantedWallet:
        with self._lock:
            if wallet not in self._signers:
                held = self._instance.credential(wallet, self._wallets[wallet])
                self._signers[wallet] = Account(held)
            return self._signers[wallet]

    def policy(self, wallet: str) -> dict[str, Json]:
        views, identifier = WalletViews(self._instance.network), self._wallets[wallet]
        kept, raw = views.show(identifier), views.policy(identifier)
        document = parse(raw, MAX_DOCUMENT_BYTES) if raw else None
        return {"wallet": identifier.hex0x, "version": kept.policy_version, "policy": document}

    def register(self, metadata: Mapping[str, bytes]) -> UnixSeconds:
        with self._sending:
            if metadata != self._told:  # at the agent's wish
                self._check_spared()
            self._reserve.forget()
            self._took(self._instance.register(metadata=metadata))
            self._told = dict(metadata)
            return self.expires_at

    def _took(self, registered: InstanceView) -> None:
        self.expires_at = registered.expires_at
        self.counts_seconds = Seconds(registered.expires_at - registered.registered_at)

    @staticmethod
    def _reserve_of(instance: AppInstance) -> Reserve:
        network, account = instance.network, instance.keys.address
        return Reserve(lambda: network.balance(account), lambda: network.identity().base_fee)

    def _check_spared(self) -> None:
        """Raise unless the account has more than what registrations are paid with."""
        held = self._reserve.lacks()
        if held is not None:
            raise TransactionRefused(
                f"the instance has {held} wei, and {RESERVE_WEI} are kept for its registrations: "
                f"send tokens to {self._instance.keys.address.hex0x}"
            )

    def objection(self) -> str:
        try:
            return self._instance.instance(self._identity.key).objection
        except NotRegistered as error:
            return error.code

    def begin_anew(self) -> None:
        """Give what the old account holds to that of new keys; the old are forgotten."""
        old, network = self._instance, self._instance.network
        made = old.with_keys(InstanceKeys.new())
        with self._sending, self._lock:
            fee = TRANSFER_GAS * network.identity().base_fee
            left = network.account(old.keys.address).balance - fee
            if left > 0:
                sending = network.submission()
                sending.call(old.keys.signing, made.keys.address, b"", Wei(left), "the transfer")
            self._instance = made
            self._keys = AppKeys(network, made.keys, made.app)
            self._reserve = self._reserve_of(made)
            self._signers.clear()
            self._identity = replace(
                self._identity, key=made.keys.address, encryption=made.keys.public
            )

    def secrets(self) -> OpenedSecrets:
        return OpenedSecrets(*self._instance.secrets())

    def _app(self) -> dict[str, Any]:
        shown = self._instance.show(self._instance.app)
        enclaves = [
            {"mr_enclave": bytes(measurement), "mr_signer": bytes(32)}
            for measurement in shown.policy.measurements
        ]
        return {
            "id": bytes(shown.app),
            "admin": bytes(shown.admin),
            "policy": {"enclaves": enclaves, "vendors": list(shown.policy.vendors)},
            "metadata": {name: _words(value) for name, value in shown.metadata.items()},
            "secrets": dict(shown.secrets),
            "sek": bytes(shown.secrets_key),
        }

    def _app_instance(self, key: Address) -> dict[str, Any]:
        instance = self._instance.instance(key)
        return {
            "app": bytes(instance.app),
            "rak": bytes(instance.key),
            "rek": bytes(instance.encryption),
            "expiration": instance.expires_at,
            "extra_keys": [],
            "metadata": {name: _words(value) for name, value in instance.metadata.items()},
        }


def _address(arguments: Mapping[str, Any], name: str) -> Address:
    try:
        return Address(arguments[name])
    except (KeyError, TypeError, Malformed) as error:
        raise BadArgument("an address of 20 bytes is expected", name) from error


def _words(value: bytes) -> str:
    return value.decode("utf-8", "replace")
