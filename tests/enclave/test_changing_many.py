"""Half, all or more of the members change at once: whoever comes can execute before it counts."""

from pathlib import Path

import pytest

from tests.enclave.network import Network
from tests.enclave.shares import combined, shares_of
from tests.enclave.test_changes import change, more_blocks, signers


@pytest.mark.parametrize(
    ("size", "joining", "leaving"),
    [
        (4, [5], [2]),
        (4, [5, 6], [1, 2]),
        (4, [5, 6, 7, 8], [1, 2, 3, 4]),
        (4, [5, 6, 7], []),
        (7, [], [1, 2, 3]),
        (7, [8, 9, 10, 11], [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_the_ledger_goes_on_whoever_comes_and_goes(
    tmp_path: Path, small_batches: None, size: int, joining: list[int], leaving: list[int]
) -> None:
    network = Network(tmp_path, size).found()
    play = network.play()
    before = network.bind(play)
    assert shares_of(network, before, (1, 2))
    at = change(network, joining, leaving)
    members = network.assembly.hall.head.members
    assert set(members) == {*range(1, size + 1), *joining} - set(leaving)
    more_blocks(network, 2)
    assert not network.stands_still
    assert network.branch.certified > at + 2
    # All of them sign, whoever they are, and one request more is answered.
    assert signers(network, network.branch.certified) == set(members)
    after = network.bind(play, 6)
    degree = network.assembly.hall.committee.ecdsa_degree
    given = shares_of(network, after, members[: degree + 1])
    assert combined(network, after, given, degree)
