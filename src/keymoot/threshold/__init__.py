"""Keys that are never whole: shares as pure steps."""
