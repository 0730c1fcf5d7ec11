"""Every target, by name."""

from tests.fuzz import actions, calls, daemon, encodings, evidence, files, proofs, records, wishes

MODULES = (encodings, wishes, actions, proofs, records, files, calls, evidence, daemon)
TARGETS = {target.name: target for module in MODULES for target in module.TARGETS}
