"""Check built wheels and source distributions as an index and their users will see them.

    python scripts/check_wheels.py DIST        a folder of wheels and source distributions

`twine check --strict` reads their metadata and READMEs, `check-wheel-contents` what wheels hold.
Further: every wheel brings its licence, its `py.typed` and no `eng/__init__.py`, and nothing but
modules of its own package.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from workspace import PACKAGES

#: What a wheel holds beyond the modules of its package: files, and the folders that they are in.
ALSO = {
    "all": ["eng/all/__init__.pyi"],
    "mmengine": [
        "eng_mmengine_alias.pth",
        "eng_mmengine_alias/mmengine/__init__.py",
        "eng_mmengine_alias/mmengine/py.typed",
    ],
}


def check(folder: Path) -> list[str]:
    """Return the faults of the files in a folder, with the output of other tools."""
    wheels, sources = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if not wheels:
        return [f"no wheel in {folder}"]
    wrong = [fault for wheel in wheels for fault in faults(wheel)]
    twine = ["twine", "check", "--strict", *map(str, wheels + sources)]
    # W009 is two folders at the top, where `faults` knows better which ones belong there.
    contents = ["check_wheel_contents", "--ignore", "W009", *map(str, wheels)]
    for tool in (twine, contents):
        command = [sys.executable, "-m", *tool]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            wrong.append(f"{tool[0]}:\n{done.stdout}{done.stderr}")
    return wrong


def faults(wheel: Path) -> list[str]:
    """Return the faults of the files in one wheel."""
    name = wheel.name.partition("-")[0]
    package = name.removeprefix("eng_")
    if package not in PACKAGES:
        return [f"{wheel.name}: not a package of [tool.eng]"]
    with zipfile.ZipFile(wheel) as archive:
        files = set(archive.namelist())
    own = f"eng/{package}/"
    also = ALSO.get(package, [])
    information = f"{'-'.join(wheel.name.split('-')[:2])}.dist-info/"
    wanted = [f"{own}__init__.py", f"{own}py.typed", f"{information}licenses/LICENSE", *also]
    wrong = [f"{wheel.name}: {path} is missing" for path in wanted if path not in files]
    known = (own, information, *(f.removesuffix("__init__.py") for f in also))
    strange = sorted(f for f in files if not f.startswith(known))
    return wrong + [f"{wheel.name}: unexpected file {path}" for path in strange]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if found := check(Path(sys.argv[1])):
        sys.exit("\n".join(found))
    print(f"the wheels in {sys.argv[1]} may be published")
