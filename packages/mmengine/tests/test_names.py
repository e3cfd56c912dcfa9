"""`import mmengine` gives eng's objects, late, and says what eng lacks."""

from __future__ import annotations

import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import eng.mmengine

pytest.importorskip("mmengine")
if eng.mmengine.report().answers != "eng":
    pytest.skip("another mmengine goes first", allow_module_level=True)

import mmengine

MODULES = ["mmengine"] + [
    module.name for module in pkgutil.walk_packages(mmengine.__path__, "mmengine.")
]


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_objects_are_those_of_eng() -> None:
    import mmengine.runner
    from mmengine.registry import MODELS
    from mmengine.runner.checkpoint import _load_checkpoint

    import eng.checkpoint
    import eng.registry
    import eng.runner

    assert mmengine.runner.Runner is eng.runner.Runner
    assert MODELS is eng.registry.MODELS
    assert _load_checkpoint is eng.checkpoint._load_checkpoint


def test_names_that_only_modules_of_hooks_and_runner_have() -> None:
    from mmengine.hooks.hook import DATA_BATCH
    from mmengine.hooks.logger_hook import DATA_BATCH as OF_LOGGER
    from mmengine.runner.checkpoint import _get_mmengine_home
    from mmengine.runner.utils import _get_batch_size

    assert DATA_BATCH is OF_LOGGER
    assert _get_batch_size({"batch_size": 3}) == 3
    assert callable(_get_mmengine_home)


def test_the_version_is_one_that_libraries_accept() -> None:
    from mmengine.utils import digit_version
    from mmengine.version import parse_version_info

    assert mmengine.__version__ == "0.10.7"
    assert mmengine.version_info == mmengine.version.version_info == (0, 10, 7)
    assert digit_version("0.8.3") <= digit_version(mmengine.__version__) < digit_version("1.0.0")
    assert parse_version_info("1.2.3rc4") == (1, 2, 3, "rc4")


@pytest.mark.parametrize("name", MODULES)
def test_every_module_can_be_imported_and_starred(name: str) -> None:
    module = importlib.import_module(name)
    found: dict[str, object] = {}
    exec(f"from {name} import *", found)
    assert set(module.__all__) == set(found) - {"__builtins__"}
    assert set(module.__all__) <= set(dir(module))


def test_sub_modules_are_attributes_without_being_imported() -> None:
    code = "import mmengine; print(mmengine.fileio.io.load.__module__)"
    assert run(code).startswith("eng.fileio")
    assert "dist" in dir(mmengine)


@pytest.mark.parametrize(
    "before",
    [
        "",
        "import mmengine.utils.dl_utils.collect_env",
        "from mmengine.utils.dl_utils.collect_env import collect_env",
        "import mmengine.utils.dl_utils; mmengine.utils.dl_utils.collect_env",
    ],
)
def test_a_function_with_the_name_of_a_module(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import mmengine.utils.dl_utils

    import eng.dl_utils

    monkeypatch.setattr(mmengine.utils, "dl_utils", mmengine.utils.dl_utils)
    for name in [m for m in sys.modules if m.startswith("mmengine.utils.dl_utils")]:
        monkeypatch.delitem(sys.modules, name)
    exec(before, {})
    from mmengine.utils.dl_utils import collect_env
    from mmengine.utils.dl_utils.collect_env import collect_env as deep

    assert collect_env is deep is eng.dl_utils.collect_env


def test_importing_it_imports_nothing_more_than_eng() -> None:
    listing = "print(*sorted(m for m in sys.modules if m.split('.')[0] != 'mmengine'))"
    own = {
        "eng.mmengine",
        "eng.mmengine.lazy",
        "eng.mmengine.original_version",
        "eng.mmengine._version",
    }
    bare = set(run(f"import sys; {listing}").split())
    alone = set(run(f"import sys, mmengine; {listing}").split())
    assert alone - own <= set(run(f"import sys, eng.all; {listing}").split())
    assert {m for m in alone - bare if m.startswith("eng")} <= {"eng", *own}

    names = [n for n in mmengine.__all__ if n != "version_info"]
    words = ", ".join(names)
    ours = set(run(f"import sys\nfrom mmengine import {words}\n{listing}").split())
    theirs = set(run(f"import sys\nfrom eng.all import {words}\n{listing}").split())
    assert ours - own <= theirs


def test_torch_stays_out_where_it_does_in_eng() -> None:
    code = "import sys; from mmengine import Config, fileio; from mmengine.registry import MODELS"
    assert run(f"{code}; fileio.load; print('torch' in sys.modules)") == "False"


def test_a_missing_name_is_named_with_the_nearest() -> None:
    import mmengine.optim

    with pytest.raises(AttributeError, match=r"eng has no 'ApexOptimWrapper'.*'AmpOptimWrapper'"):
        _ = mmengine.optim.ApexOptimWrapper
    with pytest.raises(ImportError, match=r"eng has no 'ApexOptimWrapper'.*'AmpOptimWrapper'"):
        from mmengine.optim import ApexOptimWrapper  # noqa: F401
    with pytest.raises(ImportError, match=r"has no attribute 'Runer'; did you mean 'Runner'\?"):
        from mmengine.runner.runner import Runer  # noqa: F401
    with pytest.raises(AttributeError, match=r"^module 'mmengine' has no attribute 'xyzzy_q'$"):
        _ = mmengine.xyzzy_q
    assert not hasattr(mmengine.optim, "ApexOptimWrapper")
    assert getattr(mmengine.optim, "ApexOptimWrapper", None) is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("mmengine.optim.apex")


def test_sources_and_pickles() -> None:
    from mmengine.structures import InstanceData
    from mmengine.structures.instance_data import InstanceData as Deep

    assert Deep is InstanceData
    assert "class InstanceData" in inspect.getsource(Deep)
    assert "offer(" in inspect.getsource(mmengine)
    data = InstanceData(scores=[1.0, 0.5])
    assert list(pickle.loads(pickle.dumps(data)).scores) == [1.0, 0.5]
    old = b"cmmengine.structures.instance_data\nInstanceData\n."
    assert pickle.loads(old) is InstanceData


def test_subclasses_of_theirs_are_subclasses_of_ours() -> None:
    from mmengine.hooks import Hook

    import eng.hooks

    class Mine(Hook):
        """Counts nothing."""

    assert isinstance(Mine(), eng.hooks.Hook)


def test_who_answers() -> None:
    found = eng.mmengine.report()
    assert found.answers == "eng"
    assert found.folder == Path(mmengine.__file__).parent
    done = subprocess.run(
        [sys.executable, "-m", "eng.mmengine"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "import mmengine: eng answers" in done.stdout
    assert str(found.folder) in done.stdout
    assert eng.mmengine.__version__ in done.stdout
