"""The built-in contracts, and which of them stands where."""
