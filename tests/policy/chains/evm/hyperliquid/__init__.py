"""Actions of Hyperliquid: read, hashed, ruled."""
