"""Imported by the process from which nodes are forked: it imports the enclave, and all else."""

import gc

import keymoot.gateway.app
import keymoot.node.wiring  # noqa: F401  what a node imports where it runs
from tests.node.prepared import enclave_modules

enclave_modules()
# What is here stays; a look at it by each forked process would copy it.
gc.freeze()
