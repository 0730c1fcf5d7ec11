"""The key of the ledger's state: who has it, and how it is given to others."""
