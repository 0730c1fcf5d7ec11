"""What the threshold protocols cost each party, beside the floors of the same run.

In time of the processor: what a neighbour takes from the core is not our cost.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from bench import row
from bench.row import Row
from keymoot.crypto.keccak import keccak256
from keymoot.threshold import derivation, derived, ecdsa, first_round, frost, second_round
from keymoot.threshold.bls12381 import G1, G2, pairings_equal
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.committee import Committee
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.secp256k1 import SECOND_GENERATOR, SECP256K1
from tests.threshold.parties import NETWORK, Presigning, known_root, presigning, rng

median_seconds = partial(row.median_seconds, clock=time.process_time)

SIZES = (4, 7, 13)
BATCH = 64
TAKES = 5
"""How often a party takes a round in, for the median."""

PRESIGN_GOAL_MS = {4: 0.8}
SPEC_PRESIGN_MS = {4: 1.65, 7: 3.15, 13: 7.3}
"""A plain prototype of the same protocol, on another machine of this kind."""


def measure() -> list[Row]:
    one, two = G1.base_public(6), G2.base_public(7)
    pair = [(G1.base_public(42), G2.generator)]
    pairing = median_seconds(lambda: pairings_equal((one, two), pair), 200)
    secret = rng().scalar(SECP256K1, "floor")
    base = median_seconds(lambda: SECP256K1.base(secret), 2_000)
    other = median_seconds(lambda: SECP256K1.multiply(secret, SECOND_GENERATOR), 2_000)
    rows = [
        Row("floor: one pairing check", pairing * 1e3, "ms"),
        Row("floor: a secret times G, secp256k1", base * 1e6, "µs"),
        Row("floor: a secret times another point, secp256k1", other * 1e6, "µs"),
    ]
    for size in SIZES:
        rows += _ecdsa(size) + _frost(size) + _derived(size)
    return rows


def _ecdsa(size: int) -> list[Row]:
    _, run = presigning(size, BATCH)
    spent: dict[str, list[float]] = {}

    def timed(name: str, step: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = step()
        spent.setdefault(name, []).append((time.process_time() - start) / BATCH)
        return result

    parts = _presign(run, timed)
    party = sum(statistics.median(values) for values in spent.values())
    # n−f deal the first round and 2t+1 the second, in turn: what an average party spends.
    committee = run.parties.committee
    turns = committee.present / size
    product = run.batch.product_dealers / size
    average = (
        turns * statistics.median(spent["deal first"])
        + product * statistics.median(spent["deal second"])
        + statistics.median(spent["take first"])
        + statistics.median(spent["take second"])
    )
    root = run.batch.root
    epsilon = derivation.tweak(root, NETWORK, b"bench")
    public = derivation.child(root, epsilon)
    digest = keccak256(b"bench")
    point = parts[1][0].point
    delta = ecdsa.rerandomiser(b"beacon", point, b"request")
    work = ecdsa.task(point, delta, digest, epsilon, public)
    share = median_seconds(lambda: ecdsa.sign(parts[1][0], work), 500)
    shares = {at: ecdsa.sign(parts[at][0], work) for at in range(1, root.degree + 2)}
    combine = median_seconds(lambda: ecdsa.combine(work, shares, root.degree), 500)
    sizes = sum(len(one.encode()) for one in (*run.first.values(), *run.second.values()))
    goal = PRESIGN_GOAL_MS.get(size)
    return [
        Row(f"n={size}: presignature, a party that deals both rounds", party * 1e3, "ms"),
        Row(f"n={size}: presignature, per party on average", average * 1e3, "ms", goal),
        Row(f"n={size}: the same in the spec's prototype", SPEC_PRESIGN_MS[size], "ms"),
        Row(f"n={size}: online share", share * 1e6, "µs", 50),
        Row(f"n={size}: combine degree+1 and verify", combine * 1e6, "µs", 100),
        Row(f"n={size}: dealings on the ledger per signature", sizes / BATCH, "bytes"),
    ]


def _presign(run: Presigning, timed: Callable[[str, Callable[[], Any]], Any]) -> Any:
    batch, parties = run.batch, run.parties
    dealers = list(parties.keys)[: parties.committee.present]
    run.first = {
        at: timed("deal first", lambda at=at: first_round.deal(batch, at, rng())) for at in dealers
    }
    for _ in range(TAKES):
        timed("take first", lambda: _take_first(run, 1))
    run.take_first()
    run.second = {
        at: timed(
            "deal second",
            lambda at=at: second_round.deal(
                batch, run.shares[at], run.public, run.first_shares[at], rng()
            ),
        )
        for at in dealers[: batch.product_dealers]
    }
    for _ in range(TAKES):
        timed("take second", lambda: run.receive_second(1))
    return run.take_second()


def _take_first(run: Presigning, index: int) -> None:
    checked = {at: first_round.check(run.batch, at, one) for at, one in run.first.items()}
    public = first_round.combine(run.batch, checked)
    secret = run.parties.secrets[index]
    first_round.receive(run.batch, index, secret, run.first, public, rng())


def _frost(size: int) -> list[Row]:
    degree = Committee.of(size).degree
    _, root, shares = known_root(EDWARDS25519, size, degree)
    signers = list(shares)[: degree + 1]

    def nonces(at: int) -> frost.Nonces:
        one, two = rng().scalars(EDWARDS25519, "random", 2)
        return frost.commit(ED25519, shares[at], (one, two))

    pair = median_seconds(lambda: nonces(1), 100)
    made = {at: nonces(at) for at in signers}
    commitments = {at: one.commitment for at, one in made.items()}
    fresh = iter([nonces(1) for _ in range(60)])

    def answer() -> None:
        one = next(fresh)
        work = frost.prepare(ED25519, root, 5, b"bench", commitments | {1: one.commitment})
        frost.sign(work, shares[1], one)

    second = median_seconds(answer, 50)
    work = frost.prepare(ED25519, root, 5, b"bench", commitments)
    answers = {at: frost.sign(work, shares[at], made[at]) for at in signers}
    whole = median_seconds(lambda: frost.combine(work, answers), 100)
    return [
        Row(f"n={size}: FROST Ed25519 pair of nonces", pair * 1e3, "ms"),
        Row(f"n={size}: FROST Ed25519 share", second * 1e3, "ms"),
        Row(f"n={size}: FROST Ed25519 combine and verify", whole * 1e3, "ms"),
    ]


def _derived(size: int) -> list[Row]:
    degree = Committee.of(size).degree
    _, root, shares = known_root(G2, size, degree)
    secret, to = derived.asker(rng())
    name = derived.input_of("app", b"bench")
    node = median_seconds(lambda: derived.answer(shares[1], name, to, rng()), 60)
    answers = {at: derived.answer(shares[at], name, to, rng()) for at in list(shares)[: degree + 1]}
    asker = median_seconds(lambda: derived.combine(root, name, secret, to, answers), 60)
    goal = 1.5 if size == 4 else None
    return [
        Row(f"n={size}: derived key, a node's answer", node * 1e3, "ms"),
        Row(f"n={size}: derived key at the requester", asker * 1e3, "ms", goal),
    ]
