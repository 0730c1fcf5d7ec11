"""What an agent is made of: a manifest, a bundle of the same bytes everywhere, its measurement."""
