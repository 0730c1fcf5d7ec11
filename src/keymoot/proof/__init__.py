"""What anyone can check of a network, with nothing but its id: founding, headers, state."""
