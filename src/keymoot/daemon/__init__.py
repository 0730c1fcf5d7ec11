"""The daemon beside an agent: a socket that gives it what its app's policy allows."""
