"""The demo: the whole story, with a real Ethereum node as the outside world."""
