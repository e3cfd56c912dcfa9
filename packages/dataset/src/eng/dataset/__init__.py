"""Datasets, wrappers, samplers and collation."""
