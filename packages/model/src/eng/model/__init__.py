"""Base modules, preprocessing, averaging, initialisation and parallel wrappers."""
