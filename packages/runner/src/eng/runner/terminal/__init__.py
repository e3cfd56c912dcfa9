"""Display a run on a terminal or in a notebook. Files and pipes have plain lines instead."""

from __future__ import annotations

from .hook import TerminalHook, add_terminal_hook
from .view import View, open_view

__all__ = ["TerminalHook", "View", "add_terminal_hook", "open_view"]
