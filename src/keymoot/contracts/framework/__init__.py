"""The framework: contracts as Python classes with an Ethereum ABI."""
