"""What leaves under a certificate, within the size of one answer."""

from keymoot.enclave import executed_chain
from keymoot.runtime.disclosure import Disclosure
from keymoot.runtime.outcome import outcome_digest


def test_outcomes_that_do_not_fit_one_answer_are_left_out_and_given_alone(network, monkeypatch):
    box, other, network.withheld = network.boxes[1], network.boxes[2], {1}
    heights = [network.order([]) for _ in range(3)]
    for height in heights:
        box.execute(network.branch.blocks[height])
    outcomes = [other.outcome(height) for height in heights]
    monkeypatch.setattr(executed_chain, "MAX_OUTCOMES_BYTES", len(outcomes[0]) + len(outcomes[1]))
    proof = network.branch.proofs[heights[-1]]
    released = box.certify(heights[-1], proof)
    assert released.first == heights[0]
    assert list(released.outcomes) == [outcomes[0], outcomes[1], b""]
    assert box.outcome(heights[2]) == outcomes[2]
    # Digests are small; and who wants nothing gets nothing.
    digests = [outcome_digest(one) for one in outcomes]
    assert list(box.certify(heights[-1], proof, Disclosure.DIGESTS).outcomes) == digests
    assert list(box.certify(heights[-1], proof, Disclosure.NOTHING).outcomes) == [b""] * 3
