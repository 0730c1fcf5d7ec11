"""Enclaves as processes of this machine."""

from keymoot.enclave.client import EnclaveClient
from keymoot.engine.reads import StateViews, serve_reads
from keymoot.node.config import Config
from keymoot.node.feed.process import Launch, Process


class LocalProcess(EnclaveClient, Process):
    """A process of this machine, behind a socket."""

    async def serve(self, views: StateViews) -> None:
        await serve_reads(self.take_reads(), views)


def launcher(config: Config) -> Launch:
    """Give what starts enclaves as processes of this machine, with their folders in the node's."""

    async def launch(seat: int) -> Process:
        return await LocalProcess.start(
            config.enclave_folder(seat), config.data, config.fuse_of(seat)
        )

    return launch
