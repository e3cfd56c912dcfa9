"""Save and load training state: atomic, verified, on any storage."""
