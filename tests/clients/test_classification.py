"""mmpretrain trains, is killed, resumes, tests and infers on eng, by its own scripts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.timeout(1800)]

COMMON = """
default_hooks = dict(
    logger=dict(interval=5), checkpoint=dict(interval=4, by_epoch=False, save_best="auto")
)
randomness = dict(seed=0)
"""
LENET = """
_base_ = "mmpretrain::lenet/lenet5_mnist.py"
custom_imports = dict(imports=["client_parts"], allow_failed_imports=False)
train_dataloader = dict(batch_size=32, dataset=dict(data_prefix="mnist"))
val_dataloader = dict(dataset=dict(data_prefix="mnist"))
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=0.05))
train_cfg = dict(max_epochs=2)
custom_hooks = [dict(type="mmengine.WriteLosses")]
"""
RESNET = """
_base_ = "mmpretrain::resnet/resnet18_8xb16_cifar10.py"
custom_imports = dict(imports=["client_parts", "client_cifar"], allow_failed_imports=False)
generated = dict(type="GeneratedCIFAR10", data_root="cifar")
model = dict(backbone=dict(base_channels=8, stem_channels=8), head=dict(in_channels=64))
train_dataloader = dict(dataset=generated)
val_dataloader = dict(dataset=generated)
test_dataloader = dict(dataset=generated)
train_cfg = dict(max_epochs=2)
optim_wrapper = dict(clip_grad=dict(max_norm=5.0))
custom_hooks = [
    dict(type="mmengine.WriteLosses"),
    dict(type="EMAHook", momentum=1e-2, priority="ABOVE_NORMAL"),
]
"""


@pytest.fixture(scope="module", params=["lenet", "resnet18"])
def job(request, clients, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The config of a job, beside its data, and how many iterations it takes."""
    data, text, iterations = {
        "lenet": ("mnist", LENET + COMMON, 32),
        "resnet18": ("cifar", RESNET + COMMON, 20),
    }[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    clients.run(folder, Path(__file__).with_name("client_data.py"), data, data)
    path = folder / f"{request.param}.py"
    path.write_text(text, encoding="utf-8")
    return path, iterations


@pytest.fixture(scope="module")
def losses(clients, job: tuple[Path, int]) -> dict[str, str]:
    """The losses of a run that nothing interrupts."""
    return clients.train("mmpretrain", job[0], "first")


def test_two_runs_have_the_same_losses(clients, job, losses: dict[str, str]) -> None:
    config, iterations = job
    assert list(losses) == [str(iteration) for iteration in range(iterations)]
    values = [float.fromhex(loss) for loss in losses.values()]
    assert sum(values[-5:]) < sum(values[:5])
    assert clients.train("mmpretrain", config, "second") == losses


def test_a_killed_run_resumes_to_the_bit(clients, job, losses: dict[str, str]) -> None:
    config, iterations = job
    clients.train_and_kill("mmpretrain", config, "killed", after=iterations // 2 + 2)
    assert clients.train("mmpretrain", config, "killed", "--resume") == losses


def test_its_script_repeats_the_metrics_of_the_run(clients, job, losses) -> None:
    config, iterations = job
    checkpoint = config.parent / "first" / f"iter_{iterations}.pth"
    script = clients.tool("mmpretrain", "test.py")
    said = clients.run(config.parent, script, config, checkpoint, "--out", "predicted.pkl")
    (scalars,) = (config.parent / "first").glob("*/vis_data/scalars.json")
    entries = [json.loads(line) for line in scalars.read_text().splitlines()]
    trained = [entry["accuracy/top1"] for entry in entries if "accuracy/top1" in entry]
    tested = float(re.findall(r"accuracy/top1: ([\d.]+)", said)[-1])
    assert tested == pytest.approx(trained[-1], abs=1e-4)
    assert (config.parent / "predicted.pkl").is_file()
    assert list((config.parent / "first").glob("best_accuracy_top1_*.pth"))


def test_its_inferencer(clients, job, losses) -> None:
    config, iterations = job
    script = Path(__file__).with_name("client_infer_classification.py")
    said = clients.run(config.parent, script, config, f"first/iter_{iterations}.pth")
    assert said.endswith("predictions of 4 pictures\n")
