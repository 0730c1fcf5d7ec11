"""Evidence in, claims out: who signed a header, and what an enclave runs."""
