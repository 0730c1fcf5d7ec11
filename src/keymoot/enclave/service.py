"""The enclave: who it is, which network it joins, and what each message may make it do."""

from collections.abc import Callable
from pathlib import Path

from keymoot.attest import nitro as _nitro  # noqa: F401  see `attest.vendors`
from keymoot.attest import snp as _snp  # noqa: F401  as above
from keymoot.attest import tdx as _tdx  # noqa: F401  as above
from keymoot.attest.evidence import bind
from keymoot.base import rlp
from keymoot.base.errors import Refused
from keymoot.base.fields import fixed_of
from keymoot.base.fixed import Bytes32, NetworkId
from keymoot.base.secret import Secret
from keymoot.committee.genesis import Genesis, Member
from keymoot.committee.participant import SessionSecrets
from keymoot.committee.seat import SessionKeys
from keymoot.crypto import ed25519
from keymoot.enclave import frames, messages
from keymoot.enclave.founder import SignedRecord
from keymoot.enclave.messages import EnclaveGreeting
from keymoot.enclave.platform import Platform
from keymoot.enclave.publisher import Clock, Send, wall_clock
from keymoot.enclave.queries import Watch
from keymoot.enclave.remote import Host
from keymoot.enclave.sealed_state import SealedStateFile
from keymoot.enclave.start import SeatContext, Start
from keymoot.enclave.worker import Report, Worker
from keymoot.threshold.secp256k1 import SECP256K1

_NO_NETWORK = NetworkId(bytes(32))


class NotMember(Refused, code="NOT_MEMBER"):
    def __init__(self, which: str) -> None:
        super().__init__(f"this genesis does not list this enclave: {which}")


class JoinedAlready(Refused, code="JOINED_ALREADY"):
    message = "the enclave has joined since it started: start it anew"


class NotJoined(Refused, code="NOT_JOINED"):
    message = "the enclave has not joined a network since it started"


class Enclave:
    """Holds the secrets of one enclave and answers the host's messages."""

    def __init__(
        self,
        folder: Path,
        platform: Platform,
        host: Host,
        send: Send,
        worker: Callable[[Report], Worker] = Worker,
        clock: Clock = wall_clock,
    ) -> None:
        """Open the sealed secrets in `folder`, or make new ones; make the keys of this start."""
        self._platform, self._host, self._send = platform, host, send
        self._make_worker, self._clock = worker, clock
        self.sealed = SealedStateFile(folder, platform)
        self._signed = SignedRecord(folder, platform)
        self._session = _new_boot(platform)
        self.start: Start | None = None
        """Its seat; None before it joins."""
        self.wake: Callable[[], None] = lambda: None
        """Called in another thread when `look` would find something; the process sets it."""

    def handle(self, word: str, body: rlp.Decoded) -> rlp.Item:
        if word == messages.HELLO:
            return self._hello(fixed_of(body, Bytes32, "nonce"))
        if word == messages.JOIN:
            asked = messages.JoinFrame.of_item(body)
            return self._join(Genesis.decode(asked.genesis), asked.seat)
        if self.start is None:
            raise NotJoined
        if word == frames.QUERY:
            return self.query(body)(None)
        return self.start.handle(word, body)

    def query(self, body: rlp.Decoded) -> Callable[[Watch | None], rlp.Item]:
        """Take a query; give what answers it, in whichever thread."""
        if self.start is None:
            raise NotJoined
        return self.start.query(body)

    def poll(self) -> None:
        if self.start is not None:
            self.start.poll()

    def _hello(self, nonce: Bytes32) -> rlp.Item:
        sealed = self.sealed.now
        report = bind(self._keys(), sealed.network or _NO_NETWORK, nonce)
        return EnclaveGreeting(
            identity_key=self._public(sealed.identity),
            measurement=self._platform.measurement,
            simulated=self._platform.simulated,
            network=sealed.network or b"",
            quote=self._platform.quote(report),
            sealing=SECP256K1.encode(SECP256K1.base(sealed.epoch)),
            session=self._session.public,
        ).item()

    def _join(self, genesis: Genesis, number: int) -> rlp.Item:
        """Take a seat of a network; begin nothing yet.

        Which seat is ours we are told by the host: without the ledger's word it is worth nothing.
        """
        if self.start is not None:
            raise JoinedAlready
        sealed = self.sealed.now
        sealed.joined(genesis.network)
        listed = next(
            (at for at, member in enumerate(genesis.members, 1) if self._shares(member)), 0
        )
        founds = bool(listed) and self._founds(genesis.members[listed - 1])
        if (
            sealed.network is None
            and listed
            and not founds
            and self._signed.network != genesis.network
        ):
            raise NotMember("beside one of its keys stand others that are not its own")
        index = listed if founds else number or listed
        if not index:
            raise NotMember("to join a network that others have founded, name the seat")
        seat = SeatContext(
            genesis,
            index,
            founds,
            bool(listed),
            self.sealed,
            self._signed,
            self._session,
            self._platform.quote,
        )
        self.start = Start(seat, self._host, self._send, self._make_worker, self._clock)
        self.start.speaker.wake = self._woken
        return []

    def _founds(self, member: Member) -> bool:
        """Tell whether a member of a genesis is this very start, with all its keys."""
        return _keys_of(member) == self._keys()

    def _shares(self, member: Member) -> bool:
        """Tell whether a member of a genesis has any key of ours."""
        mine = zip(_keys_of(member), self._keys(), strict=True)
        return any(theirs == ours for theirs, ours in mine)

    def _keys(self) -> tuple[bytes, ...]:
        """Give all four of our public keys: identity, sealing, and both of this start."""
        sealed, session = self.sealed.now, self._session.public
        sealing = SECP256K1.encode(SECP256K1.base(sealed.epoch))
        return self._public(sealed.identity), sealing, session.signing, session.sealing

    def _woken(self) -> None:
        self.wake()

    @staticmethod
    def _public(seed: Secret) -> Bytes32:
        return Bytes32(ed25519.public_key(seed))


def _new_boot(platform: Platform) -> SessionSecrets:
    signing, sealing = Secret(platform.entropy(32)), SECP256K1.scalar(platform.entropy(32))
    point = SECP256K1.encode(SECP256K1.base(sealing))
    return SessionSecrets(
        signing, sealing, SessionKeys(Bytes32(ed25519.public_key(signing)), point)
    )


def _keys_of(member: Member) -> tuple[bytes, ...]:
    """Give a founder's keys in the same order; what the genesis says twice has to agree."""
    founder = member.founder
    if founder is None or founder.identity != member.identity_key:
        return (b"",) * 4
    session = founder.session
    return member.identity_key, founder.sealing, session.signing, session.sealing
