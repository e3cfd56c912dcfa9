"""The examples with short settings, in a process of their own; `make docs-test` alone.

Their READMEs run in test_example_readmes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from eng.config import Config
from eng.runner import Runner

pytestmark = pytest.mark.docs
EXAMPLES = Path(__file__).parent.parent / "examples"
Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """More only wait for each other with networks this small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Train a config of an example with other settings in a folder, and return its runner."""
    torch.manual_seed(0)

    def run(name: str, work_dir: str = "run", **options: Any) -> Any:
        path = EXAMPLES / f"{name}.py"
        if str(path.parent) not in sys.path:
            monkeypatch.syspath_prepend(str(path.parent))
        cfg = Config.fromfile(path)
        cfg.merge_from_dict({key.replace("__", "."): value for key, value in options.items()})
        cfg.work_dir = str(tmp_path / work_dir)
        cfg.log_level = "WARNING"
        cfg.experiment_name = f"{name}_{work_dir}_{tmp_path.name}"
        runner = Runner.from_cfg(cfg)
        runner.train()
        return runner

    return run


def test_fine_tuning_takes_the_backbone_and_trains_what_is_not_frozen(
    train: Run, tmp_path: Path
) -> None:
    short = {"train_cfg__max_epochs": 1, "train_dataloader__dataset__shots": 10}
    first = train("fine_tuning/pretrain", "pretrain", **short)
    weights = str(tmp_path / "pretrain" / "epoch_1.pth")
    second = train(
        "fine_tuning/config",
        model__backbone__init_cfg__checkpoint=weights,
        train_cfg__max_epochs=2,
    )
    before, after = first.model.backbone.state_dict(), second.model.backbone.state_dict()
    same = {name.split(".")[0] for name in before if torch.equal(before[name], after[name])}
    assert same == {"conv1", "bn1", "layer1", "layer2"}
    assert second.optim_wrapper.get_lr()["lr"][0] * 10 == pytest.approx(
        second.optim_wrapper.get_lr()["base_lr"][0]
    )
    assert len(second.train_dataloader.dataset) == 50


def test_segmentation_learns_and_draws(train: Run) -> None:
    runner = train(
        "segmentation/config",
        train_dataloader__dataset__length=64,
        train_cfg__max_epochs=3,
        model__width=8,
        val_dataloader__dataset__length=10,
        test_dataloader__dataset__length=2,
    )
    losses = runner.summary.history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    values = runner.test()
    assert {"mIoU", "IoU_circle", "IoU_square", "IoU_triangle"} <= set(values)
    pictures = sorted(Path(runner.log_dir).rglob("*.png"))
    assert [Image.open(path).size for path in pictures] == [(576, 192)] * 2


def test_shapes_are_the_same_each_time_and_have_all_classes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES / "segmentation"))
    from shapes import ShapesDataset

    data = ShapesDataset(20)
    assert torch.equal(data[3]["inputs"], data[3]["inputs"])
    assert set(torch.stack([data[i]["data_samples"] for i in range(20)]).unique().tolist()) == {
        0,
        1,
        2,
        3,
    }


def test_gan_updates_both_networks_and_resumes_to_the_bit(train: Run, tmp_path: Path) -> None:
    short = {"train_dataloader__dataset__length": 512, "train_cfg__val_interval": 2}
    short["val_dataloader__dataset__length"] = 256
    short["default_hooks__checkpoint__interval"] = 1
    whole = train("gan/config", "whole", train_cfg__max_epochs=4, **short)
    assert {"loss_d", "loss_g"} <= set(whole.summary.history)
    names = sorted(path.name for path in Path(whole.log_dir).rglob("*.png"))
    assert names == ["generated_2.png", "generated_4.png"]
    train("gan/config", "parts", train_cfg__max_epochs=2, **short)
    parts = train("gan/config", "parts", train_cfg__max_epochs=4, resume=True, **short)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, parts.model.state_dict()[name])
    assert list(whole.optim_wrapper.keys()) == ["generator", "discriminator"]


def test_coverage_counts_peaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES / "gan"))
    from gan import RingCoverage, peaks

    metric = RingCoverage()
    metric.process(None, [*peaks()[:2], torch.zeros(2), torch.zeros(2)])
    assert metric.evaluate(size=4) == {"covered": 0.25, "near": 0.5}


def test_text_classifier_learns_and_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES / "text_classifier"))
    from train_text import train as train_text

    cfg = Config.fromfile(EXAMPLES / "text_classifier" / "config.py")
    cfg.merge_from_dict({"epochs": 3})
    whole = train_text(cfg, str(tmp_path / "whole"))
    assert whole["accuracy"] > 0.95
    train_text(cfg, str(tmp_path / "parts"), until=2)
    assert "resumed" not in capsys.readouterr().out
    assert train_text(cfg, str(tmp_path / "parts")) == whole
    assert "resumed from epoch 2" in capsys.readouterr().out
    saved = [torch.load(tmp_path / name / "latest.pth") for name in ("whole", "parts")]
    for name, value in saved[0]["state_dict"].items():
        assert torch.equal(value, saved[1]["state_dict"][name])


@pytest.mark.parametrize(
    ("sentence", "label"), [("it is not bad", 1), ("the plot was good but it felt dull", 0)]
)
def test_reviews_have_only_known_words(
    monkeypatch: pytest.MonkeyPatch, sentence: str, label: int
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES / "text_classifier"))
    import random

    from reviews import LENGTH, encode, make_reviews, write_review

    assert encode(sentence).count_nonzero() == len(sentence.split())
    words, labels = make_reviews(200, seed=0)
    assert words.shape == (200, LENGTH)
    assert 60 < labels.sum() < 140
    rng = random.Random(0)
    assert all(len(write_review(rng)[0].split()) <= LENGTH for _ in range(500))


def test_language_model_reads_only_what_came_before_and_resumes(train: Run) -> None:
    short = {"train_dataloader__batch_size": 4, "train_cfg__val_interval": 3}
    short["default_hooks__checkpoint__interval"] = 3
    short |= {"param_scheduler__0__end": 2, "param_scheduler__1__begin": 2}
    short["param_scheduler__1__T_max"] = 10
    whole = train("language_model/config", "whole", train_cfg__max_iters=6, **short)
    model = whole.model.eval()
    text = torch.randint(128, (1, 20))
    changed = text.clone()
    changed[0, 10:] = (changed[0, 10:] + 1) % 128
    with torch.no_grad():
        first, second = model(text), model(changed)
    assert torch.allclose(first[:, :10], second[:, :10])
    assert not torch.allclose(first[:, 10:], second[:, 10:])
    for iters in (3, 6):
        parts = train(
            "language_model/config", "parts", train_cfg__max_iters=iters, resume="auto", **short
        )
    assert parts.summary.metrics["val_loss"] == whole.summary.metrics["val_loss"]


def test_sweep_finds_and_prunes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    optuna = pytest.importorskip("optuna", reason="pip install optuna, as its README says")
    monkeypatch.syspath_prepend(str(EXAMPLES / "sweep"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    from sweep import ReportAndPrune, sweep

    study = sweep(tmp_path, trials=1, epochs=1)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"]
    assert sweep(tmp_path, trials=1, epochs=1).best_value == study.best_value  # nothing is run anew
    trial = optuna.create_study(pruner=optuna.pruners.ThresholdPruner(lower=2)).ask()
    hook = ReportAndPrune(trial, "accuracy")
    with pytest.raises(KeyError, match="accuracy"):
        hook.after_val_epoch(None, {})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["train", "torchrun"])
def test_scripts_of_the_cluster_pass_shellcheck(name: str) -> None:
    script = EXAMPLES / "cluster" / f"{name}.sbatch"
    shellcheck = Path(sys.executable).parent / "shellcheck"
    done = subprocess.run([shellcheck, script], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_notebook_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cells = json.loads((EXAMPLES / "notebook" / "digits.ipynb").read_text())["cells"]
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells:
        assert not cell.get("outputs")  # they are made by running it
        if cell["cell_type"] == "code":
            source = "".join(cell["source"]).replace("max_epochs=10", "max_epochs=2")
            exec(compile(source, "digits.ipynb", "exec"), names)
    assert names["runner"].summary.metrics["accuracy"] > 0.8


def test_the_table_of_examples_is_whole() -> None:
    folders = {path.name for path in EXAMPLES.iterdir() if path.is_dir()} - {"__pycache__"}
    table = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for name in folders:
        assert f"[{name}]({name}/README.md)" in table
        assert (EXAMPLES / name / "README.md").is_file()
