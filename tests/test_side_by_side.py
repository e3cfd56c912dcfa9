"""eng-mmengine beside a distribution named mmengine: who answers, and what is left of the other."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import clean_environment
import pytest
from clean_environment import run
from uv import find_uv_bin

#: What the modules of the alias need as far as the tests here import them, none of it torch.
OURS = ["eng-mmengine", "eng-utils", "eng-registry"]
FIND = (
    "import importlib.util as util; spec = util.find_spec('mmengine'); print(spec and spec.origin)"
)
SPAWN = f"""
import subprocess, sys
from multiprocessing import get_context

def find():
    exec({FIND!r})

if __name__ == "__main__":
    child = get_context("spawn").Process(target=find)
    child.start()
    child.join()
    subprocess.run([sys.executable, "-c", {FIND!r}], check=True)
"""


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Variables of all commands here; the alias is not switched off."""
    return {k: v for k, v in clean_environment.settings().items() if k != "ENG_MMENGINE"}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Path:
    """A folder with our wheels, and with a stand-in for the original."""
    folder = tmp_path_factory.mktemp("wheels")
    packages = [name.removeprefix("eng-") for name in OURS]
    clean_environment.build_wheels(folder, packages, settings)
    information = "mmengine-0.10.7.dist-info"
    files = {
        "mmengine/__init__.py": "__version__ = 'stand-in'\n",
        "mmengine/registry/__init__.py": "MODELS = None\n",
        f"{information}/METADATA": "Metadata-Version: 2.1\nName: mmengine\nVersion: 0.10.7\n",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{information}/RECORD"
    files[record] = "".join(f"{name},,\n" for name in [*files, record])
    with zipfile.ZipFile(folder / "mmengine-0.10.7-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return folder


class Environment:
    """An environment of its own, in which wheels come and go."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.settings = settings
        self.python = clean_environment.create(folder, sys.executable, settings)
        (self.site,) = folder.glob("lib/python*/site-packages")

    def install(self, *words: object) -> None:
        clean_environment.install(self.python, ["--no-deps", *words], self.settings)

    def uninstall(self, name: str) -> None:
        run([find_uv_bin(), "pip", "uninstall", "--python", self.python, name], self.settings)

    def ask(self, *words: object, cwd: Path | None = None, **variables: str) -> list[str]:
        """Lines that Python prints; where `import mmengine` leads to unless words are given."""
        command = [self.python, *(words or ("-c", FIND))]
        return run(command, {**self.settings, **variables}, cwd=cwd or self.site.parent).split()

    @property
    def ours(self) -> list[str]:
        return [str(self.site / "eng_mmengine_alias" / "mmengine" / "__init__.py")]

    @property
    def theirs(self) -> list[str]:
        return [str(self.site / "mmengine" / "__init__.py")]

    def hashes(self) -> dict[str, str]:
        """Digest of each file of the other distribution; what Python compiles is left out."""
        return {
            path.relative_to(self.site).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for pattern in ("mmengine/**/*", "mmengine-*.dist-info/*")
            for path in sorted(self.site.glob(pattern))
            if path.is_file() and path.suffix != ".pyc"
        }


def check_both(
    environment: Environment, install: list[Callable[[], None]], folder: Path
) -> dict[str, str]:
    """Install two distributions in this order, see who answers, and uninstall ours."""
    for each in install:
        each()
    before = environment.hashes()
    ours, theirs = environment.ours, environment.theirs
    assert environment.ask() == environment.ask("-I", "-c", FIND) == ours
    assert environment.ask(ENG_MMENGINE="0") == theirs

    (folder / "spawn.py").write_text(SPAWN)
    assert environment.ask(folder / "spawn.py") == ours * 2
    assert environment.ask(folder / "spawn.py", ENG_MMENGINE="0") == theirs * 2

    mine = folder / "mine" / "mmengine" / "__init__.py"
    mine.parent.mkdir(parents=True)
    mine.touch()
    assert environment.ask(PYTHONPATH=str(mine.parents[1])) == [str(mine)]
    assert environment.ask(cwd=mine.parents[1]) == [str(mine)]

    code = "import mmengine.registry, eng.registry; print(mmengine.registry.MODELS is eng.registry"
    assert environment.ask("-c", f"{code}.MODELS, mmengine.__version__)") == ["True", "0.10.7"]
    said = " ".join(environment.ask("-m", "eng.mmengine"))
    assert "import mmengine: eng answers" in said
    assert "mmengine: 0.10.7" in said

    environment.uninstall("eng-mmengine")
    assert environment.ask() == theirs
    assert not [*environment.site.glob("eng_mmengine*/**/*.py"), *environment.site.glob("eng*.pth")]
    assert environment.hashes() == before
    return before


@pytest.fixture
def environment(tmp_path: Path, settings: dict[str, str]) -> Environment:
    return Environment(tmp_path / "environment", settings)


@pytest.mark.wheels
@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_a_distribution_of_the_same_name(
    first: str, environment: Environment, wheels: Path, tmp_path: Path
) -> None:
    here = ["--no-index", "--find-links", wheels]
    install: list[Callable[[], None]] = [
        lambda: environment.install(*here, *OURS),
        lambda: environment.install(*here, "mmengine"),
    ]
    check_both(environment, install if first == "ours" else install[::-1], tmp_path)

    version = "import mmengine; print(mmengine.__version__)"
    assert environment.ask("-c", version) == ["stand-in"]
    environment.install(*here, "eng-mmengine")
    environment.uninstall("mmengine")
    assert environment.ask("-c", version) == ["0.10.7"]
    assert environment.ask(ENG_MMENGINE="0") == ["None"]


@pytest.mark.wheels
def test_a_folder_that_python_reads_no_pth_files_of(
    environment: Environment, wheels: Path, tmp_path: Path
) -> None:
    """`pip install --target` makes one: the folder of the alias has to be named as well."""
    target = tmp_path / "target"
    environment.install("--no-index", "--find-links", wheels, "--target", target, *OURS)
    alias = target / "eng_mmengine_alias"
    assert environment.ask(PYTHONPATH=str(target)) == ["None"]
    code = "from eng.mmengine import report; print(report().reason)"
    said = environment.ask("-c", code, PYTHONPATH=str(target))
    assert f"put {alias} on PYTHONPATH" in " ".join(said)
    assert environment.ask(PYTHONPATH=f"{alias}:{target}") == [str(alias / "mmengine/__init__.py")]
    code = f"import site; site.addsitedir({str(target)!r}); {FIND}"
    assert environment.ask("-c", code) == [str(alias / "mmengine/__init__.py")]


@pytest.mark.clients
@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_the_original(first: str, environment: Environment, wheels: Path, tmp_path: Path) -> None:
    """It is there, and nothing here reads or runs it."""
    install: list[Callable[[], None]] = [
        lambda: environment.install("--no-index", "--find-links", wheels, *OURS),
        lambda: environment.install("mmengine==0.10.7"),
    ]
    before = check_both(environment, install if first == "ours" else install[::-1], tmp_path)
    assert len(before) > 150
