"""Types that a type checker sees."""

import subprocess
import sys

import pytest

from eng.registry import Registry

CODE = """
from typing import Any
from typing_extensions import assert_type
from eng.registry import MODELS, Registry

class Head:
    def __init__(self, size: int) -> None: ...

HEADS: Registry[Head] = Registry("head")
PLAIN = Registry("plain")

@HEADS.register_module()
class Small(Head): ...

@PLAIN.register_module(name=["scale", "zoom"], force=True)
def scale(factor: int) -> str: return ""

assert_type(Small(1), Small)
assert_type(scale(2), str)
assert_type(HEADS.register_module(module=Head)(1), Head)
assert_type(HEADS.register_module("tall", True, Head)(1), Head)
assert_type(HEADS.build({"type": "Small"}), Head)
assert_type(PLAIN.build({"type": "scale"}), Any)
assert_type(MODELS.build([{"type": "Linear"}]), Any)

def use(registry: Registry) -> None:
    number: int = registry.build({"type": "Small"})

Small("x")  # wrong
HEADS.build("Small")  # wrong
HEADS.register_module(module=3)  # wrong
"""


@pytest.mark.exhaustive
def test_what_is_registered_keeps_its_type(tmp_path):
    pytest.importorskip("mypy")
    file = tmp_path / "program.py"
    file.write_text(CODE)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "", str(file)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    wrong = [n for n, line in enumerate(CODE.splitlines(), 1) if line.endswith("# wrong")]
    found = {int(line.split(":")[1]) for line in result.stdout.splitlines() if ": error:" in line}
    assert found == set(wrong), result.stdout + result.stderr


def test_a_registry_of_a_class_has_the_scope_of_its_package():
    assert Registry[int]("numbers").scope == Registry("numbers").scope
    assert Registry[int]("numbers").build_func is Registry("numbers").build_func
