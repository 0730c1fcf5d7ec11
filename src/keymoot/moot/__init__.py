"""The assembly as a state machine: seats, key generation, stock, generations."""
