"""One running server: engine, enclave and gateway, joined."""
