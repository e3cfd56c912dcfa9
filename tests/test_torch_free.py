"""Some packages never import torch, and eng.registry needs nobody else's code."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from workspace import ROOT, TORCH_FREE

#: `build_model_from_cfg` makes a torch.nn.Sequential of a list, for who hands it torch modules.
EXCEPT = {"packages/registry/src/eng/registry/builders.py": 1}

IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module("eng.{package}")
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print("torch" in sys.modules)
"""

COMMANDS = """
import sys
from eng.cli import main
for argv in {commands}:
    main(argv)
    print("IMPORTED", argv[0], "torch" in sys.modules)
"""

ADDED = """
import sys
before = set(sys.modules)
import eng.registry
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""


def _fresh(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("package", TORCH_FREE)
def test_import_leaves_no_torch(package: str) -> None:
    code = f"import sys; import eng.{package}; print('torch' in sys.modules)"
    assert _fresh(code) == "False", f"import eng.{package} imports torch"


@pytest.mark.parametrize("package", TORCH_FREE)
def test_no_module_imports_torch(package: str) -> None:
    said = _fresh(IMPORT_ALL.format(package=package))
    assert said == "False", f"a module of eng.{package} imports torch"


@pytest.mark.parametrize("package", TORCH_FREE)
def test_no_line_imports_torch(package: str) -> None:
    """Not inside of a function either, where an import alone would not show it."""
    places = []
    for path in sorted((ROOT / "packages" / package / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and node.args:
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                first = node.args[0]
                if called in ("import_module", "__import__") and isinstance(first, ast.Constant):
                    names = [str(first.value)]
            if any(name.partition(".")[0] == "torch" for name in names):
                places.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    for path, times in EXCEPT.items():
        for place in [p for p in places if p.startswith(f"{path}:")][:times]:
            places.remove(place)
    assert not places, f"eng-{package} takes no torch, but imports it: {places}"


def test_commands_that_only_read_import_no_torch(tmp_path: Path) -> None:
    config = tmp_path / "c.py"
    config.write_text("model = dict(type='Net')\nlr = 0.1\n")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1\n")
    commands = [
        ["--help"],
        ["--version"],
        ["config", str(config)],
        ["config", str(config), "--flat", "--cfg-options", "lr=1"],
        ["config", str(config), "--why", "lr"],
        ["config", str(tmp_path / "absent.py")],
        ["config", str(broken)],
        ["train", str(tmp_path / "absent.py")],
        ["test", str(tmp_path / "absent.py"), "x.pth"],
        ["no-such-command"],
    ]
    said = _fresh(COMMANDS.format(commands=commands)).splitlines()
    found = [line for line in said if line.startswith("IMPORTED")]
    assert found == [f"IMPORTED {argv[0]} False" for argv in commands]


def test_registry_takes_no_third_party_package() -> None:
    tops = set(_fresh(ADDED).split())
    assert "eng" in tops
    strangers = tops - {"eng"} - set(sys.stdlib_module_names)
    assert not strangers, f"import eng.registry takes {sorted(strangers)}"


def test_the_overview_of_commands_imports_only_their_arguments() -> None:
    program = (
        "import sys\n"
        "from eng.cli import main\n"
        "assert main(['--help']) == 0\n"
        "print('IMPORTED', *(name for name in sys.modules if name.startswith('eng.')))\n"
    )
    imported = set(_fresh(program).splitlines()[-1].split())
    assert {"eng.config.commands", "eng.runner.commands", "eng.runner.list_command"} <= imported
    large = {"eng.config.config", "eng.registry", "eng.logging", "eng.runner.runner"}
    assert not imported & large
