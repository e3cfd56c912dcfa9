"""mmseg trains, is killed, resumes, tests and infers on eng, by its own scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

#: A UNet that fits generated pictures, from a config that mmseg ships.
CONFIG = """
_base_ = "mmseg::unet/unet-s5-d16_fcn_4xb4-40k_drive-64x64.py"
custom_imports = dict(imports=["client_parts"], allow_failed_imports=False)
custom_hooks = [dict(type="mmengine.WriteLosses")]
norm_cfg = dict(type="BN", requires_grad=True)
model = dict(
    data_preprocessor=dict(size=(32, 32)),
    backbone=dict(base_channels=4, norm_cfg=norm_cfg),
    decode_head=dict(in_channels=4, channels=4, norm_cfg=norm_cfg),
    auxiliary_head=dict(in_channels=8, channels=4, norm_cfg=norm_cfg),
    test_cfg=dict(crop_size=(64, 64), stride=(32, 32)),
)
train_pipeline = {{_base_.train_pipeline}}
train_pipeline[2]["scale"] = (96, 96)
train_pipeline[3]["crop_size"] = (32, 32)
test_pipeline = {{_base_.test_pipeline}}
test_pipeline[1]["scale"] = (96, 96)
train_dataloader = dict(
    num_workers=2, dataset=dict(dataset=dict(data_root="drive", pipeline=train_pipeline))
)
val_dataloader = dict(num_workers=1, dataset=dict(data_root="drive", pipeline=test_pipeline))
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=0.1))
train_cfg = dict(max_iters=12, val_interval=6)
param_scheduler = [dict(type="PolyLR", power=0.9, end=12, by_epoch=False)]
default_hooks = dict(
    logger=dict(interval=3),
    checkpoint=dict(interval=4, save_best="mDice"),
    visualization=dict(draw=True, interval=1),
)
randomness = dict(seed=0)
"""

pytestmark = [pytest.mark.clients, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def config(clients, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("segmentation")
    clients.run(folder, Path(__file__).with_name("client_data.py"), "drive", "drive")
    path = folder / "unet.py"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def losses(clients, config: Path) -> dict[str, str]:
    """The losses of a run that nothing interrupts."""
    return clients.train("mmseg", config, "first")


def test_two_runs_have_the_same_losses(clients, config: Path, losses: dict[str, str]) -> None:
    assert list(losses) == [str(iteration) for iteration in range(12)]
    assert float.fromhex(losses["11"]) < float.fromhex(losses["0"])
    assert clients.train("mmseg", config, "second") == losses


def test_a_killed_run_resumes_to_the_bit(clients, config: Path, losses: dict[str, str]) -> None:
    clients.train_and_kill("mmseg", config, "killed", after=6)
    assert clients.train("mmseg", config, "killed", "--resume") == losses


def test_its_script_repeats_the_metrics_of_the_run(clients, config: Path, losses) -> None:
    (checkpoint,) = (config.parent / "first").glob("iter_12.pth")
    said = clients.run(
        config.parent, clients.tool("mmseg", "test.py"), config, checkpoint, "--out", "predicted"
    )
    assert len(list((config.parent / "predicted").glob("*.png"))) == 3
    (log,) = (config.parent / "first").glob("*/*.log")
    metrics = [re.findall(r"mDice: ([\d.]+)", text)[-1] for text in (said, log.read_text())]
    assert metrics[0] == metrics[1]
    (best,) = (config.parent / "first").glob("best_mDice_iter_*.pth")
    drawn = [*(config.parent / "first").glob("*/vis_data/vis_image/*.png")]
    assert best.is_file()
    assert drawn


def test_its_inferencer(clients, config: Path, losses) -> None:
    script = Path(__file__).with_name("client_infer_segmentation.py")
    said = clients.run(config.parent, script, config, "first/iter_12.pth")
    assert said.endswith("predictions of 3 pictures\n")
