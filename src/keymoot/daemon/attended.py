"""The instance as the sockets see it: while it counts for nothing, it says why and until when.

What the network refuses because of who we are wakes the registrar, which looks and registers
again. Meanwhile nothing is asked that would be refused, and paid for, too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from keymoot.attest.evidence import ReportData
from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.base.strict_json import Json
from keymoot.base.units import Seconds, UnixSeconds
from keymoot.contracts.builtin.apps.errors import STANDING_ERRORS, RawKeysRefused
from keymoot.daemon.errors import InstanceOut
from keymoot.daemon.port import (
    CallOutcome,
    GrantedWallet,
    InstanceIdentity,
    KeyKind,
    LedgerCall,
    OpenedSecrets,
    RegisteredInstance,
)
from keymoot.daemon.registrar import Registrar, reason_of

OUT: Final = frozenset(error.code for error in STANDING_ERRORS if error is not RawKeysRefused) | {
    "NO_SUCH_CREDENTIAL",
    "QUERY_REVERTED",
}
"""What is said of questions of an instance that does not count."""

Attend = Callable[[], Any]


class AttendedInstance:
    """An instance whose registrar hears of each refusal that concerns its registration."""

    def __init__(self, instance: RegisteredInstance, registrar: Registrar) -> None:
        self._instance, self._registrar = instance, registrar

    @contextmanager
    def _attending(self) -> Iterator[None]:
        """InstanceOut: it does not count now."""
        if out := self._registrar.out:
            self._registrar.doubt()
            raise InstanceOut(out, self._registrar.tries_in_seconds)
        try:
            yield
        except KeymootError as error:
            if reason_of(error) in OUT:
                self._registrar.doubt()
            raise

    @property
    def expires_at(self) -> UnixSeconds:
        return self._instance.expires_at

    @property
    def counts_seconds(self) -> Seconds:
        return self._instance.counts_seconds

    @property
    def identity(self) -> InstanceIdentity:
        return self._instance.identity

    def derive(self, name: bytes, kind: KeyKind = KeyKind.RAW_256) -> Secret:
        with self._attending():
            return self._instance.derive(name, kind)

    def check_counts(self) -> None:
        """Ask the ledger whether the instance counts, for what would not ask it by itself.

        InstanceOut: it does not.
        """
        with self._attending():
            objection = self._instance.objection()
        if objection:
            self._registrar.doubt()
            raise InstanceOut(objection, self._registrar.tries_in_seconds)

    def gives_keys(self) -> bool:
        return self._instance.gives_keys()

    def vouch(self, digest: Bytes32) -> bytes:
        with self._attending():
            return self._instance.vouch(digest)

    def evidence(self, report: ReportData) -> bytes:
        return self._instance.evidence(report)

    def submit(self, call: LedgerCall) -> CallOutcome:
        with self._attending():
            return self._instance.submit(call)

    def query(self, method: str, arguments: Mapping[str, Any]) -> Any:
        return self._instance.query(method, arguments)

    @property
    def wallets(self) -> Sequence[str]:
        return self._instance.wallets

    def signer(self, wallet: str) -> GrantedWallet:
        return _AttendedSigner(self._instance.signer(wallet), self._attending)

    def policy(self, wallet: str) -> dict[str, Json]:
        return self._instance.policy(wallet)

    def register(self, metadata: Mapping[str, bytes]) -> UnixSeconds:
        return self._instance.register(metadata)

    def objection(self) -> str:
        return self._instance.objection()

    def begin_anew(self) -> None:
        self._instance.begin_anew()

    def secrets(self) -> OpenedSecrets:
        with self._attending():
            return self._instance.secrets()


class _AttendedSigner:
    def __init__(self, signer: GrantedWallet, attending: Attend) -> None:
        self._signer, self._attending = signer, attending

    @property
    def address(self) -> str:
        return self._signer.address

    def sign_transaction(
        self, transaction_dict: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Any:
        with self._attending():
            return self._signer.sign_transaction(transaction_dict, idempotency_key=idempotency_key)

    def sign_message(self, signable_message: Any, *, idempotency_key: str | None = None) -> Any:
        with self._attending():
            return self._signer.sign_message(signable_message, idempotency_key=idempotency_key)

    def sign_payload(
        self, method: str, payload: bytes, *, idempotency_key: str | None = None
    ) -> Any:
        with self._attending():
            return self._signer.sign_payload(method, payload, idempotency_key=idempotency_key)

    def sign_typed_data(
        self, *, full_message: dict[str, Any], idempotency_key: str | None = None
    ) -> Any:
        with self._attending():
            return self._signer.sign_typed_data(
                full_message=full_message, idempotency_key=idempotency_key
            )
