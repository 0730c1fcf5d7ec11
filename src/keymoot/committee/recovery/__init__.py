"""Recovery: too many started anew, and a generation begins."""
