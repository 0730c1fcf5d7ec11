"""The request that costs a replica most, and the block: found by a search, from a seed.

For each family of `bench.attacks` a hill is climbed: numbers are turned, and what costs more
stays. Each trial is read as by a replica that remembers nothing of it.
"""

import random
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.attacks import FAMILIES, Attack, Numbers, calling, evm
from bench.row import Row
from keymoot.base.abi.encode import encode
from keymoot.base.errors import Malformed
from keymoot.base.strict_json import canonical
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.wallets import policies
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.policies import GAS_PER_BYTE, policy_of, reading_gas
from keymoot.contracts.builtin.wallets.requests import CHECK_GAS, GAS_PER_COMPARISON
from keymoot.policy.chains.evm.signature import parse_function
from keymoot.policy.chains.solana import token_account
from keymoot.policy.decide import decide
from keymoot.policy.document import MAX_DOCUMENT_BYTES, MAX_WINDOWS, parse_policy
from keymoot.policy.errors import BadPolicy
from keymoot.policy.intent import NeverSigned, read_intent
from keymoot.policy.work import MAX_COMPARISONS, comparisons
from keymoot.runtime import gas
from keymoot.runtime.rules import MAX_BLOCK_TRANSACTIONS
from tests.runtime.people import OWNER, Scenario, calldata, payment, policy

SEED, STARTS, STEPS, REPEATS = 7, 4, 14, 3
NOW = UnixSeconds(1_795_000_000)
PER_BLOCK = min(MAX_BLOCK_TRANSACTIONS, gas.BLOCK_LIMIT // (gas.REQUEST_LIMIT // 8))
"""Requests of one block at most (`engine.application` counts an eighth of a request's limit)."""

REQUESTS = 4_000
"""Adversarial requests after which memory is looked at, and looked at again."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one trial cost: seconds of this process, and gas."""

    family: str
    numbers: Numbers
    seconds: float
    gas: int

    def __str__(self) -> str:
        numbers = ", ".join(f"{value} {name}" for name, value in self.numbers.items())
        return f"{self.family} ({numbers}), {self.gas:,} gas"

    @property
    def block_seconds(self) -> float:
        return self.seconds * gas.BLOCK_LIMIT / self.gas


def forget() -> None:
    for remembered in (
        policies._short,
        policies._long,
        token_account.associated_account,
        token_account._likely,
    ):
        remembered.cache_clear()


def ask(attack: Attack) -> int:
    """Do what `contracts.builtin.wallets.requests.bind` does between reading and writing.

    Give its gas.
    """
    charged = gas.intrinsic(attack.payload) + CHECK_GAS
    try:
        intent = read_intent(attack.method, attack.payload, attack.account)
    except NeverSigned:
        return charged
    policy = policy_of(attack.document)
    charged += GAS_PER_BYTE * len(attack.payload) + reading_gas(attack.document)
    charged += GAS_PER_COMPARISON * min(comparisons(policy, intent), MAX_COMPARISONS)
    decision = decide(policy, intent, {}, (), NOW)
    canonical(decision.decoded)
    return charged


def seconds_of(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        forget()
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def weigh(family: str, numbers: Numbers) -> Found | None:
    """Try one; None where no owner could set its policy."""
    try:
        attack = FAMILIES[family][0](numbers)
        parse_policy(attack.document)
    except (BadPolicy, Malformed):
        return None
    return Found(family, numbers, seconds_of(lambda: ask(attack)), ask(attack))


def climb(family: str, better: Callable[[Found], float], rng: random.Random) -> Found | None:
    ranges = FAMILIES[family][1]
    best: Found | None = None
    for _ in range(STARTS):
        here = weigh(family, {name: rng.randint(*ends) for name, ends in ranges.items()})
        for _ in range(STEPS):
            if here is None:
                numbers = {name: rng.randint(*ends) for name, ends in ranges.items()}
            else:
                name = rng.choice(list(ranges))
                numbers = here.numbers | {name: rng.randint(*ranges[name])}
            there = weigh(family, numbers)
            if there is not None and (here is None or better(there) > better(here)):
                here = there
        if here is not None and (best is None or better(here) > better(best)):
            best = here
    return best


def search() -> list[Found]:
    rng, found = random.Random(SEED), []
    for family in FAMILIES:
        for better in (lambda one: one.seconds, lambda one: one.block_seconds):
            best = climb(family, better, rng)
            if best is not None:
                found.append(best)
    return found


def overhead() -> float:
    """Give the seconds of a request with 60 kB of calldata, which no rule holds against."""
    scenario = Scenario().ready()
    raws = [scenario.request(calling(bytes(60_000)))[0] for _ in range(20)]
    return min(_sent(scenario, raw) for raw in raws)


def _sent(scenario: Scenario, raw: bytes) -> float:
    start = time.process_time()
    receipt = scenario.chain.send(raw)
    took = time.process_time() - start
    assert receipt.gas_used, receipt.error
    return took


def fullest_book() -> float:
    """Give the seconds of a short request where every window is as full as it gets."""
    scenario, meters = Scenario().ready(), ("count", "value", "maxFee")
    limits = [
        {
            "id": f"w{n}",
            "max": str(2**250),
            "window": "127s",
            "kind": "rolling",
            "meter": meters[n % 3],
        }
        for n in range(MAX_WINDOWS)
    ]
    scenario.rule(policy(0) | {"limits": [{"id": "day", "max": "9", "per": "tx"}, *limits]})
    times = [
        _sent(scenario, scenario.request(payment(1, nonce).unsigned_bytes())[0])
        for nonce in range(140)
    ]
    return min(times[-10:])


def owners_call() -> float:
    """Give the seconds of a full block of the policy that takes longest for its gas."""
    scenario, worst = Scenario(), 0.0
    rng = random.Random(SEED)
    for family, (made, ranges) in FAMILIES.items():
        if family == "transfers":
            continue
        for _ in range(6):
            numbers = {name: rng.randint(*ends) for name, ends in ranges.items()}
            try:
                source = made(numbers).document
            except Malformed:
                continue
            if len(source) > MAX_DOCUMENT_BYTES:
                continue
            data = calldata(Wallets, "setPolicy", scenario.wallet, source, scenario.show()[5])
            raw = scenario.raw(OWNER, Wallets.ADDRESS, data, gas=20_000_000)
            start = time.process_time()
            receipt = scenario.chain.send(raw)
            took = time.process_time() - start
            worst = max(worst, took * gas.BLOCK_LIMIT / receipt.gas_used)
    return worst


def growth() -> float:
    """Give the megabytes that the second half of many requests adds, each with a new type."""

    def some(start: int) -> None:
        for at in range(start, start + REQUESTS):
            text = f"f{at}({','.join(f'uint{8 + 8 * (at >> k & 31)}[{at + k + 1}][] a{k}' for k in range(6))})"
            rule = {"to": {"eq": "$wallet"}, "function": text}
            known = parse_function(text, "")
            ask(evm([rule], known.selector + encode(known.kinds, [[]] * 6)))

    some(0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    some(REQUESTS)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def measure() -> list[Row]:
    found = search()
    long = overhead()
    slowest = max(found, key=lambda one: one.seconds)
    densest = max(found, key=lambda one: one.block_seconds)
    rows = [
        Row(f"worst decision found: {slowest}", slowest.seconds * 1e3, "ms"),
        Row("a request besides its decision, with 60 kB to be written", long * 1e3, "ms"),
        Row("a short request under eight full windows", fullest_book() * 1e3, "ms", 5),
        Row("worst request found, all of it", (slowest.seconds + long) * 1e3, "ms", 5),
        Row(
            f"full block of it: {PER_BLOCK} requests",
            PER_BLOCK * (slowest.seconds + long) * 1e3,
            "ms",
            1_000,
        ),
        Row(f"most work for a block's gas: {densest}", densest.block_seconds * 1e3, "ms", 1_000),
        Row("worst full block of policies", owners_call() * 1e3, "ms", 1_000),
        Row(f"memory that {REQUESTS:,} requests with new types add", growth(), "MB", 8),
    ]
    slowest_first = sorted(found, key=lambda one: -one.seconds)
    return rows + [Row(f"found: {one}", one.seconds * 1e3, "ms") for one in slowest_first]
