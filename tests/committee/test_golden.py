"""Bytes on the wire and on disk stay what they are: messages and pages of two long walks.

`golden.json` has, for each step, how many messages were said, the hash of all their encodings in
order, and the hash of each page that they left. After a change that is meant to change bytes:

    python -m tests.committee.test_golden
"""

import json
from pathlib import Path

import pytest

from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.presign import ledger as stock
from keymoot.crypto.keccak import keccak256
from tests.committee.network import CommitteeNetwork

GOLDEN = Path(__file__).with_name("golden.json")


def everyone_speaks():
    """Key generation, bindings, a start, an epoch, members that change, a recovery."""
    net = CommitteeNetwork(seed=7)
    yield net, "founded, and all have shown evidence"
    net.settle()
    yield net, "keys, a state key, nonces and a stock are made"
    for machine in (net.ledger, *net.views.values()):
        for _ in range(stock.BATCH_SIZE + 1):
            machine.take(Height(net.height), UnixSeconds(net.time))
        machine.nonces.spend(machine.nonces.choose())
    net.settle()
    yield net, "presignatures and nonces are bound, and made anew"
    net.restart(2)
    net.settle()
    yield net, "an enclave starts anew"
    net.pass_time(86_400)
    yield net, "epochs end by time"
    net.change(joining=[5], leaving=[1])
    yield net, "one comes and one goes"
    net.turn()
    net.send(*net.tasks())
    net.send(net.recovery({2, 3, 4, 5}))
    net.settle()
    yield net, "a recovery while the next epoch is under way"


def some_are_silent():
    """What waits for somebody goes on without him, or begins again."""
    net = CommitteeNetwork(seed=8, silent={4})
    net.settle()
    yield net, "key generation waits for a silent seat"
    net.pass_time(160)
    yield net, "keys are made without it"
    net.silent = {3}
    net.turn()
    net.settle()
    yield net, "an epoch's end waits for a silent seat"
    net.pass_time(120)
    yield net, "the next epoch lives, though one said nothing"
    net.silent = {2, 3}
    for machine in (net.ledger, *net.views.values()):
        for _ in range(stock.BATCH_SIZE + 1):
            machine.take(Height(net.height), UnixSeconds(net.time))
    net.pass_time(80, blocks=12)
    yield net, "the stock waits, with too few awake"
    net.silent = set()
    net.turn()
    net.silent = {2, 3}
    net.pass_time(120)
    yield net, "an attempt to end the epoch fails"
    net.silent = set()
    net.pass_time(120)
    yield net, "the next one does not"


def walks():
    for walk in (everyone_speaks, some_are_silent):
        heard = 0
        for net, step in walk():
            said, heard = net.log[heard:], len(net.log)
            yield {
                "step": step,
                "messages": len(said),
                "refused": len(net.refused),
                "said": keccak256(b"".join(one.encode() for one in said)).hex(),
                "pages": {name: keccak256(page).hex() for name, page in net.pages},
            }


def test_messages_and_pages_are_the_same_bytes_as_ever():
    for made, pinned in zip(walks(), json.loads(GOLDEN.read_text()), strict=True):
        assert made == pinned, pinned["step"]


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stock, "BATCH_SIZE", 4)
        GOLDEN.write_text(json.dumps(list(walks()), indent=1) + "\n")
