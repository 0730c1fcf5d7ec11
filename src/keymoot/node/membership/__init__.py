"""Who keeps the keys, who comes and who goes."""
