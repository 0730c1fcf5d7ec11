"""The second round of a batch: one wrong thing, of any dealer, at any place, is found and named."""

import copy
from dataclasses import replace

import pytest

from keymoot.base.errors import Malformed
from keymoot.threshold import envelope as boxes
from keymoot.threshold import second_round
from keymoot.threshold.errors import Cheated
from keymoot.threshold.secp256k1 import SECP256K1
from tests.threshold.parties import presigning, rng

BATCH = 3


@pytest.fixture(scope="module", params=[4, 7])
def whole(request):
    """A batch of three, dealt honestly, for tests that spoil one thing at one place."""
    _, run = presigning(request.param, BATCH)
    run.deal_first()
    run.take_first()
    run.deal_second()
    return run


def spoilt(run, dealings):
    """The same batch with some other second dealings."""
    changed = copy.copy(run)
    changed.second = run.second | dealings
    return changed


class TestOneAmongMany:
    """One wrong thing, of any dealer, at any place of a batch."""

    @pytest.mark.parametrize("at", range(BATCH))
    @pytest.mark.parametrize("what", ["nonce", "value", "key"])
    def test_a_wrong_product_is_named(self, whole, at, what):
        for dealer in whole.second:
            honest = whole.first_shares[dealer]
            share = whole.shares[dealer]
            if what == "key":
                # x changes for the whole batch: so change λ for one, and prove with the true one.
                shares = self.changed(honest, at, "value")
                lie = second_round.deal(whole.batch, share, whole.public, shares, rng())
                true = second_round.deal(whole.batch, share, whole.public, honest, rng())
                lie = replace(
                    true,
                    products=tuple(
                        theirs[: len(theirs) // 2] + ours[len(ours) // 2 :]
                        if place == at
                        else theirs
                        for place, (theirs, ours) in enumerate(
                            zip(true.products, lie.products, strict=True)
                        )
                    ),
                )
            else:
                shares = self.changed(honest, at, what)
                lie = second_round.deal(whole.batch, share, whole.public, shares, rng())
            self.expect(whole, dealer, lie)

    @pytest.mark.parametrize("at", range(BATCH))
    def test_a_wrong_share_is_found(self, whole, at):
        """Each of the four scalars of a presignature, of each dealer."""
        victim = whole.parties.size
        key, public = whole.parties.secrets[victim], whole.parties.keys
        session = whole.batch.second
        for dealer, honest in whole.second.items():
            for place in range(4 * at, 4 * at + 4):
                contents = {
                    index: boxes.open_box(
                        session, dealer, index, secret, public[index], honest.envelope
                    ).expose()
                    for index, secret in whole.parties.secrets.items()
                }
                mine = bytearray(contents[victim])
                mine[32 * place + 31] ^= 1
                contents[victim] = bytes(mine)
                envelope = boxes.seal(session, dealer, public, contents, rng())
                run = spoilt(whole, {dealer: replace(honest, envelope=envelope)})
                with pytest.raises(Malformed):
                    run.receive_second(victim)
                found = second_round.blame(run.batch, victim, key, run.second, rng())
                assert [one.dealer for one in found] == [dealer]

    def test_errors_of_two_dealers_do_not_cancel(self, whole):
        """+1 and −1 in the answers of two who conspire, at one place and at two."""
        one, other = list(whole.second)[:2]
        for first, second in ((0, 0), (0, 1), (BATCH, BATCH), (BATCH + 1, BATCH + 1)):
            lies = {
                one: self.added(whole.second[one], first, 1),
                other: self.added(whole.second[other], second, -1),
            }
            with pytest.raises(Cheated) as caught:
                spoilt(whole, lies).receive_second(whole.parties.size)
            assert caught.value.party == one

    def test_errors_of_two_presignatures_do_not_cancel(self, whole):
        dealer = 2
        lie = self.added(self.added(whole.second[dealer], 0, 1), 1, -1)
        self.expect(whole, dealer, lie)

    def test_ones_own_proof_is_not_checked_again(self, whole):
        """But everyone else's receive does."""
        lie = self.added(whole.second[2], 0, 1)
        run = spoilt(whole, {2: lie})
        run.receive_second(2)
        with pytest.raises(Cheated):
            run.receive_second(1)

    @staticmethod
    def changed(shares, at, what):
        found = list(shares)
        one = SECP256K1.add_scalars((getattr(shares[at], what), SECP256K1.hide(1)))
        found[at] = replace(shares[at], **{what: one})
        return found

    @staticmethod
    def added(dealing, place, amount):
        """Add to an answer of a proof: those of the presignatures, of the key, of the masks."""
        start = (BATCH + 2) * SECP256K1.WIDE_POINT_BYTES + 32 * place
        number = int.from_bytes(dealing.proof[start : start + 32], "big") + amount
        raw = SECP256K1.encode_scalar(number % SECP256K1.ORDER)
        return replace(dealing, proof=dealing.proof[:start] + raw + dealing.proof[start + 32 :])

    @staticmethod
    def expect(whole, dealer, lie):
        run = spoilt(whole, {dealer: lie})
        for receiver in {1, whole.parties.size} - {dealer}:
            with pytest.raises(Cheated) as caught:
                run.receive_second(receiver)
            assert caught.value.party == dealer
