"""Actions of the exchange Hyperliquid: the action itself is demanded, decoded, and hashed anew."""
