"""Environment report, timing and small torch helpers."""
