"""Registration and building of optimizers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from optim_cases import make_model

from eng import optim
from eng.optim import (
    TORCH_OPTIMIZERS,
    build_optim_wrapper,
)
from eng.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIMIZERS


def test_optimizers_of_installed_libraries_are_found_by_entry_point(tmp_path):
    (tmp_path / "stranger.py").write_text(
        "import torch\n"
        "from eng.registry import OPTIMIZERS\n"
        "@OPTIMIZERS.register_module()\n"
        "class StrangerSGD(torch.optim.SGD): pass\n"
    )
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[eng.modules]\noptimizer = stranger\n")
    code = (
        "import torch; from eng.optim import build_optim_wrapper\n"
        "model = torch.nn.Linear(1, 1)\n"
        "for kind in ('StrangerSGD', 'torch.optim.SGD'):\n"
        "    cfg = dict(optimizer=dict(type=kind, lr=0.5))\n"
        "    print(type(build_optim_wrapper(model, cfg).optimizer).__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["StrangerSGD", "SGD"], done.stderr


def test_an_optimizer_that_is_not_registered_is_reported_as_that():
    with pytest.raises(KeyError, match="SDG is not in the eng::optimizer registry"):
        build_optim_wrapper(make_model(), {"optimizer": {"type": "SDG", "lr": 1}})


def test_registries_can_be_imported_from_here():
    assert optim.OPTIMIZERS is OPTIMIZERS
    assert optim.OPTIM_WRAPPER_CONSTRUCTORS is OPTIM_WRAPPER_CONSTRUCTORS
    assert {"OPTIMIZERS", "OPTIM_WRAPPER_CONSTRUCTORS"} <= set(optim.__all__)


def test_every_optimizer_of_torch_is_registered():
    assert {"SGD", "Adam", "AdamW", "RMSprop", "LBFGS"} <= set(TORCH_OPTIMIZERS)
    assert "Optimizer" not in TORCH_OPTIMIZERS
    assert OPTIMIZERS.get("AdamW") is torch.optim.AdamW
