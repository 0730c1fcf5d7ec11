"""Every target, by name."""

from tests.fuzz import calls, encodings, files, proofs, records, wishes

MODULES = (encodings, wishes, proofs, records, files, calls)
TARGETS = {target.name: target for module in MODULES for target in module.TARGETS}
