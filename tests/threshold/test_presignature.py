"""Presignatures: honest batches, and every way to be wrong in both rounds."""

from dataclasses import replace
from itertools import product

import pytest

from keymoot.base.errors import Malformed
from keymoot.threshold import envelope as boxes
from keymoot.threshold import first_round, second_round
from keymoot.threshold.batch_verifier import BatchVerifier
from keymoot.threshold.errors import Cheated
from keymoot.threshold.polynomial import evaluate_commitment, interpolate
from keymoot.threshold.secp256k1 import SECP256K1
from tests.threshold.parties import presigning, rng

BAD = b"\xff" * 32


@pytest.mark.parametrize("size", [4, 6, 7])
def test_an_honest_batch_is_what_it_says(size):
    key, run = presigning(size)
    parts = run.run()
    need = run.batch.root.degree + 1
    for at in range(run.batch.size):
        chosen = [parts[index][at] for index in list(parts)[-need:]]
        value, _, nonce, _, keyed, _ = (
            interpolate(SECP256K1, {one.index: one.secrets[place] for one in chosen})
            for place in range(6)
        )
        kappa = interpolate(
            SECP256K1, {index: run.first_shares[index][at].nonce for index in list(parts)[:need]}
        )
        assert SECP256K1.equal(SECP256K1.base(kappa), chosen[0].point)
        assert SECP256K1.multiply_scalars(kappa, value).expose() == nonce.expose()
        assert SECP256K1.multiply_scalars(key, value).expose() == keyed.expose()


def test_two_presignatures_have_nothing_in_common():
    _, run = presigning(batch_size=3)
    parts = run.run()
    points = {SECP256K1.encode(one.point) for one in parts[1]}
    secrets = {secret.expose() for one in parts[1] for secret in one.secrets}
    assert len(points) == 3
    assert len(secrets) == 18


def test_any_product_dealers_give_the_same_presignature():
    _, run = presigning(4)
    run.deal_first()
    run.take_first()
    results = []
    for dealers in ((1, 2, 3), (2, 3, 4), (1, 2, 4)):
        run.second = {
            at: second_round.deal(
                run.batch, run.shares[at], run.public, run.first_shares[at], rng()
            )
            for at in dealers
        }
        parts = run.take_second()
        chosen = {at: parts[at][0].secrets[2] for at in (1, 4)}
        results.append(interpolate(SECP256K1, chosen).expose())
    assert len(set(results)) == 1


class TestTheFirstRound:
    def spoil(self, run, dealer, change):
        """Let a dealer send other contents than he committed to."""
        honest = run.first[dealer]
        contents = {}
        for index, secret in run.parties.secrets.items():
            opened = boxes.open_box(
                run.batch.first, dealer, index, secret, run.parties.keys[index], honest.envelope
            )
            contents[index] = opened.expose()
        changed = change(contents)
        envelope = boxes.seal(run.batch.first, dealer, run.parties.keys, changed, rng())
        run.first[dealer] = replace(honest, envelope=envelope)

    @pytest.mark.parametrize("place", range(6))
    def test_a_wrong_share_of_any_value_is_named(self, place):
        _, run = presigning()
        run.deal_first()

        def change(contents):
            mine = bytearray(contents[3])
            mine[32 * place + 31] ^= 1
            return contents | {3: bytes(mine)}

        self.spoil(run, 2, change)
        self.expect(run, 3, 2)

    @pytest.mark.parametrize("content", [b"", BAD * 6, bytes(32 * 5), bytes(32 * 7)])
    def test_a_box_of_something_else_is_named(self, content):
        _, run = presigning()
        run.deal_first()
        self.spoil(run, 2, lambda contents: contents | {3: content})
        self.expect(run, 3, 2)

    def expect(self, run, victim, cheater):
        checked = {at: first_round.check(run.batch, at, one) for at, one in run.first.items()}
        run.public = first_round.combine(run.batch, checked)
        for index, secret in run.parties.secrets.items():
            if index == victim:
                with pytest.raises(Malformed):
                    first_round.receive(run.batch, index, secret, run.first, run.public, rng())
            else:
                first_round.receive(run.batch, index, secret, run.first, run.public, rng())
            complaints = first_round.blame(run.batch, index, secret, run.first, rng())
            assert [one.dealer for one in complaints] == ([cheater] if index == victim else [])
            for one in complaints:
                assert first_round.judge(run.batch, one, run.first[one.dealer]) == cheater

    def test_two_wrong_shares_that_cancel_do_no_harm(self):
        """Only sums are used; two dealers whose errors cancel gave a good sum."""
        _, run = presigning()
        run.deal_first()

        def add(amount):
            def change(contents):
                value = (int.from_bytes(contents[3][:32], "big") + amount) % SECP256K1.ORDER
                return contents | {3: value.to_bytes(32, "big") + contents[3][32:]}

            return change

        self.spoil(run, 1, add(5))
        self.spoil(run, 2, add(-5))
        run.take_first()
        run.deal_second()
        run.take_second()

    def test_a_false_complaint_names_the_accuser(self):
        _, run = presigning()
        run.deal_first()
        complaint = boxes.complain(
            run.batch.first,
            2,
            3,
            run.parties.secrets[3],
            run.parties.keys[3],
            run.first[2].envelope,
            rng(),
        )
        assert first_round.judge(run.batch, complaint, run.first[2]) == 3
        assert first_round.judge(run.batch, replace(complaint, accuser=77), run.first[2]) == 77

    @pytest.mark.parametrize("part", ["masked", "plain"])
    def test_other_commitments_are_named(self, part):
        _, run = presigning()
        run.deal_first()
        honest = run.first[2]
        good = getattr(honest, part)
        for bad in (
            good[:1],
            (*good, good[0]),
            (good[0][:-65], *good[1:]),
            (good[0] + good[0][:65], *good[1:]),
            (bytes(130), *good[1:]),
            (b"\x06" + good[0][1:], *good[1:]),
        ):
            with pytest.raises(Cheated) as caught:
                first_round.check(run.batch, 2, replace(honest, **{part: bad}))
            assert caught.value.party == 2

    def test_a_copied_or_replayed_dealing_is_named(self):
        _, run = presigning()
        run.deal_first()
        with pytest.raises(Cheated) as caught:
            first_round.check(run.batch, 4, run.first[2])
        assert caught.value.party == 4
        later = run.parties.batch(run.batch.root, 2, "batch 2")
        with pytest.raises(Cheated):
            first_round.check(later, 2, run.first[2])
        # the second round is another session than the first
        assert run.batch.first != run.batch.second

    def test_a_cancelled_nonce_is_seen_also_by_whom_the_canceller_dealt_well(self):
        """R is the identity: no signature will come of it, whatever one's own share is."""
        _, run = presigning()
        run.deal_first()
        claims = {at: first_round.check(run.batch, at, one) for at, one in run.first.items()}
        honest = [claims[at].plain[0][0] for at in (1, 2)]
        constant = SECP256K1.negate(SECP256K1.sum(honest))
        # with the slope that makes party 4's share, and nobody else's, what it should be
        share = evaluate_commitment(SECP256K1, claims[3].plain[0], 4)
        rise = SECP256K1.sum((share, SECP256K1.negate(constant)))
        slope = SECP256K1.multiply_public(pow(4, -1, SECP256K1.ORDER), rise)
        plain = (SECP256K1.encode_all([constant, slope]), *run.first[3].plain[1:])
        run.first[3] = replace(run.first[3], plain=plain)
        claims[3] = first_round.check(run.batch, 3, run.first[3])
        public = first_round.combine(run.batch, claims)
        for at, key in run.parties.secrets.items():
            with pytest.raises(Malformed):
                first_round.receive(run.batch, at, key, run.first, public, rng())
            named = {one.dealer for one in first_round.blame(run.batch, at, key, run.first, rng())}
            assert named == (set() if at == 4 else {3})

    def test_the_transcript_is_of_every_commitment(self):
        """It stands for all K and L in the proofs of the second round."""
        _, run = presigning()
        run.deal_first()
        other = SECP256K1.encode_wide(SECP256K1.generator)
        seen = set()
        for part in ("masked", "plain"):
            for dealer, place, at in product(run.first, (0, 1), (0, 65)):
                good = getattr(run.first[dealer], part)
                row = good[place][:at] + other + good[place][at + 65 :]
                changed = replace(
                    run.first[dealer], **{part: (*good[:place], row, *good[place + 1 :])}
                )
                dealings = run.first | {dealer: changed}
                claims = {at: first_round.check(run.batch, at, it) for at, it in dealings.items()}
                seen.add(first_round.combine(run.batch, claims).transcript)
        assert len(seen) == 2 * 3 * 2 * 2


class TestTheSecondRound:
    @pytest.fixture
    def run(self):
        _, run = presigning()
        run.deal_first()
        run.take_first()
        run.deal_second()
        return run

    def refuses(self, run, dealing, dealer=2):
        """Whoever receives names the dealer, and so does everyone who looks at him alone."""
        run.second[dealer] = dealing
        for receiver in (1, 4):
            with pytest.raises(Cheated) as caught:
                run.receive_second(receiver)
            assert caught.value.party == dealer
        with pytest.raises(Cheated) as caught:
            claim = second_round.read(run.batch, run.public, dealer, dealing)
            second_round.check(run.batch, run.public, dealer, claim)
        assert caught.value.party == dealer

    @pytest.mark.parametrize("place", range(4))
    def test_a_wrong_share_of_any_value_is_named(self, run, place):
        honest = run.second[2]
        contents = {}
        for index, secret in run.parties.secrets.items():
            contents[index] = boxes.open_box(
                run.batch.second, 2, index, secret, run.parties.keys[index], honest.envelope
            ).expose()
        mine = bytearray(contents[4])
        mine[32 * place + 31] ^= 1
        envelope = boxes.seal(
            run.batch.second, 2, run.parties.keys, contents | {4: bytes(mine)}, rng()
        )
        run.second[2] = replace(honest, envelope=envelope)
        for index, secret in run.parties.secrets.items():
            complaints = second_round.blame(run.batch, index, secret, run.second, rng())
            if index != 4:
                run.receive_second(index)
                assert not complaints
                continue
            with pytest.raises(Malformed):
                run.receive_second(index)
            assert [one.dealer for one in complaints] == [2]
            assert second_round.judge(run.batch, complaints[0], run.second[2]) == 2

    def test_a_product_of_something_else_is_named(self, run):
        """The dealer multiplies another κ, and proves what he can."""
        own = [replace(one, nonce=SECP256K1.hide(7)) for one in run.first_shares[2]]
        self.refuses(run, second_round.deal(run.batch, run.shares[2], run.public, own, rng()))
        other_key = replace(run.shares[2], secret=SECP256K1.hide(7))
        self.refuses(
            run, second_round.deal(run.batch, other_key, run.public, run.first_shares[2], rng())
        )

    def test_other_shapes_are_named(self, run):
        honest = run.second[2]
        first, second = honest.products
        for bad in (
            replace(honest, products=(first,)),
            replace(honest, products=(first[:-65], second)),
            replace(honest, products=(first + first[:65], second)),
            replace(honest, products=(bytes(260), second)),
            replace(honest, products=(b"\6" + first[1:], second)),
            replace(honest, products=(second, first)),
            replace(honest, proof=b""),
            replace(honest, proof=honest.proof[:-1]),
            replace(honest, proof=honest.proof[97:]),
            replace(honest, proof=honest.proof + honest.proof[:97]),
            replace(honest, proof=b"\xff" * len(honest.proof)),
            replace(honest, proof=bytes(len(honest.proof))),
            replace(honest, proof=run.second[3].proof),
            replace(honest, envelope=replace(honest.envelope, proof=bytes(64))),
        ):
            self.refuses(run, bad)

    def test_every_byte_of_a_proof_counts(self, run):
        """Each of its points and answers is spoilt, in each presignature."""
        honest = run.second[2]
        for at in range(0, len(honest.proof), 13):
            raw = bytearray(honest.proof)
            raw[at] ^= 1
            self.refuses(run, replace(honest, proof=bytes(raw)))

    def test_the_verdict_over_a_proof_needs_no_weights(self, run, monkeypatch):
        """All agree on a verdict, so its weights would be known to the dealer beforehand."""
        for name in ("weight", "long_weight"):
            monkeypatch.delattr(BatchVerifier, name)
        honest = second_round.read(run.batch, run.public, 2, run.second[2])
        second_round.check(run.batch, run.public, 2, honest)
        lie = replace(honest, proof=replace(honest.proof, mask_answer=5))
        with pytest.raises(Cheated):
            second_round.check(run.batch, run.public, 2, lie)

    def test_a_dealer_with_a_share_of_zero_is_named(self, run):
        """Who deals last in a reshare can choose it; its commitment cannot be written."""
        shares = tuple(None if at == 1 else one for at, one in enumerate(run.batch.root.shares, 1))
        batch = replace(run.batch, root=replace(run.batch.root, shares=shares))
        with pytest.raises(Cheated) as caught:
            second_round.read(batch, run.public, 1, run.second[1])
        assert caught.value.party == 1

    def test_swapped_products_are_named(self, run):
        honest = run.second[2]
        half = len(honest.products[0]) // 2
        swapped = (honest.products[0][half:] + honest.products[0][:half], honest.products[1])
        self.refuses(run, replace(honest, products=swapped))

    def test_a_copied_or_replayed_dealing_is_named(self, run):
        self.refuses(run, run.second[2], dealer=3)
        later = run.parties.batch(run.batch.root, 2, "batch 2")
        with pytest.raises(Cheated):
            second_round.read(later, run.public, 2, run.second[2])

    def test_a_proof_is_of_its_own_first_round(self, run):
        public = replace(run.public, transcript=bytes(64))
        claim = second_round.read(run.batch, public, 2, run.second[2])
        with pytest.raises(Cheated):
            second_round.check(run.batch, public, 2, claim)

    def test_a_false_complaint_names_the_accuser(self, run):
        complaint = boxes.complain(
            run.batch.second,
            2,
            3,
            run.parties.secrets[3],
            run.parties.keys[3],
            run.second[2].envelope,
            rng(),
        )
        assert second_round.judge(run.batch, complaint, run.second[2]) == 3

    def test_needs_exactly_twice_the_degree_and_one(self, run):
        whole = dict(run.second)
        one_more = second_round.deal(
            run.batch, run.shares[4], run.public, run.first_shares[4], rng()
        )
        for other in ({at: whole[at] for at in (1, 2)}, whole | {4: one_more}):
            run.second = other
            with pytest.raises(Malformed):
                run.receive_second(1)
