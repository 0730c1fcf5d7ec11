"""What the daemon's servers need of the instance that they speak for.

`joined.JoinedInstance` is the one that a network knows; tests have another, in memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from keymoot.attest.evidence import ReportData
from keymoot.base.fixed import Address, AppId, Bytes32, Measurement, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.strict_json import Json
from keymoot.base.units import Gas, Seconds, UnixSeconds, Wei


class KeyKind(Enum):
    """Kinds of keys that are derived for an app, by ROFL's names."""

    RAW_256 = "raw-256"
    RAW_384 = "raw-384"
    ED25519 = "ed25519"
    SECP256K1 = "secp256k1"


@dataclass(frozen=True, slots=True)
class InstanceIdentity:
    """Who the instance is; none of it is secret.

    Attributes:
        app: Of which app.
        name: What the app's metadata call it; may be empty.
        key: The address of the key with which it is registered.
        encryption: Its X25519 key.
        measurement: What its evidence shows.
        vendor: Who vouches for that.
        network: The ledger's id.
        verifying_key: Under which the ledger's blocks are certified.
    """

    app: AppId
    name: str
    key: Address
    encryption: Bytes32
    measurement: Measurement
    vendor: str
    network: NetworkId
    verifying_key: bytes

    @property
    def simulated(self) -> bool:
        return self.vendor == "simulated"


@dataclass(frozen=True, slots=True)
class LedgerCall:
    """A transaction that the agent wants on the ledger, from the instance's own account.

    `to` is None where a contract is to be made; `gas` of 0 lets the ledger estimate.
    """

    to: Address | None
    value: Wei
    data: bytes
    gas: Gas


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What became of a transaction that is in a certified block.

    Attributes:
        fine: It was carried out.
        output: What the call returned; empty where that is not known.
        reason: The contract's word, where it was refused.
        message: And for people.
    """

    fine: bool
    output: bytes = b""
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class OpenedSecrets:
    """An app's secrets by the ledger's names for them; `closed` are those that did not open."""

    values: Mapping[str, Secret]
    closed: tuple[str, ...]


class GrantedWallet(Protocol):
    """A wallet that the app was granted: what `keymoot.agent.Account` is."""

    @property
    def address(self) -> str: ...

    def sign_transaction(
        self, transaction_dict: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Any: ...

    def sign_message(self, signable_message: Any, *, idempotency_key: str | None = None) -> Any: ...

    def sign_payload(
        self, method: str, payload: bytes, *, idempotency_key: str | None = None
    ) -> Any: ...

    def sign_typed_data(
        self, *, full_message: dict[str, Any], idempotency_key: str | None = None
    ) -> Any: ...


class RegisteredInstance(Protocol):
    """The instance, which is registered; safe to use from threads.

    Each method that asks the network raises what `keymoot.agent` does.
    """

    @property
    def expires_at(self) -> UnixSeconds:
        """The last second at which its newest registration counts."""
        ...

    @property
    def counts_seconds(self) -> Seconds:
        """For how long it counts from its block on."""
        ...

    @property
    def identity(self) -> InstanceIdentity: ...

    def derive(self, name: bytes, kind: KeyKind = KeyKind.RAW_256) -> Secret:
        """Give the app's key of that name and kind, the same for each instance, for ever.

        32 bytes, of RAW_384 48. Refused where the app's policy lets no keys out.
        """
        ...

    def gives_keys(self) -> bool:
        """Whether the app's policy lets keys out, as the ledger has it now."""
        ...

    def vouch(self, digest: Bytes32) -> bytes:
        """Sign with the instance's registered key; for the daemon's own claims alone."""
        ...

    def evidence(self, report: ReportData) -> bytes:
        """Give evidence of this machine that binds 64 bytes, as `attest.verify` reads it."""
        ...

    def submit(self, call: LedgerCall) -> CallOutcome:
        """Send a transaction of the instance's own account, and wait for its block."""
        ...

    def query(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Ask the ledger what ROFL's clients ask a ParaTime; results are CBOR's."""
        ...

    @property
    def wallets(self) -> Sequence[str]:
        """The names of the wallets that this instance signs with."""
        ...

    def signer(self, wallet: str) -> GrantedWallet: ...

    def policy(self, wallet: str) -> dict[str, Json]:
        """Give a wallet's policy and its version, proved."""
        ...

    def register(self, metadata: Mapping[str, bytes]) -> UnixSeconds:
        """Renew the registration; give the last second at which that counts."""
        ...

    def objection(self) -> str:
        """Give the ledger's word for why the instance counts for nothing; empty where it counts."""
        ...

    def begin_anew(self) -> None:
        """Go on under new keys, which `register` registers; the tokens go along."""
        ...

    def secrets(self) -> OpenedSecrets:
        """Give the app's secrets as they are now."""
        ...
