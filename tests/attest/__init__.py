"""Who made a header final, and what an enclave runs."""
