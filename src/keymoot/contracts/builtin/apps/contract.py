"""Apps: programs of agents, who may be an instance of one, and who is.

An admin says what code an app is; an instance shows by evidence that it runs that code, and
has to show it anew before its registration ends. Whoever relies on an instance asks
`standing`, each time.
"""

from dataclasses import replace

from keymoot.attest.quorum import VendorHoldsTooMuch, check_spread
from keymoot.attest.vendors import believed_for, checked_chain, checked_lists
from keymoot.base.fixed import Address, AppId, Bytes32, Signature65
from keymoot.base.units import Seconds, UnixSeconds
from keymoot.contracts.builtin.apps.cells import posted_on
from keymoot.contracts.builtin.apps.errors import (
    APP_ERRORS,
    AppExists,
    EvidenceStale,
    InstanceEvicted,
    KeyTaken,
    MixRefused,
    NotAdmin,
    NotEndorsed,
    NotMyKey,
    NotRegistered,
    SaidBefore,
    StaleApp,
    UnknownNonce,
    UnknownScheme,
    by_abi,
)
from keymoot.contracts.builtin.apps.events import (
    APP_EVENTS,
    AppCreated,
    AppTakenAway,
    AppUpdated,
    InstancePutOut,
    InstanceRegistered,
)
from keymoot.contracts.builtin.apps.evidence import (
    EVIDENCE_AGE_SECONDS,
    EVIDENCE_GAS,
    check_evidence,
    endorsement_message,
    instance_report,
    registration_digest,
)
from keymoot.contracts.builtin.apps.policy import AppPolicy
from keymoot.contracts.builtin.apps.record import (
    MAX_SEATS,
    App,
    Entries,
    Instance,
    SeatedInstances,
)
from keymoot.contracts.builtin.apps.standing import check_live
from keymoot.contracts.builtin.apps.views import AppQueries
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.contracts.framework.context import Context
from keymoot.contracts.framework.contract import built_in, call
from keymoot.contracts.framework.errors import Anonymous, ContractError
from keymoot.contracts.framework.types import uint8, uint64
from keymoot.crypto import ed25519, hpke
from keymoot.crypto.oasis import app_by_nonce, app_by_place, native_address
from keymoot.crypto.secp256k1 import recover
from keymoot.store.header import Header

BY_PLACE, BY_NONCE = 0, 1
"""How an app may be named: by block and place of its transaction, or by its creator's nonce."""

BIRTH_GAS = 60_000
"""Gas for drawing the key of an app's secrets."""

SIGNATURE_GAS = 30_000
"""Gas for each signature that is checked."""


LISTS_GAS = 900_000
"""Gas for checking Intel's lists: four signatures, and those of the certificates behind them."""


class Apps(AppQueries):
    """Keeps apps, and who is an instance of one."""

    ADDRESS = built_in(5)
    ERRORS = APP_ERRORS
    EVENTS = APP_EVENTS

    @call(gas_ceiling=900_000)
    def create(self, ctx: Context, scheme: uint8, policy: bytes, metadata: bytes) -> AppId:
        """Create an app whose admin is the caller; give its id.

        Args:
            ctx: The call.
            scheme: 0 names it by block and place of this transaction, 1 by the caller's nonce.
            policy: An `AppPolicy`, encoded.
            metadata: `Entries`, encoded.

        Raises:
            UnknownScheme: another number.
            AppExists: a contract creates two in one transaction.
        """
        if ctx.sender is None:
            raise Anonymous
        if scheme not in (BY_PLACE, BY_NONCE):
            raise UnknownScheme
        creator = native_address(ctx.sender)
        if scheme == BY_PLACE:
            app = app_by_place(creator, ctx.block.height, ctx.position)
        else:
            app = app_by_nonce(creator, ctx.nonce)
        store = ctx.public_store()
        if self.apps.get(store, app) is not None:
            raise AppExists(app)
        asked, told = AppPolicy.decode(policy), Entries.decode(metadata)
        ctx.charge(BIRTH_GAS)
        secret = ctx.random(hpke.KEY_BYTES)
        self.secrets_keys.set(ctx.confidential_store(), app, Bytes32(secret.expose()))
        made = App(
            creator=ctx.sender,
            admin=ctx.sender,
            policy=asked,
            version=1,
            since=1,
            secrets_key=hpke.public_key(secret),
            created_at=ctx.block.time,
        )
        self.apps.set(store, app, made)
        self.metadata.set(store, app, told)
        ctx.emit(AppCreated(app, ctx.sender))
        return app

    @call(believes_from=True)
    def update(
        self,
        ctx: Context,
        app: AppId,
        expected_version: uint64,
        admin: Address,
        policy: bytes,
        metadata: bytes,
        secrets: bytes,
    ) -> None:
        """Replace all four; what is left out is gone. An admin of zeros is nobody, for ever.

        Instances whose code or vendor the policy does not name any more are out at once.
        """
        record = self._administered(ctx, app)
        if record.version != expected_version:
            raise StaleApp(record.version)
        asked = AppPolicy.decode(policy)
        told, sealed = Entries.decode(metadata), Entries.decode(secrets)
        version = record.version + 1
        since = version if asked.outdates(record.policy) else record.since
        store = ctx.public_store()
        self.apps.set(
            store, app, replace(record, admin=admin, policy=asked, version=version, since=since)
        )
        self.metadata.set(store, app, told)
        self.secrets.set(store, app, sealed)
        ctx.emit(AppUpdated(app, version))

    @call(believes_from=True)
    def remove(self, ctx: Context, app: AppId) -> None:
        """Take the app away; its instances are out at once, and its id stays taken."""
        record = self._administered(ctx, app)
        store = ctx.public_store()
        self.apps.set(store, app, replace(record, policy=AppPolicy(), removed=True))
        self.metadata.set(store, app, None)
        self.secrets.set(store, app, None)
        ctx.emit(AppTakenAway(app))

    @call(believes_from=True)
    def evict(self, ctx: Context, app: AppId, key: Address) -> None:
        """Put one instance out, for ever."""
        self._administered(ctx, app)
        instance = self.instances.get(ctx.public_store(), key)
        if instance is None or instance.app != app:
            raise NotRegistered(key)
        self.instances.set(ctx.public_store(), key, replace(instance, evicted=True))
        ctx.emit(InstancePutOut(app, key))

    @call
    def register(
        self,
        ctx: Context,
        app: AppId,
        key: Address,
        encryption: Bytes32,
        lifetime: Seconds,
        header: bytes,
        evidence: bytes,
        metadata: bytes,
        endorsement: bytes,
        signature: bytes,
    ) -> None:
        """Register an instance, or renew its registration; anyone may pay for it.

        Args:
            ctx: The call.
            app: Which app it is an instance of.
            key: The address of its signing key.
            encryption: Its X25519 key.
            lifetime: For how long, or as long as the app lets it, whatever is shorter.
            header: RLP of the header of a recent block of this network.
            evidence: What the enclave shows; it binds keys, app, network and block.
            metadata: `Entries`, encoded.
            endorsement: A node's Ed25519 key and signature, 96 bytes; empty where none is asked.
            signature: Of the instance's own key over `registration_digest`.

        Raises:
            NoSuchApp, AppRemoved, UnknownNonce, EvidenceStale, NotMyKey, KeyTaken, SaidBefore,
            InstanceEvicted, NotEndorsed, OtherBinding, DebugRefused, MeasurementRefused,
            VendorRefused, MachineRefused, MixRefused, EvidenceRefused: as they say.
        """
        now, record = ctx.block.time, self.known(ctx, app)
        policy = record.policy
        # 1. The block that evidence names is one of ours, and recent.
        block = self._recent(ctx, header)
        # 2. The key is the instance's own, and no other's.
        report = instance_report(ctx.block.network, app, key, encryption, block.hash)
        ctx.charge(SIGNATURE_GAS)
        digest = registration_digest(report, lifetime, metadata)
        if recover(digest, Signature65(signature)) != key:
            raise NotMyKey
        earlier = self.instances.get(ctx.public_store(), key)
        if earlier is not None:
            if (earlier.app, earlier.encryption) != (app, encryption):
                raise KeyTaken
            if earlier.evicted:
                raise InstanceEvicted
            # Registrations are public: an earlier one would take back what a later one says.
            if earlier.block >= block.height:
                raise SaidBefore
        # 3. A node that the app names has endorsed it.
        if policy.endorsers:
            ctx.charge(SIGNATURE_GAS)
            _check_endorsed(policy, endorsement_message(report), endorsement)
        # 4. Evidence shows what the app demands. Paid before it is looked at.
        ctx.charge(EVIDENCE_GAS)
        simulated = ctx.call(Nodes.admits_simulated)
        with by_abi():
            believed = believed_for(evidence, simulated, posted_on(ctx.public_store()), now)
        claims = check_evidence(evidence, believed, policy, report, now)
        made = Instance(
            app=app,
            encryption=encryption,
            measurement=claims.measurement,
            vendor=claims.vendor,
            version=record.version,
            registered_at=now,
            expires_at=UnixSeconds(
                min(now + min(lifetime, policy.lifetime_seconds), claims.valid_until)
            ),
            block=block.height,
        )
        # 5. No maker vouches for more instances than the app lets it.
        if policy.most_per_maker:
            self._seat(ctx, app, record, key, made)
        store = ctx.public_store()
        self.instances.set(store, key, made)
        told = Entries.decode(metadata)
        if told.entries or self.instance_metadata.get(store, key) is not None:
            self.instance_metadata.set(store, key, told)
        ctx.emit(InstanceRegistered(app, key, made.measurement, made.vendor, made.expires_at))

    @call
    def post_amd_chain(self, ctx: Context, chain: bytes) -> None:
        """Post what AMD publishes for a line of processors; anyone may, if none of it is older.

        Args:
            ctx: The call.
            chain: An `AmdChain`, encoded: the certificates of a signing key and of AMD's root, and
                the root's list of revoked keys, if it is to count.

        Raises:
            ChainRefused, CollateralStale: it does not lead to a root that is known here.
            ListsOlder: the ledger has a newer list of revoked keys.
        """
        ctx.charge(EVIDENCE_GAS)
        with by_abi():
            name = checked_chain(chain, posted_on(ctx.public_store()).chain, ctx.block.time)
        self.amd_chains.set(ctx.public_store(), name, chain)

    @call
    def post_intel_lists(self, ctx: Context, lists: bytes) -> None:
        """Post what Intel publishes for one kind of machine; anyone may, if none of it is older.

        Args:
            ctx: The call.
            lists: A `DcapCollateral`, encoded.

        Raises:
            ChainRefused, CollateralStale: not Intel's, or out of its dates.
            ListsOlder: the ledger has newer ones.
        """
        ctx.charge(LISTS_GAS)
        store = ctx.public_store()
        with by_abi():
            name = checked_lists(lists, posted_on(ctx.public_store()).lists, ctx.block.time)
        self.intel_lists.set(store, name, lists)

    def _administered(self, ctx: Context, app: AppId) -> App:
        record = self.known(ctx, app)
        if ctx.sender is None or ctx.sender != record.admin:
            raise NotAdmin
        return record

    def _recent(self, ctx: Context, raw: bytes) -> Header:
        """Give a recent block's header."""
        header = Header.decode(raw)
        if ctx.block_hash(header.height) != header.hash:
            raise UnknownNonce
        age = ctx.block.time - header.time
        if age > EVIDENCE_AGE_SECONDS:
            raise EvidenceStale(age, EVIDENCE_AGE_SECONDS)
        return header

    def _seat(self, ctx: Context, app: AppId, record: App, key: Address, made: Instance) -> None:
        """Give an instance a seat beside those that live, if its maker may have one more."""
        store, now = ctx.public_store(), ctx.block.time
        kept = []
        for seat in (self.seats.get(store, app) or SeatedInstances()).seats:
            other = self.instances.get(store, seat)
            if seat == key or other is None:
                continue
            try:
                check_live(record, other, now)
            except ContractError:
                # Should the policy let it in again, it comes as one more.
                self.instances.set(store, seat, other.ended(now))
                continue
            kept.append((seat, other))
        if len(kept) >= MAX_SEATS:
            raise MixRefused(f"{MAX_SEATS} instances live: with a mix of makers no more can")
        vendors = [seated.vendor for _, seated in kept]
        try:
            check_spread([*vendors, made.vendor], record.policy.most_per_maker)
        except VendorHoldsTooMuch as error:
            raise MixRefused(str(error)) from error
        self.seats.set(store, app, SeatedInstances((*[seat for seat, _ in kept], key)))


def _check_endorsed(policy: AppPolicy, message: bytes, endorsement: bytes) -> None:
    if len(endorsement) != Bytes32.LENGTH + ed25519.SIGNATURE_BYTES:
        raise NotEndorsed
    node, signature = Bytes32(endorsement[: Bytes32.LENGTH]), endorsement[Bytes32.LENGTH :]
    if node not in policy.endorsers or not ed25519.verify(node, message, signature):
        raise NotEndorsed
