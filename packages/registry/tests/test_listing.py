"""Lists of registered names."""

from __future__ import annotations

import subprocess
import sys

from eng.registry import RegisteredName, Registry, list_registered


def test_names_have_scopes_packages_and_summaries() -> None:
    root = Registry("listed", scope="eng")
    below = Registry("listed", parent=root, scope="lib")

    @root.register_module()
    class B:
        """Do one thing.

        And another.
        """

    @root.register_module(name="A")
    class Derived(B):
        pass

    @below.register_module()
    def make() -> None:
        """Make it."""

    here = __name__.partition(".")[0]
    assert list_registered(root) == [
        RegisteredName("A", Derived, here, ""),
        RegisteredName("B", B, here, "Do one thing."),
        RegisteredName("lib.make", make, here, "Make it."),
    ]
    assert [each.name for each in list_registered(below)] == ["lib.make"]


def test_a_registry_is_shown_with_what_packages_advertise() -> None:
    code = """
import sys, types
from importlib import metadata
from eng.registry import Registry
class Point:
    name, value, module, dist, extras = "tools", "tools_module", "tools_module", None, ()
    def load(self):
        TOOLS.register_module(name="Hammer", module=Point)
metadata.entry_points = lambda **asked: [Point()] if asked.get("name") == "tools" else []
TOOLS = Registry("tools")
assert "(1 names)" in repr(TOOLS), repr(TOOLS)
assert "Hammer" in repr(TOOLS)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
