"""A second network like one that runs: its enclaves' memories and disks, copied.

No host can do this where memory is protected. It saves tests the founding; and a few of them
look at what a copied start may do.
"""

import shutil
from pathlib import Path

from tests.copying import copy_of
from tests.enclave.box import Box
from tests.enclave.network import Network


def copied(network: Network, folder: Path) -> Network:
    """Copy a network, with its disks in another folder."""
    shutil.copytree(network.folder, folder)
    made = copy_of(network, {})
    assert isinstance(made, Network)
    made.folder = folder
    for box in made.boxes.values():
        _move(box, folder / box.folder.name)
    return made


def clone(box: Box, folder: Path) -> Box:
    """Copy one running enclave with its disk; what the clone says is only in its `out`."""
    shutil.copytree(box.folder, folder)
    made = copy_of(box, {id(box.send): _nothing, id(box.branch): box.branch})
    assert isinstance(made, Box)
    made.send = _nothing
    _move(made, folder)
    return made


def _move(box: Box, folder: Path) -> None:
    enclave = box.enclave
    box.folder = enclave.sealed._folder = folder
    enclave._signed._path = folder / enclave._signed._path.name


def _nothing(_: bytes) -> None:
    pass
