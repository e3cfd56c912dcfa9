"""Drawing and experiment tracking."""
