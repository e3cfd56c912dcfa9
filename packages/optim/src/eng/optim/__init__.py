"""Optimizer wrappers, per-parameter settings and schedulers."""
