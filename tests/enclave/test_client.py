"""The server's end of the channel, when the other end is no more."""

import asyncio
import os
import resource
from pathlib import Path

import pytest
import uvloop

from keymoot.enclave.client import EnclaveClient, EnclaveGone, EnclaveRefused

MANY = 1_100


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_dead_enclave_is_gone_whatever_is_asked_and_whenever(tmp_path: Path, loop: str) -> None:
    """A node that lets anything else through stops, and all other enclaves with it."""

    async def story() -> None:
        folder = tmp_path / "enclave"
        client = await EnclaveClient.start(folder, tmp_path / "data", tmp_path / "cpu" / "fuse")
        asked = [asyncio.create_task(client.pulse()) for _ in range(4)]
        os.kill(client.pid, 9)
        # Questions of every moment around its end: before, while and after the pipe breaks.
        for pause in (0, 0, 0.001, 0.01, 0.05, 0.2):
            asked += [asyncio.create_task(client.pulse()) for _ in range(4)]
            await asyncio.sleep(pause)
        done = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)
        # It had joined no network, so the first ones may have been answered with that.
        kinds = {type(one).__name__ for one in done}
        assert kinds <= {"EnclaveGone", "EnclaveRefused"}
        assert "EnclaveGone" in kinds
        client._writer.transport.close()
        client._pump = None
        with pytest.raises(EnclaveGone):
            await client.pulse()
        await client.close()

    (uvloop.run if loop == "uvloop" else asyncio.run)(story())


def test_a_server_with_thousands_of_open_files_starts_enclaves(tmp_path: Path) -> None:
    """Its socket has a number in the enclave's process that `select` does not take."""

    async def story() -> None:
        folder = tmp_path / "enclave"
        client = await EnclaveClient.start(folder, tmp_path / "data", tmp_path / "cpu" / "fuse")
        with pytest.raises(EnclaveRefused) as refused:
            await client.pulse()
        assert refused.value.code == "NOT_JOINED"
        await client.close()

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < MANY + 256:
        pytest.skip(f"at most {hard} files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, MANY + 256), hard))
    held: list[int] = []
    try:
        while not held or held[-1] < MANY:
            held.append(os.open(os.devnull, os.O_RDONLY))
        asyncio.run(story())
    finally:
        for one in held:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
