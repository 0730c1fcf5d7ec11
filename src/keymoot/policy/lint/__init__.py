"""What is allowed in a policy and probably not meant: who gets what, how much, how often."""
