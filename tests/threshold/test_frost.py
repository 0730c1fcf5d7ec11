"""FROST: the RFC's vectors bit for bit, other libraries' verifiers, and signers who lie."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from nacl.signing import VerifyKey

from keymoot.base.errors import Malformed
from keymoot.base.fixed import NetworkId
from keymoot.base.secret import Secret
from keymoot.threshold import derivation, frost
from keymoot.threshold.ciphersuite import ED25519, SECP256K1_SHA256, TAPROOT
from keymoot.threshold.errors import Cheated, Spent, TooFew
from keymoot.threshold.root import Root, Share
from tests.threshold.parties import known_root, rng

VECTORS = Path(__file__).parent / "vectors"
SUITES = [ED25519, SECP256K1_SHA256, TAPROOT]
MESSAGE = b"pay somebody"


def ids(suite):
    return suite.NAME


@pytest.mark.parametrize(
    ("suite", "name"),
    [
        (ED25519, "frost-ed25519-vectors"),
        (ED25519, "frost-ed25519-vectors-big-identifier"),
        (SECP256K1_SHA256, "frost-secp256k1-vectors"),
        (SECP256K1_SHA256, "frost-secp256k1-vectors-big-identifier"),
        (TAPROOT, "frost-secp256k1-tr-vectors"),
        (TAPROOT, "frost-secp256k1-tr-vectors-big-identifier"),
    ],
)
def test_rfc_9591(suite, name):
    vector = json.loads((VECTORS / f"{name}.json").read_text())
    inputs, group = vector["inputs"], suite.group
    message = bytes.fromhex(inputs["message"])
    keys = {
        one["identifier"]: Secret(bytes.fromhex(one["participant_share"]))
        for one in inputs["participant_shares"]
    }
    need = int(vector["config"]["MIN_PARTICIPANTS"])
    public = group.decode(bytes.fromhex(inputs["verifying_key_key"]))
    # the vectors have no verification share of those who do not sign
    known = [group.base(keys[at]) if at in keys else group.generator for at in range(1, 258)]
    root = Root(group, need - 1, public, tuple(known))
    outputs = vector["round_one_outputs"]["outputs"]
    nonces, commitments = {}, {}
    for one in outputs:
        share = Share(one["identifier"], keys[one["identifier"]], root)
        random = [
            Secret(bytes.fromhex(one[f"{kind}_nonce_randomness"])) for kind in ("hiding", "binding")
        ]
        made = frost.commit(suite, share, tuple(random))
        assert [part.expose().hex() for part in made._pair] == [
            one["hiding_nonce"],
            one["binding_nonce"],
        ]
        assert made.commitment.hiding.hex() == one["hiding_nonce_commitment"]
        assert made.commitment.binding.hex() == one["binding_nonce_commitment"]
        nonces[one["identifier"]], commitments[one["identifier"]] = made, made.commitment
    work = frost.prepare(suite, root, 0, message, commitments)
    for one in outputs:
        factor = group.encode_scalar(work.factors[one["identifier"]]).hex()
        assert factor == one["binding_factor"]
    answers = {}
    for one in vector["round_two_outputs"]["outputs"]:
        at = one["identifier"]
        answers[at] = frost.sign(work, Share(at, keys[at], root), nonces[at])
        assert group.encode_scalar(answers[at]).hex() == one["sig_share"]
        assert frost.check(work, at, answers[at])
    signature = frost.combine(work, answers)
    assert signature.hex() == vector["final_output"]["sig"]


class Signers:
    """Four parties with a root of degree two."""

    def __init__(self, suite, epsilon=0):
        self.suite = suite
        self.key, self.root, self.shares = known_root(suite.group, 4, 2)
        self.epsilon = epsilon
        self.nonces = {at: self.fresh(at) for at in self.shares}

    def fresh(self, at):
        one, two = rng().scalars(self.suite.group, "random", 2)
        return frost.commit(self.suite, self.shares[at], (one, two))

    def work(self, signers=(1, 2, 3), message=MESSAGE):
        commitments = {at: self.nonces[at].commitment for at in signers}
        return frost.prepare(self.suite, self.root, self.epsilon, message, commitments)

    def answers(self, work):
        return {at: frost.sign(work, self.shares[at], self.nonces[at]) for at in work.commitments}


@pytest.mark.parametrize("suite", SUITES, ids=ids)
class TestEverySuite:
    @pytest.mark.parametrize("signers", [(1, 2, 3), (4, 2, 1), (1, 2, 3, 4)])
    def test_signs(self, suite, signers):
        parties = Signers(suite)
        work = parties.work(signers)
        signature = frost.combine(work, parties.answers(work))
        assert suite.verify(parties.root.public, MESSAGE, signature)
        assert not suite.verify(parties.root.public, MESSAGE + b"!", signature)

    def test_signs_many_times_under_tweaks(self, suite):
        """Both signs of BIP-340's points come up."""
        _, root, _ = known_root(suite.group, 4, 2)
        for path in range(6):
            epsilon = derivation.tweak(root, NetworkId(bytes(32)), bytes((path,)))
            parties = Signers(suite, epsilon)
            work = parties.work()
            answers = parties.answers(work)
            assert all(frost.check(work, at, answer) for at, answer in answers.items())
            signature = frost.combine(work, answers)
            child = derivation.child(parties.root, epsilon)
            assert suite.verify(child, MESSAGE, signature)
            assert not suite.verify(parties.root.public, MESSAGE, signature)

    def test_nonces_serve_once(self, suite):
        parties = Signers(suite)
        work = parties.work()
        frost.sign(work, parties.shares[1], parties.nonces[1])
        for again in (work, parties.work(message=b"another")):
            with pytest.raises(Spent):
                frost.sign(again, parties.shares[1], parties.nonces[1])

    def test_a_bad_share_names_its_signer(self, suite):
        parties = Signers(suite)
        work = parties.work()
        answers = parties.answers(work)
        for wrong in (0, 1, (answers[2] + 1) % suite.group.ORDER):
            with pytest.raises(Cheated) as caught:
                frost.combine(work, answers | {2: wrong})
            assert caught.value.party == 2

    def test_a_share_for_another_message_or_list_names_its_signer(self, suite):
        parties, work = Signers(suite), None
        other = parties.work((1, 2, 4))
        work = parties.work((1, 2, 3))
        answers = {at: frost.sign(work, parties.shares[at], parties.nonces[at]) for at in (2, 3)}
        answers[1] = frost.sign(other, parties.shares[1], parties.nonces[1])
        with pytest.raises(Cheated) as caught:
            frost.combine(work, answers)
        assert caught.value.party == 1

    def test_a_signer_refuses_a_list_with_another_commitment_of_his(self, suite):
        parties = Signers(suite)
        work = parties.work()
        parties.nonces[1] = parties.fresh(1)
        with pytest.raises(Malformed):
            frost.sign(work, parties.shares[1], parties.nonces[1])
        with pytest.raises(Malformed):
            frost.sign(work, parties.shares[4], parties.nonces[4])

    def test_commitments_that_are_no_points_name_their_signer(self, suite):
        parties = Signers(suite)
        good = {at: parties.nonces[at].commitment for at in (1, 2, 3)}
        size = suite.group.POINT_BYTES
        for bad in (bytes(size), b"\xff" * size, b"\1" + bytes(size - 1), b""):
            for spoiled in (replace(good[2], hiding=bad), replace(good[2], binding=bad)):
                with pytest.raises(Cheated) as caught:
                    frost.prepare(suite, parties.root, 0, MESSAGE, good | {2: spoiled})
                assert caught.value.party == 2

    def test_too_few_or_unknown_signers(self, suite):
        parties = Signers(suite)
        with pytest.raises(TooFew):
            parties.work((1, 2))
        one = parties.nonces[1].commitment
        for stranger in (0, 5):
            with pytest.raises(Malformed):
                frost.prepare(suite, parties.root, 0, MESSAGE, {1: one, 2: one, stranger: one})
        work = parties.work()
        with pytest.raises(TooFew):
            frost.combine(work, {1: 1, 2: 2})

    def test_the_binding_factor_depends_on_message_list_and_key(self, suite):
        parties = Signers(suite)
        works = [parties.work(), parties.work(message=b"x"), parties.work((1, 2, 4))]
        parties.epsilon = 5
        works.append(parties.work())
        assert len({work.factors[1] for work in works}) == 4


def test_pynacl_verifies_what_the_moot_signed():
    parties = Signers(ED25519)
    work = parties.work()
    signature = frost.combine(work, parties.answers(work))
    VerifyKey(parties.root.public).verify(MESSAGE, signature)


def test_one_nonce_instead_of_two_is_forgeable():
    """A naive variant without binding factors is linear in the nonces: shares of two open
    sessions add up to a signature that nobody agreed to. With them they do not.

    The full attack of 2020/945 needs 256 sessions; this is its smallest step: the sum of two
    naive shares is the share of a session whose nonce and challenge are the sums.
    """
    parties = Signers(ED25519)
    group = ED25519.group
    one = parties.work(message=b"one")
    two = parties.work(message=b"two")
    d, e = (group.open(part) for part in parties.nonces[1]._pair)
    x = group.open(parties.shares[1].secret)
    naive = [(d + work.challenge * x) % group.ORDER for work in (one, two)]
    summed = (one.challenge + two.challenge) % group.ORDER
    assert (sum(naive) - (2 * d + summed * x)) % group.ORDER == 0
    bound = [(d + e * work.factors[1] + work.challenge * x) % group.ORDER for work in (one, two)]
    assert (sum(bound) - (2 * (d + e) + summed * x)) % group.ORDER != 0
