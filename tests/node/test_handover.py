"""The state secret between a node and its seats: the first counts, all agree, any can sign."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from keymoot.base.errors import Defect, Refused
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.enclave.client import EnclaveGone, EnclaveRefused
from keymoot.enclave.custody import Answer
from keymoot.node.config import Config
from keymoot.node.handover import Handover
from keymoot.node.moot import Moot
from keymoot.store.keys import StateKeys

REQUEST = Hash32(b"q" * 32)


def test_seats_that_disagree_stop_the_node():
    async def story():
        handover = Handover(StateKeys(None, NetworkId(b"n" * 32)))
        watching = asyncio.create_task(handover.watch())
        for _ in range(3):
            handover.take(Secret(b"s" * 32))
        await asyncio.sleep(0)
        assert not watching.done()
        for _ in range(2):
            handover.take(Secret(b"t" * 32))
        with pytest.raises(Defect, match="different state secrets"):
            await watching
        assert handover.keys.contract_keys(b"a" * 20) is not None

    asyncio.run(story())


class Enclave:
    """One that signs, or raises what it was told to."""

    def __init__(self, error=None):
        self.error = error

    async def release(self, signed, witness, requests):
        if self.error is not None:
            raise self.error
        return [Answer(request, b"sealed", b"signed") for request in requests]


def release(*enclaves):
    seats = [SimpleNamespace(index=at, client=one) for at, one in enumerate(enclaves, 1)]
    return asyncio.run(
        Moot(Config(Path("data"), Path("fuse.key")), seats).release(None, {}, [REQUEST])
    )


def test_the_next_seat_signs_where_one_cannot():
    gone, waits = Enclave(EnclaveGone()), Enclave(EnclaveRefused("NO_STATE_KEYS", "not yet"))
    assert release(Enclave(), Enclave())[0] == 1
    seat, (answer,) = release(gone, waits, Enclave(), gone)
    assert (seat, answer.request, answer.sealed) == (3, REQUEST, b"sealed")
    with pytest.raises(Refused) as caught:
        release(gone, waits)
    assert caught.value.code == "NO_STATE_KEYS"
