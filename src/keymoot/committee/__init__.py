"""Who keeps the keys, as a state machine: making, resharing, membership, stock, recovery."""
