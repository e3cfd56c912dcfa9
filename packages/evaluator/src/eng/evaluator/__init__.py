"""Metrics and their collection across processes."""
