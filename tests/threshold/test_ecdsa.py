"""Threshold ECDSA: signatures that others verify, and shares that lie."""

from dataclasses import replace
from itertools import combinations

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import address_of, recover
from keymoot.threshold import derivation, ecdsa
from keymoot.threshold.ecdsa import BadDigest, SignatureShare
from keymoot.threshold.errors import TooFew
from keymoot.threshold.secp256k1 import SECP256K1
from tests.examples import examples
from tests.threshold.parties import NETWORK, presigning

DIGEST = keccak256(b"a transaction")


class Wallet:
    """A root with a stock of presignatures, and one wallet under it."""

    def __init__(self, size=4, stock=2):
        self.key, self.run = presigning(size, stock)
        self.parts = self.run.run()
        self.root = self.run.batch.root
        self.epsilon = derivation.tweak(self.root, NETWORK, b"wallet 1")
        self.public = derivation.child(self.root, self.epsilon)
        self.address = address_of(SECP256K1.encode_uncompressed(self.public))

    def task(self, at=0, digest=DIGEST, beacon=b"beacon 1"):
        point = self.parts[1][at].point
        delta = ecdsa.rerandomiser(beacon, point, b"request", digest)
        return ecdsa.task(point, delta, digest, self.epsilon, self.public)

    def shares(self, work, at=0):
        return {index: ecdsa.sign(one[at], work) for index, one in self.parts.items()}


@pytest.mark.parametrize("size", [4, 6, 7, 13])
def test_libraries_that_know_nothing_of_it_verify_the_signature(size):
    wallet = Wallet(size, 1)
    work = wallet.task()
    shares = wallet.shares(work)
    chosen = {at: shares[at] for at in list(shares)[-(wallet.root.degree + 1) :]}
    signature, bad = ecdsa.combine(work, chosen, wallet.root.degree)
    assert not bad
    assert recover(DIGEST, signature) == wallet.address
    assert SECP256K1.verify_ecdsa(wallet.public, DIGEST, signature[:64])
    vrs = (signature[64] + 27, *(int.from_bytes(signature[a : a + 32], "big") for a in (0, 32)))
    assert Account._recover_hash(DIGEST, vrs=vrs) == Account._recover_hash(DIGEST, vrs=vrs)
    assert Account._recover_hash(DIGEST, vrs=vrs).lower() == wallet.address.hex0x


def test_any_subset_of_degree_plus_one_gives_the_same_signature():
    wallet = Wallet(7, 1)
    work = wallet.task()
    shares = wallet.shares(work)
    found = {
        bytes(ecdsa.combine(work, {at: shares[at] for at in chosen}, 2)[0])
        for chosen in combinations(shares, 3)
    }
    assert len(found) == 1


def test_degree_shares_give_nothing():
    wallet = Wallet()
    shares = wallet.shares(wallet.task())
    for index in shares:
        with pytest.raises(TooFew):
            ecdsa.combine(wallet.task(), {index: shares[index]}, 1)


def test_s_is_low_and_the_parity_follows():
    wallet = Wallet(4, 8)
    parities = set()
    for at in range(8):
        work = wallet.task(at)
        signature, _ = ecdsa.combine(work, wallet.shares(work, at), 1)
        assert int.from_bytes(signature[32:64], "big") <= SECP256K1.ORDER // 2
        assert recover(DIGEST, signature) == wallet.address
        parities.add((signature[64], SECP256K1.encode(work.nonce)[0] & 1))
    assert len(parities) > 1


@pytest.mark.parametrize("liars", [(1,), (3,), (4,)])
def test_a_lying_share_is_named_and_does_not_stop_the_rest(liars):
    wallet = Wallet()
    work = wallet.task()
    public = wallet.run.combine_second()[0]
    good = wallet.shares(work)
    for change in (
        {"value": 5},
        {"nonce": 5},
        {"value": 0, "nonce": 0},
        {"value": 0, "value_mask": 0, "nonce": 0, "nonce_mask": 0},
    ):
        shares = good | {at: replace(good[at], **change) for at in liars}
        signature, bad = ecdsa.combine(work, shares, 1)
        assert recover(DIGEST, signature) == wallet.address
        assert bad == list(liars)
        for index, share in shares.items():
            assert ecdsa.check(work, public, index, share) == (index not in liars)


def test_a_wrong_mask_is_seen_by_the_check():
    wallet = Wallet()
    work = wallet.task()
    public = wallet.run.combine_second()[0]
    share = wallet.shares(work)[2]
    assert ecdsa.check(work, public, 2, share)
    assert not ecdsa.check(work, public, 3, share)
    for name in ("value", "value_mask", "nonce", "nonce_mask"):
        changed = replace(share, **{name: getattr(share, name) ^ 1})
        assert not ecdsa.check(work, public, 2, changed)


def test_f_liars_of_seven_do_not_stop_it():
    wallet = Wallet(7, 1)
    work = wallet.task()
    shares = wallet.shares(work)
    for at in (1, 2):
        shares[at] = replace(shares[at], value=at, nonce=at)
    signature, bad = ecdsa.combine(work, shares, 2)
    assert recover(DIGEST, signature) == wallet.address
    assert bad == [1, 2]


def test_shares_for_another_task_do_not_mix():
    """Parties that were told another digest, beacon or tweak give shares that do not fit."""
    wallet = Wallet()
    work = wallet.task()
    other = wallet.task(digest=keccak256(b"another"))
    mixed = {1: ecdsa.sign(wallet.parts[1][0], work), 2: ecdsa.sign(wallet.parts[2][0], other)}
    with pytest.raises(TooFew):
        ecdsa.combine(work, mixed, 1)


def test_a_digest_of_zero_is_refused():
    wallet = Wallet(4, 1)
    for zero in (bytes(32), SECP256K1.ORDER.to_bytes(32, "big")):
        with pytest.raises(BadDigest):
            wallet.task(digest=Hash32(zero))
    with pytest.raises(BadDigest):
        ecdsa.task(wallet.parts[1][0].point, 0, DIGEST, wallet.epsilon, wallet.public)


def test_the_rerandomiser_depends_on_everything():
    point, other = SECP256K1.base_public(5), SECP256K1.base_public(6)
    found = {
        ecdsa.rerandomiser(b"b", point, b"request", b"digest"),
        ecdsa.rerandomiser(b"c", point, b"request", b"digest"),
        ecdsa.rerandomiser(b"b", other, b"request", b"digest"),
        ecdsa.rerandomiser(b"b", point, b"requestd", b"igest"),
        ecdsa.rerandomiser(b"b", point, b"request"),
    }
    assert len(found) == 5


@settings(max_examples=examples(50))
@given(st.binary(max_size=200))
def test_parsing_a_share_raises_nothing_else(data):
    try:
        assert SignatureShare.decode(data).encode() == data
    except Malformed:
        assert len(data) != 128 or data.count(0xFF) > 8


class TestDerivation:
    def test_paths_networks_and_roots_have_their_own_tweaks(self):
        one, other = Wallet(4, 1), Wallet(4, 1)
        tweaks = {
            derivation.tweak(one.root, NETWORK, b"a"),
            derivation.tweak(one.root, NETWORK, b"b"),
            derivation.tweak(one.root, type(NETWORK)(bytes(32)), b"a"),
            derivation.tweak(other.root, NETWORK, b"a"),
        }
        assert len(tweaks) == 4
        assert 0 not in tweaks

    def test_refuses_empty_and_long_paths(self):
        wallet = Wallet(4, 1)
        for bad in (b"", b"x" * 257):
            with pytest.raises(Malformed):
                derivation.tweak(wallet.root, NETWORK, bad)

    def test_a_childs_secret_would_give_the_root_away(self):
        """Why nothing here exports a wallet's key: x is the child's secret minus ε."""
        wallet = Wallet(4, 1)
        child = (SECP256K1.open(wallet.key) + wallet.epsilon) % SECP256K1.ORDER
        assert SECP256K1.equal(SECP256K1.base_public(child), wallet.public)
        assert (child - wallet.epsilon) % SECP256K1.ORDER == SECP256K1.open(wallet.key)
        assert not [name for name in vars(derivation) if "secret" in name or "export" in name]
