"""No query with a forged `from` learns anything of confidential state."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from keymoot.base.errors import KeymootError, Refused
from keymoot.base.fixed import Address, Bytes32
from keymoot.base.units import Gas, Wei
from keymoot.contracts import (
    ConfidentialMap,
    Context,
    Contract,
    ContractError,
    PublicCell,
    call,
    uint256,
    view,
)
from keymoot.contracts.builtin.registry import BUILT_IN
from keymoot.contracts.builtin.vault import Vault
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.errors import NotOwner, WalletExists
from keymoot.contracts.framework.context import Mode
from keymoot.contracts.framework.errors import Anonymous, KeyUseRefused
from keymoot.runtime.chain import MemoryChain
from keymoot.runtime.gas import GasMeter
from keymoot.runtime.machine import CallMachine
from keymoot.runtime.query import CannotRun, Query, estimate
from keymoot.store.errors import NoStateKeys
from keymoot.store.journal import Journal
from keymoot.store.keys import Version
from tests.contracts.toys import TOYS, deployed
from tests.runtime.people import AGENT, OWNER, RECOVERY, STRANGER, Scenario, calldata


class Secretive(ContractError):
    """Says in its words what it read."""

    code = "SECRETIVE"


class Diary(Contract):
    """Keeps what its caller tells it, and tells it to nobody else: or tries to."""

    ADDRESS = Address(b"diary".ljust(20, b"\0"))

    notes = ConfidentialMap("notes", Address, uint256)
    mark = PublicCell("mark", uint256)

    @call
    def write(self, ctx: Context, value: uint256) -> None:
        self.notes.set(ctx.confidential_store(), ctx.sender or RECOVERY, value)

    @view
    def mine(self, ctx: Context) -> uint256:
        if ctx.sender is None:
            raise Anonymous
        return self.notes.get(ctx.confidential_store(), ctx.sender) or 0

    @call(believes_from=True)
    def careless(self, ctx: Context) -> uint256:
        """A contract that declares what it must not."""
        return self.notes.get(ctx.confidential_store(), ctx.sender or RECOVERY) or 0

    @call(believes_from=True)
    def careless_words(self, ctx: Context) -> None:
        found = self.notes.get(ctx.confidential_store(), ctx.sender or RECOVERY)
        raise Secretive(f"I read {found}")

    @call(believes_from=True)
    def careless_swallows(self, ctx: Context) -> uint256:
        try:
            found = self.notes.get(ctx.confidential_store(), ctx.sender or RECOVERY) or 0
        except Refused:
            return 0
        # What it reads steers what it costs.
        ctx.charge(found * 100)
        self.mark.set(ctx.public_store(), found)
        return 1

    @call(payable=True)
    def sold(self, ctx: Context, who: Address) -> uint256:
        """Tells whoever pays: a query does not."""
        if ctx.value < 10:
            raise Secretive("it costs 10 wei")
        return self.notes.get(ctx.confidential_store(), who) or 0

    @call(reentrant=True)
    def tell(self, ctx: Context, who: Address) -> uint256:
        """Believes the contract that calls it."""
        if ctx.sender != Gossip.ADDRESS:
            raise Secretive("only for a friend")
        return self.notes.get(ctx.confidential_store(), who) or 0

    @call(gas_ceiling=100_000)
    def behind(self, ctx: Context) -> None:
        """Fails, or not, by a secret: an estimate must not tell."""
        if self.notes.get(ctx.confidential_store(), ctx.sender or RECOVERY) != 7:
            raise Secretive("it is not 7")

    @call(gas_ceiling=100_000)
    def before(self, ctx: Context, value: uint256) -> None:
        """Fails for everyone to see, before it comes to a secret."""
        if value > 9:
            raise Secretive("at most 9")
        ctx.random(32)


class Gossip(Contract):
    """A friend of the diary, who believes everybody."""

    ADDRESS = Address(b"gossip".ljust(20, b"\0"))

    @call(believes_from=True)
    def pass_on(self, ctx: Context) -> uint256:
        return ctx.call(Diary.tell, ctx.sender or RECOVERY)


FRIENDS = deployed(Diary, Gossip)
CONTRACTS = [one.kind for one in (*BUILT_IN, *FRIENDS, *TOYS)]
PEOPLE = [one.address for one in (OWNER, AGENT, STRANGER)]
CLAIMS = [*PEOPLE, Address(bytes(20)), *(kind.ADDRESS for kind in CONTRACTS)]
VAULT_NAME = Bytes32(b"v" * 32)


class World(Scenario):
    """A chain on which people have secrets."""

    def __init__(self, secret: int) -> None:
        self.chain = MemoryChain(FRIENDS + TOYS, {one: Wei(10**24) for one in PEOPLE})
        self.__post_init__()
        self.ready()
        assert self.send(OWNER, "birth", VAULT_NAME, contract=Vault).status == 1
        for who in (OWNER, STRANGER):
            assert self.send(who, "write", 1, contract=Diary).status == 1
        # The same public history; only what is sealed differs.
        journal = Journal(self.chain.state())
        machine = CallMachine(
            journal,
            self.chain.block,
            self.chain.contracts.at(self.chain.block.height),
            self.chain.keys.at(Version()),
            Mode.EXECUTE,
            GasMeter(10**9),
        )
        store = machine.confidential_store(Diary.ADDRESS, writable=True)
        for one in (*PEOPLE, RECOVERY, *(kind.ADDRESS for kind in CONTRACTS)):
            Diary.notes.set(store, one, secret)
        vault = machine.confidential_store(Vault.ADDRESS, writable=True)
        for owner in (OWNER.address, Wallets.ADDRESS):
            for name in (VAULT_NAME, Bytes32(self.wallet)):
                from keymoot.contracts.builtin.vault import _place

                Vault.keys.set(vault, _place(owner, name), Bytes32(secret.to_bytes(32, "big")))
        self.chain.alter(journal.changes())

    def answer(self, query: Query) -> Any:
        from keymoot.runtime.query import call as run

        chain = self.chain
        return outcome(lambda: run(chain.state(), chain.block, chain.contracts, chain.keys, query))

    def estimate(self, query: Query) -> Any:
        chain = self.chain
        return outcome(lambda: estimate(chain.state(), chain.block, chain.contracts, query))


def outcome(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except KeymootError as error:
        return type(error).__name__, str(error)


@pytest.fixture(scope="module")
def worlds() -> tuple[World, World]:
    return World(7), World(7_000_001)


def calls(world: World) -> Iterator[tuple[type[Contract], bytes]]:
    """Give calldata for every method of every contract."""
    rng = random.Random(7)
    samples: dict[str, list[Any]] = {
        "bytes21": [bytes(21), b"a" * 21],
        "bytes32": [world.wallet, VAULT_NAME, bytes(32), b"s" * 32],
        "address": [one.hex0x for one in (*PEOPLE, RECOVERY, Wallets.ADDRESS)],
        "uint8": [0, 1],
        "uint64": [0, 1, world.chain.block.time + 100],
        "uint256": [0, 1, 10, 2**255],
        "bool": [True, False],
        "bytes": [b"", b"{}", b"x" * 48, b"y" * 96],
        "string": ["", "name"],
    }
    for kind in CONTRACTS:
        for method in kind.METHODS.values():
            if method.signature == "burn(uint256)":
                continue
            for _ in range(1 if not method.inputs else 6):
                arguments = [rng.choice(samples[abi]) for _, abi in method.inputs]
                yield kind, calldata(kind, method.name, *arguments)


def test_a_forged_sender_learns_nothing_confidential(worlds: tuple[World, World]) -> None:
    one, other = worlds
    believed = tried = 0
    for kind, data in calls(one):
        for value in (0, 10):
            honest = one.answer(Query(kind.ADDRESS, data, Wei(value)))
            for claim in CLAIMS:
                query = Query(kind.ADDRESS, data, Wei(value), claim)
                found = one.answer(query)
                tried += 1
                # The claim changed nothing, or what it brought is the same whatever the secret.
                if found != honest:
                    believed += 1
                    assert found == other.answer(query), (kind.__name__, data[:4].hex())
    assert tried > 2_000
    assert believed > 200, "the test tries something only where claims are believed"


def test_estimates_learn_nothing_confidential(worlds: tuple[World, World]) -> None:
    one, other = worlds
    for kind, data in calls(one):
        for claim in (None, OWNER.address, STRANGER.address, Gossip.ADDRESS):
            query = Query(kind.ADDRESS, data, claimed=claim)
            assert one.estimate(query) == other.estimate(query), (kind.__name__, data[:4].hex())


@pytest.mark.parametrize("name", ["careless", "carelessWords"])
def test_on_a_claim_nothing_confidential_opens(worlds: tuple[World, World], name: str) -> None:
    for world in worlds:
        with pytest.raises(NoStateKeys):
            world.chain.ask(Diary.ADDRESS, calldata(Diary, name), OWNER.address)
        with pytest.raises(NoStateKeys):
            world.chain.ask(Gossip.ADDRESS, calldata(Gossip, "passOn"), OWNER.address)
        swallowed = calldata(Diary, "carelessSwallows")
        assert int.from_bytes(world.chain.ask(Diary.ADDRESS, swallowed, OWNER.address)) == 0
        with pytest.raises(Anonymous):
            world.chain.ask(Diary.ADDRESS, calldata(Diary, "mine"), OWNER.address)


def test_a_query_buys_no_secret(worlds: tuple[World, World]) -> None:
    for claim in (None, OWNER.address):
        query = Query(Diary.ADDRESS, calldata(Diary, "sold", OWNER.address.hex0x), Wei(10), claim)
        for world in worlds:
            kind, words = world.answer(query)
            assert kind == "CannotPay"
            assert "nobody pays its value" in words


def test_wallets_believe_the_claim_of_a_query() -> None:
    scenario = Scenario()
    salt = b"n" * 32
    data = calldata(Wallets, "create", salt, RECOVERY.hex0x)
    with pytest.raises(Anonymous):
        scenario.chain.ask(Wallets.ADDRESS, data)
    # On a chain without a committee the key is Vault's, and it is not born in a query.
    with pytest.raises(KeyUseRefused):
        scenario.chain.ask(Wallets.ADDRESS, data, OWNER.address)
    with pytest.raises(WalletExists):
        again = calldata(Wallets, "create", b"s" * 32, RECOVERY.hex0x)
        scenario.chain.ask(Wallets.ADDRESS, again, OWNER.address)
    pause = calldata(Wallets, "pause", scenario.wallet)
    assert scenario.chain.ask(Wallets.ADDRESS, pause, OWNER.address) == b""
    with pytest.raises(NotOwner):
        scenario.chain.ask(Wallets.ADDRESS, pause, STRANGER.address)
    assert scenario.show()[3] is False, "a query has no effect"


def test_only_what_is_public_declares_that_it_believes() -> None:
    believing = {
        f"{one.name}.{method.name}"
        for one in BUILT_IN
        for method in one.kind.METHODS.values()
        if method.rules.believes_from
    }
    changing = {one.name for one in Wallets.METHODS.values() if not one.rules.view}
    apps = {"update", "remove", "evict"}
    expected = {f"Wallets.{name}" for name in changing} | {f"Apps.{name}" for name in apps}
    assert believing == expected | {"Keys.derive", "Keys.deriveForApp"}


def test_estimates_see_a_revert_that_is_certain(worlds: tuple[World, World]) -> None:
    world = worlds[0]

    def ask(kind: type[Contract], name: str, *arguments: Any, **fields: Any) -> Any:
        fields = {"claimed": OWNER.address} | fields
        return world.estimate(Query(kind.ADDRESS, calldata(kind, name, *arguments), **fields))

    # 1. It fails before it comes to a secret: by then it is certain.
    assert ask(Wallets, "create", b"s" * 32, RECOVERY.hex0x)[0] == "WalletExists"
    assert ask(Wallets, "create", b"n" * 32, "0x" + "00" * 20)[0] == "BadRecovery"
    assert ask(Vault, "birth", VAULT_NAME)[0] == "KeyExists"
    assert ask(Diary, "before", 10) == ("Secretive", "at most 9")
    # 2. It fails behind one: nobody knows, and the ceiling is the answer.
    assert ask(Diary, "before", 9) > 100_000
    assert ask(Diary, "behind") > 100_000
    assert ask(Vault, "birth", Bytes32(b"n" * 32)) > 300_000
    # 3. Nobody is said to send it: whether it fails depends on who does.
    assert ask(Wallets, "create", b"s" * 32, RECOVERY.hex0x, claimed=None) > 600_000


def test_a_sender_without_means_cannot_send() -> None:
    scenario = Scenario()
    poor = Address(b"p" * 20)
    plain = Query(RECOVERY, value=Wei(1), claimed=poor)
    rich = Query(RECOVERY, value=Wei(1), claimed=OWNER.address, fee=Wei(10**9))
    chain = scenario.chain

    def run(query: Query) -> Gas:
        return estimate(chain.state(), chain.block, chain.contracts, query)

    with pytest.raises(CannotRun, match=r"^insufficient funds for gas \* price \+ value: have 0"):
        run(plain)
    with pytest.raises(CannotRun, match="insufficient funds"):
        run(Query(RECOVERY, claimed=poor, fee=Wei(10**9)))
    assert run(rich) == 21_000
    assert run(Query(RECOVERY, claimed=poor)) == 21_000
    with pytest.raises(CannotRun, match="gas required exceeds allowance"):
        run(Query(RECOVERY, claimed=OWNER.address, gas=Gas(20_999)))
    assert run(Query(RECOVERY, claimed=OWNER.address, gas=Gas(21_000))) == 21_000
