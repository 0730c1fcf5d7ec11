"""The enclaves of this machine: kept running, and asked."""
