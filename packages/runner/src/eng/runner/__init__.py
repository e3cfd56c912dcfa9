"""Loops, the Runner and the eng command."""
