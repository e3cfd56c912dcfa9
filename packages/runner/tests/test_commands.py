"""The `eng` command as a person uses it."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lock_owner import living_owner

from eng.cli import main

JOB = """
from pathlib import Path
custom_imports = dict(imports=['conftest'])
model = dict(type='LineModel')
train_dataloader = dict(
    batch_size=4,
    dataset=dict(type='LineData'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
)
val_dataloader = train_dataloader
test_dataloader = train_dataloader
train_cfg = dict(by_epoch=True, max_epochs=3)
val_cfg = dict()
test_cfg = dict()
val_evaluator = dict(type='MeanError')
test_evaluator = val_evaluator
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.05))
randomness = dict(seed=1)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    (tmp_path / "job.py").write_text(JOB.replace("from pathlib import Path\n", ""))
    return tmp_path


def test_train_then_test(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["train", "job.py", "--work-dir", "out", "--cfg-options", "train_cfg.max_epochs=2"])
        == 0
    )
    assert (folder / "out" / "epoch_2.pth").exists()
    assert "Done. Checkpoints:" in capsys.readouterr().err + "".join(
        path.read_text() for path in folder.glob("out/*/*.log")
    )
    assert main(["test", "job.py", "out/epoch_2.pth", "--work-dir", "tested"]) == 0
    log = next(folder.glob("tested/*/*.log")).read_text()
    assert "Epoch(test)  [5/5]  line/loss:" in log


def test_checkpoints_that_are_folders_are_tested_and_resumed_from(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    form = [
        "default_hooks.checkpoint.type=CheckpointHook",
        "default_hooks.checkpoint.format=folder",
    ]
    args = ["train", "job.py", "--work-dir", "out", "--cfg-options", *form]
    assert main([*args, "train_cfg.max_epochs=1"]) == 0
    assert main([*args, "train_cfg.max_epochs=2", "--resume"]) == 0
    assert main(["test", "job.py", "out/epoch_2", "--work-dir", "tested"]) == 0
    assert "Testing out" not in capsys.readouterr().out
    assert main(["test", "job.py", "out"]) == 0
    assert "Testing out/epoch_2\n" in capsys.readouterr().out


def test_test_finds_the_checkpoint_of_a_work_dir_and_writes_predictions(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train() == 0
    assert main(["test", "job.py", "out", "--out", "p.json"]) == 0
    assert "Testing out/epoch_3.pth" in capsys.readouterr().out
    predictions = json.loads((folder / "p.json").read_text())
    assert len(predictions) == 20
    assert predictions[0].keys() == {"error"}
    best = ["default_hooks.checkpoint.type=CheckpointHook", "default_hooks.checkpoint.rule=less"]
    best += ["default_hooks.checkpoint.save_best=line/loss"]
    assert train("--cfg-options", *best) == 0
    assert main(["test", "job.py", "out", "--out", "p.pkl", "--work-dir", "tested"]) == 0
    assert "Testing out/best_line_loss_epoch_" in capsys.readouterr().out
    assert pickle.loads((folder / "p.pkl").read_bytes()) != []
    (folder / "empty").mkdir()
    for argv, words in (
        (["empty"], "no checkpoint in empty"),
        (["out", "--out", "p.txt"], "--out must end with .json, .pkl, .pickle, not 'p.txt'"),
        (["out", "--cfg-options", "test_dataloader=None"], "missing test_dataloader"),
    ):
        assert main(["test", "job.py", *argv]) == 2
        assert words in capsys.readouterr().err


PICTURES = """
import torch
from eng.model import BaseModel
from eng.registry import DATASETS, MODELS


@DATASETS.register_module()
def pictures():
    return [dict(inputs=torch.full((3, 4, 4), float(x))) for x in range(4)]


@MODELS.register_module()
class Looker(BaseModel):
    def forward(self, inputs, data_samples=None, mode="tensor"):
        return [dict(pred_label=torch.tensor(1), name="one") for _ in inputs]
"""


def test_test_draws_predictions(folder: Path) -> None:
    import torch

    (folder / "eng_pictures_of_a_test.py").write_text(PICTURES)
    (folder / "pictures.py").write_text(
        "custom_imports = dict(imports=['eng_pictures_of_a_test'])\nmodel = dict(type='Looker')\n"
        "test_dataloader = dict(batch_size=2, dataset=dict(type='pictures'))\n"
    )
    torch.save({"state_dict": {}}, "weights.pth")
    argv = ["test", "pictures.py", "weights.pth", "--show-dir", "shown", "--out", "p.json"]
    assert main(argv) == 0
    names = [f"test_{batch}_{index}.png" for batch in range(2) for index in range(2)]
    assert sorted(path.name for path in (folder / "shown").iterdir()) == names
    predictions = json.loads((folder / "p.json").read_text())
    assert predictions == [{"pred_label": 1, "name": "one"}] * 4


DATA = "custom_imports: {imports: [eng_imported_by_a_config]}\nname: '{{ secret $ENG_TOKEN:no }}'\n"


def test_a_config_is_shown_without_what_it_imports(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENG_TOKEN", "s3cr3t")
    (folder / "data.yaml").write_text(DATA)
    (folder / "same.yaml").write_text(DATA.replace("no", "yes"))
    module = folder / "eng_imported_by_a_config.py"
    module.write_text("print('imported')\n")
    for options in ([], ["--why", "name"], ["--diff", "same.yaml"]):
        assert main(["config", "data.yaml", *options]) == 0
        shown = capsys.readouterr().out
        assert "imported" not in shown.replace("eng_imported_by_a_config", "")
        assert "s3cr3t" not in shown
    assert main(["config", "data.yaml", "--import"]) == 0
    assert capsys.readouterr().out.startswith("imported\n")


def test_a_config_is_shown_flat_and_as_json(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENG_TOKEN", "s3cr3t")
    text = "a: {b: 1, c: [x, {d: 2.5}], e: {}, f: []}\ns: '{{ secret $ENG_TOKEN:no }}'\n"
    (folder / "data.yaml").write_text(text)
    assert main(["config", "data.yaml", "--flat"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "a.b = 1",
        "a.c.0 = 'x'",
        "a.c.1.d = 2.5",
        "a.e = {}",
        "a.f = []",
        "s = '{{ secret $ENG_TOKEN }}'",
    ]
    assert main(["config", "data.yaml", "--json", "--cfg-options", "a.c.1.d=3"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "a": {"b": 1, "c": ["x", {"d": 3}], "e": {}, "f": []},
        "s": "{{ secret $ENG_TOKEN }}",
    }
    (folder / "code.py").write_text(
        "from pathlib import Path\nkind = dict(type=Path, size=(1, 2))\n"
    )
    assert main(["config", "code.py", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"]["size"] == [1, 2]


@pytest.mark.parametrize("command", ["config", "train", "test"])
def test_code_is_refused_where_it_is_not_wanted(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (folder / "data.yaml").write_text(DATA)
    (folder / "child.yaml").write_text("_base_: job.py\n")
    for name in ("data.yaml", "child.yaml", "job.py"):
        arguments = [command, name, *(["x.pth"] if command == "test" else []), "--no-code"]
        assert main(arguments) == 2
        message = capsys.readouterr().err
        assert "which is not allowed" in message
        assert name in message
        assert message.count("\n") == 1


def test_a_command_as_type_is_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "evil.py").write_text(
        "_base_ = 'job.py'\ncustom_hooks = [dict(type='os.system', command='touch ran')]\n"
    )
    assert main(["train", "evil.py", "--work-dir", "out"]) == 2
    assert "os.system is the function posix.system" in capsys.readouterr().err
    assert not (folder / "ran").exists()


def test_a_file_beside_the_config_shadows_no_library(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (folder / "deep").mkdir()
    for name in ("colorsys", "lmdb", "eng_beside_a_config"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        (folder / "deep" / f"{name}.py").write_text("is_beside = True\n")
    (folder / "deep" / "c.py").write_text(
        "import colorsys, eng_beside_a_config\n"
        "a = hasattr(colorsys, 'is_beside')\nb = eng_beside_a_config.is_beside\n"
    )
    for _ in range(2):
        assert main(["config", "deep/c.py"]) == 0
    import colorsys

    import eng_beside_a_config  # type: ignore[import-not-found]

    assert not hasattr(colorsys, "is_beside")
    assert eng_beside_a_config.is_beside
    assert sys.path.count(str(folder / "deep")) == 1


def test_config(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "child.py").write_text("_base_ = 'job.py'\ntrain_cfg = dict(max_epochs=7)\n")
    assert main(["config", "child.py"]) == 0
    assert "train_cfg = dict(by_epoch=True, max_epochs=7)" in capsys.readouterr().out
    assert main(["config", "child.py", "--why", "train_cfg.max_epochs"]) == 0
    assert "child.py:2" in capsys.readouterr().out
    assert main(["config", "job.py", "--diff", "child.py"]) == 0
    assert "train_cfg.max_epochs: 3 -> 7" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["train", "absent.py"], "absent.py"),
        (["train", "syntax.py"], "syntax.py:2"),
        (["train", "unknown.py"], "LineModel"),
        (["test", "job.py", "text.pth"], "text.pth"),
        (["test", "job.py", "absent.pth"], "absent.pth"),
        (["train", "job.py", "--work-dir", "text.pth/x"], "text.pth"),
        (["train", "job.py", "--resume", "text.pth"], "text.pth"),
        (["config", "job.py", "--why", "model.nothing"], "nothing"),
        (["train", "job.py", "--cfg-options", "train_cfg.max_epoch=2"], "max_epoch"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], argv: list[str], words: str
) -> None:
    (folder / "syntax.py").write_text("a = 1\nb = (\n")
    (folder / "unknown.py").write_text("_base_ = 'job.py'\nmodel = dict(type='LineModell')\n")
    (folder / "text.pth").write_text("no checkpoint")
    assert main(argv) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("eng: ")]
    assert len(told) == 1
    assert words in told[0]


def train(*options: str) -> int:
    return main(["train", "job.py", "--work-dir", "out", *options])


def test_resume_without_a_file_starts_as_the_config_says(folder: Path) -> None:
    import torch

    assert train("--cfg-options", "train_cfg.max_epochs=1") == 0
    (folder / "out").rename(folder / "first")
    weights = ["load_from=first/epoch_1.pth", "train_cfg.max_epochs=1"]
    assert train("--resume", "--cfg-options", *weights) == 0
    log = "".join(path.read_text() for path in folder.glob("out/*/*.log"))
    assert "loading the weights of first/epoch_1.pth" in log
    assert train("--resume", "--cfg-options", weights[0], "train_cfg.max_epochs=2") == 0
    log = "".join(path.read_text() for path in folder.glob("out/*/*.log"))
    assert "out/epoch_1.pth, the newest whole checkpoint in" in log
    assert torch.load(folder / "out" / "epoch_2.pth")["meta"]["iter"] == 10


def test_resume_of_a_finished_run_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train() == 0
    capsys.readouterr()
    assert train("--resume") == 0
    told = capsys.readouterr().out
    assert "Training is complete: all 15 iterations are done. To continue, raise max_epoch" in told
    assert train() == 0
    told = capsys.readouterr().out
    assert (
        "out/epoch_3.pth and others beside it are of an earlier run: this run starts from" in told
    )


def test_failed_starts_leave_no_folder(folder: Path) -> None:
    for argv in (
        ["--cfg-options", "optim_wrapper.optimizer.type=SDG"],
        ["--resume", "absent.pth"],
        ["--cfg-options", "train_dataloader.dataset.type=Lines"],
    ):
        assert train(*argv) == 2
        assert not (folder / "out").exists()
    assert train("--cfg-options", "train_cfg.max_epochs=1") == 0
    before = sorted(folder.glob("out/*"))
    assert train("--cfg-options", "optim_wrapper.optimizer.type=SDG") == 2
    assert main(["test", "job.py", "absent.pth", "--work-dir", "out"]) == 2
    assert sorted(folder.glob("out/*")) == before


def test_a_failed_start_leaves_the_config_of_the_last_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--cfg-options", "train_cfg.max_epochs=1") == 0
    before = (folder / "out" / "job.py").read_text()
    assert train("--resume", "absent.pth") == 2
    assert main(["test", "job.py", "absent.pth", "--work-dir", "out"]) == 2
    assert (folder / "out" / "job.py").read_text() == before
    (folder / "other.py").write_text("_base_ = 'job.py'\n")
    assert main(["train", "other.py", "--work-dir", "out", "--resume", "absent.pth"]) == 2
    assert not (folder / "out" / "other.py").exists()
    capsys.readouterr()
    assert train("--cfg-options", "train_cfg.max_epochs=2") == 0
    assert "is not a dump of a run" not in capsys.readouterr().out
    assert "max_epochs=2" in (folder / "out" / "job.py").read_text()


def test_a_failure_within_training_keeps_its_traceback_and_log(folder: Path) -> None:
    (folder / "failing.py").write_text(
        "_base_ = 'job.py'\ntrain_dataloader = dict(collate_fn=dict(type='pseudo_collate'))\n"
    )
    with pytest.raises(TypeError) as caught:
        main(["train", "failing.py", "--work-dir", "out"])
    assert "collate_fn=dict(type='default_collate')" in "".join(
        traceback.format_exception(caught.value)
    )
    assert len(list(folder.glob("out/*/*.log"))) == 1


def test_the_level_of_the_log(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = ["--cfg-options", "train_cfg.max_epochs=1"]
    assert train("--log-level", "error", *short) == 0
    assert capsys.readouterr().out == ""
    assert train("--debug", "--no-progress", *short) == 0
    assert "log_level = 'DEBUG'\n" in (folder / "out" / "job.py").read_text()
    assert "progress_bar = False\n" in (folder / "out" / "job.py").read_text()


def test_frozen_and_unused_parameters_are_reported(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--report-params", "--cfg-options", "train_cfg.max_epochs=1") == 0
    told = capsys.readouterr().out
    assert "Frozen parameters:\n  none\n" in told
    assert "Parameters that receive no gradient:\n  none\n" in told


def test_damaged_checkpoints_are_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--cfg-options", "train_cfg.max_epochs=2") == 0
    for path in folder.glob("out/*.pth"):
        path.write_bytes(path.read_bytes()[:-30])
    capsys.readouterr()
    assert train("--resume") == 2
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("eng: ")]
    assert len(told) == 1
    assert "out/epoch_1.pth: " in told[0]
    assert "out/epoch_2.pth: " in told[0]


def test_a_second_job_is_refused_in_one_line_unless_forced(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "out").mkdir()
    with living_owner(folder / "out") as owner:
        assert train("--cfg-options", "train_cfg.max_epochs=1") == 2
        told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("eng: ")]
        assert len(told) == 1
        assert f"out is in use: process {owner} on" in told[0]
        assert not list(folder.glob("out/*.pth"))
        assert train("--force", "--cfg-options", "train_cfg.max_epochs=1") == 0
    log = "".join(path.read_text() for path in folder.glob("out/*/*.log"))
    assert f".train.lock is taken over from process {owner} on" in log


def test_a_config_of_the_user_is_never_overwritten(folder: Path) -> None:
    (folder / "configs").mkdir()
    text = (folder / "job.py").read_text()
    (folder / "configs" / "job.py").write_text(text + "a = 1\n")
    short = ["--cfg-options", "train_cfg.max_epochs=1"]
    assert main(["train", "job.py", "--work-dir", ".", *short]) == 0
    assert main(["train", "configs/job.py", "--work-dir", ".", *short]) == 0
    assert (folder / "job.py").read_text() == text
    logs = "".join(path.read_text() for path in folder.glob("*/*.log"))
    assert "job.py is not a dump of a run and stays as it is; the config is in" in logs
    # What a run has written is renewed.
    assert main(["train", "job.py", "--work-dir", "out", *short]) == 0
    assert main(["train", "configs/job.py", "--work-dir", "out", *short]) == 0
    assert "a = 1" in (folder / "out" / "job.py").read_text()


def test_debug_shows_the_traceback(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        main(["train", "absent.py", "--debug"])


@pytest.mark.exhaustive
def test_killed_run_goes_on_to_the_same_end(folder: Path) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    command = [sys.executable, "-m", "eng.cli", "train", "job.py", "--cfg-options"]
    command += ["train_cfg.max_epochs=40", "default_hooks.logger.type=LoggerHook", "--work-dir"]
    subprocess.run([*command, "whole"], env=env, check=True, capture_output=True)
    process = subprocess.Popen([*command, "killed"], env=env, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(folder.glob("killed/epoch_*.pth")) and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    subprocess.run([*command, "killed", "--resume"], env=env, check=True, capture_output=True)
    import torch

    whole, resumed = (
        torch.load(folder / name / "epoch_40.pth", weights_only=True)["state_dict"]
        for name in ("whole", "killed")
    )
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_an_unknown_option_gets_one_warning(folder: Path) -> None:
    options = ["optim_wraper.optimizer.lr=1", "train_cfg.max_epochs=1"]
    with pytest.warns(UserWarning, match="optim_wraper") as caught:
        assert train("--cfg-options", *options) == 0
    found = [str(each.message) for each in caught if "optim_wraper" in str(each.message)]
    assert found == ["no key 'optim_wraper' (job.py); did you mean 'optim_wrapper'?"]


STOPPED = """
import signal
from eng.hooks import Hook
from eng.registry import HOOKS

@HOOKS.register_module(force=True)
class StoppedInSecondEpoch(Hook):
    def before_train_epoch(self, runner):
        if runner.epoch == 1:
            signal.raise_signal(signal.SIGINT)
"""


@pytest.mark.parametrize(
    ("same", "level", "count"),
    [(True, "INFO", 1), (False, "INFO", 2), (True, "ERROR", 1)],
    ids=["one terminal", "two places", "a quiet log"],
)
def test_an_interruption_is_reported_once_on_a_terminal(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    same: bool,
    level: str,
    count: int,
) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a background job ignores
    if same:
        monkeypatch.setattr(sys, "stderr", sys.stdout)
    (folder / "stopped_cases.py").write_text(STOPPED)
    job = (folder / "job.py").read_text().replace("['conftest']", "['conftest', 'stopped_cases']")
    (folder / "job.py").write_text(f"{job}custom_hooks = [dict(type='StoppedInSecondEpoch')]\n")
    monkeypatch.syspath_prepend(str(folder))
    assert main(["train", "job.py", "--work-dir", "out", "--log-level", level]) == 130
    shown = capfd.readouterr()
    assert (shown.out + shown.err).count("training was ended after 5 iterations") == count
