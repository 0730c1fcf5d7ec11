"""Apps: programs of agents, and the instances of them that have shown what they run."""
