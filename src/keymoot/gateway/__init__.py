"""What the network answers over HTTP: Ethereum JSON-RPC, shares, health."""
