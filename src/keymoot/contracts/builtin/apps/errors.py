"""What Apps refuses: a word for each, by which a client knows what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from keymoot.attest.vendors import NoAmdChain, NoIntelLists, OlderThanKept
from keymoot.base.fixed import Address, AppId, Measurement
from keymoot.base.units import UnixSeconds
from keymoot.contracts.framework.errors import ContractError, ToldInWords

ANEW = "register with fresh evidence"


class NoSuchApp(ContractError, code="NO_SUCH_APP"):
    """No app has that id."""

    SIGNATURE = "NoSuchApp(bytes21)"

    def __init__(self, app: AppId) -> None:
        super().__init__(f"there is no app {app.text} on this network", app)


class AppExists(ContractError, code="APP_EXISTS"):
    """The id was given before."""

    SIGNATURE = "AppExists(bytes21)"

    def __init__(self, app: AppId) -> None:
        super().__init__(f"{app.text} exists: create one app in a transaction", app)


class AppRemoved(ContractError, code="APP_REMOVED"):
    """Its admin took it away."""

    SIGNATURE = "AppRemoved(bytes21)"

    def __init__(self, app: AppId) -> None:
        super().__init__(f"{app.text} was removed by its admin", app)


class NotAdmin(ContractError, code="NOT_ADMIN"):
    SIGNATURE = "NotAdmin()"
    message = "only the app's admin may do this, with a signed transaction"


class UnknownScheme(ContractError, code="UNKNOWN_SCHEME"):
    SIGNATURE = "UnknownScheme()"
    message = "an app is named by its place (0) or by its creator's nonce (1)"


class StaleApp(ContractError, code="STALE_APP"):
    """The app was changed since its admin looked at it."""

    SIGNATURE = "StaleApp(uint64)"

    def __init__(self, version: int) -> None:
        super().__init__(
            f"the app is at version {version} now: look again, then change it", version
        )


# What speaks against evidence, when an instance registers


class UnknownNonce(ContractError, code="UNKNOWN_NONCE"):
    """The header is of no block of this chain, or of a very old one."""

    SIGNATURE = "UnknownNonce()"
    message = (
        "the header is of no recent block of this network: take its newest certified block, and "
        "have evidence made for that"
    )


class EvidenceStale(ContractError, code="EVIDENCE_STALE"):
    """The block that evidence names is too old."""

    SIGNATURE = "EvidenceStale(uint64,uint64)"

    def __init__(self, age: int, most: int) -> None:
        super().__init__(
            f"the block that this evidence names is {age} s old, at most {most} s are accepted: "
            "have evidence made for the newest certified block",
            age,
            most,
        )


class SaidBefore(ContractError, code="SAID_BEFORE"):
    """A registration that is said again, by whoever has read it on the ledger."""

    SIGNATURE = "SaidBefore()"
    message = (
        "the instance has registered over this block or a later one: register with evidence over a "
        "newer block"
    )


class ChainMissing(ContractError, code=NoAmdChain.code):
    """Nobody has posted what AMD publishes for this chip's line."""

    SIGNATURE = "ChainMissing()"
    message = NoAmdChain.message


class ListsMissing(ContractError, code=NoIntelLists.code):
    """Nobody has posted what Intel publishes for such machines."""

    SIGNATURE = "ListsMissing(string,string,string)"

    def __init__(self, kind: str, fmspc: str, authority: str) -> None:
        words = str(NoIntelLists(kind, fmspc, authority))
        super().__init__(words, kind, fmspc, authority)


class ListsOlder(ContractError, code=OlderThanKept.code):
    """What is kept is newer."""

    SIGNATURE = "ListsOlder()"
    message = OlderThanKept.message


@contextmanager
def by_abi() -> Iterator[None]:
    """Tell what is missing of a vendor's as the interface of Apps has it."""
    try:
        yield
    except NoAmdChain as error:
        raise ChainMissing from error
    except OlderThanKept as error:
        raise ListsOlder from error
    except NoIntelLists as error:
        raise ListsMissing(*error.machine) from error


class OtherBinding(ContractError, code="OTHER_BINDING"):
    """Evidence of other keys, of another network, app or block."""

    SIGNATURE = "OtherBinding()"
    message = (
        "the evidence binds other keys, another network, app or block than were sent with it: "
        "have evidence made for exactly these"
    )


class NotMyKey(ContractError, code="NOT_MY_KEY"):
    """The instance's own key has not signed the registration."""

    SIGNATURE = "NotMyKey()"
    message = "the registration is not signed by the key that it registers: sign it with that key"


class MeasurementRefused(ContractError, code="MEASUREMENT_REFUSED"):
    """The app's policy names other code."""

    SIGNATURE = "MeasurementRefused(bytes)"

    def __init__(self, measured: Measurement) -> None:
        super().__init__(
            f"the enclave runs other code than this app admits, it measured {measured.hex()}: run "
            "what was built for it, or have its admin admit this",
            bytes(measured),
        )


class VendorRefused(ContractError, code="VENDOR_REFUSED"):
    """The app's policy names other vendors."""

    SIGNATURE = "VendorRefused(string)"

    def __init__(self, voucher: str) -> None:
        super().__init__(
            f"{voucher} vouches for the enclave, whom this app's policy does not name", voucher
        )


class DebugRefused(ContractError, code="DEBUG_ENCLAVE"):
    SIGNATURE = "DebugRefused()"
    message = "the enclave runs in debug mode: its memory is open to its host; start it without"


class MachineRefused(ToldInWords, code="MACHINE_REFUSED"):
    """The machine is not new enough, can be migrated, or is not one that is known."""

    SIGNATURE = "MachineRefused(string)"


class NotEndorsed(ContractError, code="NOT_ENDORSED"):
    SIGNATURE = "NotEndorsed()"
    message = (
        "no node that this app's policy names has endorsed the instance: ask one of them for an "
        "endorsement of this key and block"
    )


class MixRefused(ToldInWords, code="MIX_REFUSED"):
    """One maker of enclaves would vouch for too many instances."""

    SIGNATURE = "MixRefused(string)"


class KeyTaken(ContractError, code="KEY_TAKEN"):
    """The key registered with another app, or with another encryption key."""

    SIGNATURE = "KeyTaken()"
    message = "this key has registered otherwise before: make new keys, and evidence for them"


# What speaks against an instance, when it asks for something


class NotRegistered(ContractError, code="NOT_REGISTERED"):
    """No instance has that key."""

    SIGNATURE = "NotRegistered(address)"

    def __init__(self, key: Address) -> None:
        super().__init__(f"{key.hex0x} is no instance of an app: {ANEW}", key)


class RegistrationExpired(ContractError, code="REGISTRATION_EXPIRED"):
    """It was not renewed."""

    SIGNATURE = "RegistrationExpired(uint64)"

    def __init__(self, at: UnixSeconds) -> None:
        super().__init__(f"the registration ended at {at}: {ANEW}", at)


class MeasurementEvicted(ContractError, code="MEASUREMENT_EVICTED"):
    """The app's policy does not name its code any more, or not the vendor."""

    SIGNATURE = "MeasurementEvicted()"
    message = (
        "the app's policy does not admit this instance's code, or its vendor, any more: run what "
        "it admits now"
    )


class InstanceEvicted(ContractError, code="INSTANCE_EVICTED"):
    """The app's admin has put out this very instance."""

    SIGNATURE = "InstanceEvicted()"
    message = "the app's admin has put out this instance, for ever: start another, with new keys"


class PolicyTightened(ContractError, code="POLICY_TIGHTENED"):
    """The app asks more of evidence than when it registered."""

    SIGNATURE = "PolicyTightened()"
    message = f"the app's policy asks more of evidence since: {ANEW}"


class RawKeysRefused(ContractError, code="RAW_KEYS_REFUSED"):
    """The app's policy leaves signatures only."""

    SIGNATURE = "RawKeysRefused()"
    message = "this app's policy gives no keys away: ask a wallet for signatures"


STANDING_ERRORS: tuple[type[ContractError], ...] = (
    AppRemoved,
    InstanceEvicted,
    MeasurementEvicted,
    NoSuchApp,
    NotRegistered,
    PolicyTightened,
    RawKeysRefused,
    RegistrationExpired,
)
"""What comes back of a question about an instance."""

APP_ERRORS: tuple[type[ContractError], ...] = (
    *STANDING_ERRORS,
    AppExists,
    ChainMissing,
    DebugRefused,
    EvidenceStale,
    KeyTaken,
    ListsMissing,
    ListsOlder,
    MachineRefused,
    MeasurementRefused,
    MixRefused,
    NotAdmin,
    NotEndorsed,
    NotMyKey,
    OtherBinding,
    SaidBefore,
    StaleApp,
    UnknownNonce,
    UnknownScheme,
    VendorRefused,
)
"""What registering and changing an app, or asking for either, can come back with."""
