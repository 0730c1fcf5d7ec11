"""What whoever runs a node is shown, and can ask for."""
