"""What requesters and callers get from enclaves."""
