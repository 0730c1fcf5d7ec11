"""The enclave: who it is, which network it joins, and what each message may make it do."""

from collections.abc import Callable
from pathlib import Path

from keymoot.attest.evidence import bind
from keymoot.base import rlp
from keymoot.base.errors import Refused
from keymoot.base.fields import fixed_of
from keymoot.base.fixed import Bytes32, NetworkId
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519
from keymoot.enclave import frames, messages
from keymoot.enclave.founder import SignedRecord
from keymoot.enclave.keep import KeepFile
from keymoot.enclave.messages import Identity
from keymoot.enclave.platform import Platform
from keymoot.enclave.queries import Watch
from keymoot.enclave.remote import Host
from keymoot.enclave.speaker import Clock, Say, wall_clock
from keymoot.enclave.start import Seat, Start
from keymoot.enclave.workshop import Report, Workshop
from keymoot.moot.genesis import Genesis, Member
from keymoot.moot.party import BootSecrets
from keymoot.moot.seat import Boot
from keymoot.threshold.secp256k1 import SECP256K1

_NO_NETWORK = NetworkId(bytes(32))


class NotMember(Refused):
    """The genesis does not list this enclave's keys."""

    code = "NOT_MEMBER"

    def __init__(self, which: str) -> None:
        """Say which keys are missing."""
        super().__init__(f"this genesis does not list this enclave: {which}")


class JoinedAlready(Refused):
    """This start of the enclave has its seat."""

    code = "JOINED_ALREADY"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("the enclave has joined since it started: start it anew")


class NotJoined(Refused):
    """The enclave has to join its network first."""

    code = "NOT_JOINED"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the enclave has not joined a network since it started")


class Enclave:
    """Holds the secrets of one enclave and answers the host's messages."""

    def __init__(
        self,
        folder: Path,
        platform: Platform,
        host: Host,
        say: Say,
        workshop: Callable[[Report], Workshop] = Workshop,
        clock: Clock = wall_clock,
    ) -> None:
        """Open the sealed secrets in `folder`, or make new ones; make the keys of this start.

        Args:
            folder: Where sealed files live.
            platform: Seals them, and attests.
            host: Keeps the state of the ledger.
            say: Posts what this enclave has to say to the ledger.
            workshop: Makes the place for its long arithmetic.
            clock: The machine's.

        Raises:
            CannotUnseal: they were sealed elsewhere or by other code.
        """
        self._platform, self._host, self._say = platform, host, say
        self._make_workshop, self._clock = workshop, clock
        self.keep = KeepFile(folder, platform)
        self._signed = SignedRecord(folder, platform)
        self._boot = _new_boot(platform)
        self.start: Start | None = None
        """Its seat; None before it joins."""
        self.wake: Callable[[], None] = lambda: None
        """Called in another thread when `look` would find something; the process sets it."""

    def handle(self, word: str, body: rlp.Decoded) -> rlp.Item:
        """Do what one message asks.

        Raises:
            Malformed: not a message of this protocol.
            Refused: the answer is no.
            Fault: the host showed something forged or broken.
        """
        if word == messages.HELLO:
            return self._hello(fixed_of(body, Bytes32, "nonce"))
        if word == messages.JOIN:
            genesis, seat = messages.read_join(body)
            return self._join(Genesis.decode(genesis), seat)
        if self.start is None:
            raise NotJoined
        if word == frames.QUERY:
            return self.query(body)(None)
        return self.start.handle(word, body)

    def query(self, body: rlp.Decoded) -> Callable[[Watch | None], rlp.Item]:
        """Take a query; give what answers it, in whichever thread.

        Raises:
            Malformed: not a query.
            Refused: it cannot be answered here, or not now.
        """
        if self.start is None:
            raise NotJoined
        return self.start.query(body)

    def look(self) -> None:
        """Begin what is due now."""
        if self.start is not None:
            self.start.look()

    def _hello(self, nonce: Bytes32) -> rlp.Item:
        keep = self.keep.now
        report = bind(self._keys(), keep.network or _NO_NETWORK, nonce)
        return Identity(
            identity_key=self._public(keep.identity),
            measurement=self._platform.measurement,
            simulated=self._platform.simulated,
            network=keep.network or b"",
            quote=self._platform.quote(report),
            sealing=SECP256K1.encode(SECP256K1.base(keep.epoch)),
            boot=self._boot.public,
        ).encode()

    def _join(self, genesis: Genesis, number: int) -> rlp.Item:
        """Take a seat of a network; begin nothing yet.

        Which seat is ours we are told by the host: without the ledger's word it is worth nothing.

        Raises:
            NotMember: the genesis lists other keys with our identity, or us nowhere at all.
            OtherNetwork: this enclave belongs to another one, for good.
            JoinedAlready: a start has one mind, and one seat.
        """
        if self.start is not None:
            raise JoinedAlready
        keep = self.keep.now
        keep.joined(genesis.network)
        listed = next((at for at, one in enumerate(genesis.members, 1) if self._shares(one)), 0)
        founds = bool(listed) and self._founds(genesis.members[listed - 1])
        if (
            keep.network is None
            and listed
            and not founds
            and self._signed.network != genesis.network
        ):
            raise NotMember("beside one of its keys stand others that are not its own")
        index = listed if founds else number or listed
        if not index:
            raise NotMember("to join a network that others have founded, name the seat")
        seat = Seat(genesis, index, founds, bool(listed), self.keep, self._signed, self._boot)
        self.start = Start(seat, self._host, self._say, self._make_workshop, self._clock)
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
        keep, boot = self.keep.now, self._boot.public
        sealing = SECP256K1.encode(SECP256K1.base(keep.epoch))
        return self._public(keep.identity), sealing, boot.signing, boot.sealing

    def _woken(self) -> None:
        self.wake()

    @staticmethod
    def _public(seed: Secret) -> Bytes32:
        return Bytes32(ed25519.public_key(seed))


def _new_boot(platform: Platform) -> BootSecrets:
    signing, sealing = Secret(platform.entropy(32)), SECP256K1.scalar(platform.entropy(32))
    point = SECP256K1.encode(SECP256K1.base(sealing))
    return BootSecrets(signing, sealing, Boot(Bytes32(ed25519.public_key(signing)), point))


def _keys_of(member: Member) -> tuple[bytes, ...]:
    """Give a founder's keys in the same order; what the genesis says twice has to agree."""
    founder = member.founder
    if founder is None or founder.identity != member.identity_key:
        return (b"",) * 4
    boot = founder.boot
    return member.identity_key, founder.sealing, boot.signing, boot.sealing
