"""An app on a chain in memory, its admin, and enclaves that would be instances of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from eth_abi.abi import decode

from keymoot.attest.evidence import ReportData
from keymoot.attest.simulated import quote
from keymoot.base.fixed import AppId, Bytes32, Measurement, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import Seconds
from keymoot.committee.attestation import Attestation
from keymoot.committee.pages import ATTESTATION
from keymoot.contracts.builtin.apps.contract import BY_PLACE, Apps
from keymoot.contracts.builtin.apps.evidence import instance_report, registration_digest
from keymoot.contracts.builtin.apps.policy import AppPolicy
from keymoot.contracts.builtin.apps.record import Entries, Instance
from keymoot.contracts.builtin.nodes import CellPages, Nodes
from keymoot.crypto import hpke
from keymoot.crypto.secp256k1 import sign
from keymoot.runtime.receipt import Receipt
from keymoot.store.header import Header
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from tests.runtime.people import AGENT, OWNER, Person, Scenario

BUILT, OTHER = Measurement(b"b" * 48), Measurement(b"o" * 48)
POLICY = AppPolicy(measurements=(BUILT,), vendors=("simulated",), lifetime_seconds=Seconds(3_600))
NOTHING = Entries().encode()
ADMIN = OWNER


def admit_simulated(scenario: Scenario, *, simulated: bool = True) -> None:
    """Write what a genesis of a development network says."""
    journal = Journal(scenario.chain.state())
    pages = CellPages(PublicStore(journal, Nodes.ADDRESS, FreeMeter()))
    ATTESTATION.write(pages, Attestation((), simulated=simulated))
    scenario.chain.alter(journal.changes())


@dataclass(slots=True)
class Enclave:
    """One that would be an instance; what it sends may be spoiled piece by piece."""

    app: AppId
    who: Person = field(default_factory=lambda: AGENT)
    code: Measurement = BUILT
    debug: bool = False
    lifetime: int = 3_600
    make: Callable[[ReportData], bytes] | None = None
    encryption: Secret = field(default_factory=lambda: Secret(b"e" * 32))

    @property
    def public(self) -> Bytes32:
        return hpke.public_key(self.encryption)

    def evidence(self, report: ReportData) -> bytes:
        if self.make is not None:
            return self.make(report)
        return quote(self.code, report, debug=self.debug)

    def call(self, newest: Header, here: NetworkId, **spoiled: Any) -> tuple[Any, ...]:
        """Give the arguments of `register`; `spoiled` may name any of what they are made of."""
        given: dict[str, Any] = {
            "app": self.app,
            "key": self.who.address,
            "encryption": self.public,
            "lifetime": self.lifetime,
            "header": newest.encode(),
            "metadata": NOTHING,
            "endorsement": b"",
        } | {name: one for name, one in spoiled.items() if name in _ARGUMENTS}
        bound = {"network": here, "block": newest.hash} | spoiled
        report = instance_report(
            bound["network"],
            bound.get("bound_app", self.app),
            bound.get("bound_key", self.who.address),
            bound.get("bound_encryption", self.public),
            bound["block"],
        )
        told = instance_report(here, given["app"], given["key"], given["encryption"], newest.hash)
        digest = registration_digest(told, given["lifetime"], given["metadata"])
        signer = bound.get("signer", self.who)
        endorse = bound.get("endorse")
        return (
            given["app"],
            given["key"],
            given["encryption"],
            given["lifetime"],
            given["header"],
            bound.get("evidence", self.evidence(report)),
            given["metadata"],
            endorse(told) if endorse else given["endorsement"],
            bytes(sign(signer.key, digest)),
        )


_ARGUMENTS = frozenset(
    ("app", "key", "encryption", "lifetime", "header", "metadata", "endorsement")
)


class AppScenario(Scenario):
    """A chain in memory on which an admin has an app, and an owner a wallet."""

    app: AppId

    def __init__(self, policy: AppPolicy = POLICY, **parts: Any) -> None:
        super().__init__(**parts)
        if not parts:
            admit_simulated(self)
        self.app = self.create(policy)

    def create(
        self, policy: AppPolicy = POLICY, scheme: int = BY_PLACE, who: Person = ADMIN
    ) -> AppId:
        made = self.send(who, "create", scheme, policy.encode(), NOTHING, contract=Apps)
        assert made.status == 1, made.error
        return AppId(decode(["bytes21"], made.output)[0])

    def later(self, seconds: int) -> None:
        """Let time pass, and a block come that says so."""
        self.chain.pass_time(Seconds(seconds - 1))
        self.send(OWNER, "fund", self.wallet)

    @property
    def newest(self) -> Header:
        return self.chain.blocks[-1].header

    def register(self, one: Enclave, *, payer: Person = AGENT, **spoiled: Any) -> Receipt:
        header = spoiled.pop("of", self.newest)
        arguments = one.call(header, self.chain.block.network, **spoiled)
        return self.send(payer, "register", *arguments, contract=Apps)

    def registered(self, one: Enclave | None = None, **spoiled: Any) -> Enclave:
        one = one or Enclave(self.app)
        done = self.register(one, **spoiled)
        assert done.status == 1, done.error
        return one

    def update(
        self,
        policy: AppPolicy = POLICY,
        who: Person = ADMIN,
        version: int | None = None,
        *,
        admin: bytes = ADMIN.address,
        metadata: Mapping[str, bytes] | None = None,
        secrets: Mapping[str, bytes] | None = None,
    ) -> Receipt:
        return self.send(
            who,
            "update",
            self.app,
            self.version if version is None else version,
            admin,
            policy.encode(),
            Entries(metadata or {}).encode(),
            Entries(secrets or {}).encode(),
            contract=Apps,
        )

    @property
    def version(self) -> int:
        found = Apps.apps.get(self.store, self.app)
        assert found is not None
        return found.version

    @property
    def store(self) -> PublicStore:
        return PublicStore(Journal(self.chain.state()), Apps.ADDRESS, FreeMeter(), writable=False)

    def instance(self, who: Person = AGENT) -> Instance | None:
        return Apps.instances.get(self.store, who.address)

    def granted(self, seconds: int = 10_000) -> "AppScenario":
        """Give the wallet to the app, under a policy, and to nobody else."""
        from tests.runtime.people import policy

        assert self.rule(policy(500)).status == 1
        until = self.chain.block.time + seconds
        assert self.send(OWNER, "grantApp", self.wallet, self.app, until).status == 1
        return self


def less(policy: AppPolicy = POLICY, **changes: Any) -> AppPolicy:
    return replace(policy, **changes)
