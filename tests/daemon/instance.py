"""An instance in memory: its keys come of one seed, its wallet signs with a key that is there."""

import hashlib

from eth_account import Account as EthAccount

from keymoot.agent.evm_account import EvmAccount
from keymoot.attest import simulated
from keymoot.base.errors import Refused
from keymoot.base.fixed import Address, AppId, Bytes32, Measurement, NetworkId
from keymoot.base.request import SIGN_TRANSACTION, SIGN_TYPED_DATA
from keymoot.base.secret import Secret
from keymoot.base.transaction import decode_unsigned
from keymoot.base.units import Seconds, UnixSeconds
from keymoot.crypto import secp256k1
from keymoot.daemon.port import CallOutcome, InstanceIdentity, KeyKind, OpenedSecrets
from keymoot.policy.errors import PolicyRefused

APP = AppId(b"\0" + b"a" * 20)
KEY = Secret(b"\x11" * 32)
WALLET = EthAccount.from_key(b"\x22" * 32)


class KeysKept(Refused, code="RAW_KEYS_REFUSED"):
    message = "this app gives no keys away"


class MemoryInstance:
    """What the servers speak for in tests; everything that it was asked is in `asked`."""

    def __init__(self, seed=b"seed", gives=True, vendor="simulated"):
        self.seed, self.gives, self.asked = seed, gives, []
        self.expires_at = UnixSeconds(2_000_000_000)
        self.counts_seconds = Seconds(100)
        self.identity = InstanceIdentity(
            app=APP,
            name="trader",
            key=secp256k1.address_of_secret(KEY),
            encryption=Bytes32(b"e" * 32),
            measurement=Measurement(b"m" * 48),
            vendor=vendor,
            network=NetworkId(b"n" * 32),
            verifying_key=b"v" * 96,
        )
        self.outcome = CallOutcome(fine=True)
        self.refusal, self.against = None, ""
        self.told = {}
        self.opened = OpenedSecrets({}, ())
        self.wallets = ("mine",)

    def derive(self, name, kind=KeyKind.RAW_256):
        self.asked.append(("derive", name, kind))
        if not self.gives:
            raise KeysKept
        length = 48 if kind is KeyKind.RAW_384 else 32
        raw = hashlib.shake_256(self.seed + kind.value.encode() + b"\0" + name).digest(48)
        if kind is KeyKind.SECP256K1:
            return secp256k1.private_key(raw)
        return Secret(raw[:length])

    def gives_keys(self):
        return self.gives

    def vouch(self, digest):
        return bytes(secp256k1.sign(KEY, digest))

    def evidence(self, report):
        self.asked.append(("evidence", report))
        return simulated.quote(self.identity.measurement, report)

    def submit(self, call):
        self.asked.append(("submit", call))
        if self.refusal:
            raise self.refusal
        return self.outcome

    def query(self, method, arguments):
        self.asked.append(("query", method, arguments))
        return {"method": method}

    def signer(self, wallet):
        return Signer(self)

    def signature(self, digest):
        return secp256k1.sign(Secret(bytes(WALLET.key)), digest)

    def policy(self, wallet):
        return {"wallet": "0x01", "version": 1, "policy": {"rules": []}}

    def register(self, metadata):
        self.asked.append(("register", dict(metadata)))
        if self.refusal:
            raise self.refusal
        self.told, self.against = dict(metadata), ""
        self.expires_at = UnixSeconds(self.expires_at + 100)
        return self.expires_at

    def objection(self):
        return self.against

    def begin_anew(self):
        self.asked.append(("begin_anew",))
        self.refusal, self.against = None, "NOT_REGISTERED"

    def secrets(self):
        return self.opened


class Signer(EvmAccount):
    """A wallet whose policy lets small amounts go, texts, and a Mail's typed data."""

    def __init__(self, instance):
        self._stand_for(Address.from_hex(WALLET.address))
        self._instance = instance

    def _released(self, method, payload, digest, idempotency_key):
        self._instance.asked.append(("sign", idempotency_key))
        if method == SIGN_TRANSACTION and decode_unsigned(payload).value > 100:
            raise PolicyRefused("too much", {"reason": "LIMIT_EXCEEDED"}, proved=7)
        if method == SIGN_TYPED_DATA and b"Mail" not in payload:
            raise PolicyRefused("no rule", {"reason": "NO_RULE"})
        return self._instance.signature(digest)

    def sign_typed_data(self, *, full_message, idempotency_key=None):
        if not full_message:
            raise PolicyRefused("no rule", {"reason": "NO_RULE"})
        return super().sign_typed_data(full_message=full_message, idempotency_key=idempotency_key)
