"""Loggers, the message hub and scalar histories."""
