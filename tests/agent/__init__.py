"""The agent's side: an account without a key."""
