"""One start of an enclave: blocks to it, its words to the ledger."""
