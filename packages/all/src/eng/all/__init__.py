"""The whole training engine in one import."""
