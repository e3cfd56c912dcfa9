"""Mistakes that people make, as the command line tells of them: a line each, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_commands import JOB

from eng.cli import main

FILES = {
    "job.py": JOB.replace("from pathlib import Path\n", ""),
    "name.py": "_base_ = 'job.py'\nlr = 0.1\n\nrate = lrr * 2\n",
    "true.yaml": "_base_: job.py\nresume: !yes\n",
    "words.py": "_base_ = 'job.py'\nfind_unused_parameters = true\n",
    "attribute.py": "_base_ = 'job.py'\nworkers = _base_.train_dataloadr.batch_size\n",
    "environment.py": "import os\n_base_ = 'job.py'\nroot = os.environ['ENG_NOT_SET']\n",
    "variable.yaml": "_base_: job.py\n\nroot: '{{ $ENG_NOT_SET }}'\n",
    "index.py": "_base_ = 'job.py'\nsteps = [1]\nlast = steps[1]\n",
    "syntax.py": "_base_ = 'job.py'\nmodel = dict(type='LineModel'\n",
    "indent.yaml": "model:\n  type: LineModel\n depth: 3\n",
    "comma.json": '{"model": 1,\n "a": 2,}',
    "null.toml": "_base_ = 'job.py'\nload_from = null\n",
    "base.py": "_base_ = 'jobb.py'\n",
    "missing_module.py": "_base_ = 'job.py'\n"
    "custom_imports = dict(imports=['eng_no_such_module'], allow_failed_imports=False)\n",
    "circle.py": "_base_ = 'circle.py'\n",
    "reserved.py": "_base_ = 'job.py'\ntext = 'x'\n",
    "delete.py": "_base_ = 'job.py'\nmodel = dict(type=dict(a=1))\n",
    "model.py": "_base_ = 'job.py'\nmodel = dict(\n    type='LineModell')\n",
    "argument.py": "_base_ = 'job.py'\nmodel = dict(\n    depth=3)\n",
    "schedule.py": "_base_ = 'job.py'\nparam_scheduler = [\n    dict(type='LinearLR', end=2),\n"
    "    dict(type='CosineAnnealingLR',\n         t_max=3)]\n",
    "hooks.py": "_base_ = 'job.py'\ndefault_hooks = dict(\n    logger=dict(interval=3))\n",
    "hook.py": "_base_ = 'job.py'\ncustom_hooks = [\n    dict(type='EMAHook', momentm=0.1)]\n",
    "priority.py": "_base_ = 'job.py'\ncustom_hooks = [dict(type='EMAHook', priority='HIGHER')]\n",
    "launcher.py": "_base_ = 'job.py'\nlauncher = 'pytorh'\n",
    "level.py": "_base_ = 'job.py'\n\nlog_level = 'INFOO'\n",
    "save_best.py": "_base_ = 'job.py'\n"
    "default_hooks = dict(checkpoint=dict(type='CheckpointHook', save_best='loss'))\n",
    "loader.py": "_base_ = 'job.py'\ntrain_dataloader = dict(\n    batchsize=3)\n",
    "batch.py": "_base_ = 'job.py'\ntrain_dataloader = dict(\n    batch_size=0)\n",
    "dataset.py": "_base_ = 'job.py'\ntrain_dataloader = dict(\n  dataset=dict(type='LineDat'))\n",
    "metric.py": "_base_ = 'job.py'\nval_evaluator = dict(prefx='a')\n",
    "seed.py": "_base_ = 'job.py'\nrandomness = dict(sed=1)\n",
    "loop.py": "_base_ = 'job.py'\ntrain_cfg = dict(_delete_=True, by_epoch=True, max_epoch=3)\n",
    "half.py": "_base_ = 'job.py'\nval_evaluator = None\n",
    "rate.py": "_base_ = 'job.py'\noptim_wrapper = dict(\n    optimizer=dict(lr='0.1x'))\n",
    "backend.py": "_base_ = 'job.py'\n"
    "visualizer = dict(vis_backends=[dict(type='LocalVisBackendd')])\n",
    "collate.py": "_base_ = 'job.py'\ntrain_dataloader = dict(collate_fn='default_collate')\n",
    "runner.py": "_base_ = 'job.py'\nrunner_type = 'Runer'\n",
    "start.py": "_base_ = 'job.py'\nenv_cfg = dict(mp_cfg=dict(mp_start_method='frok'))\n",
    "count.py": "_base_ = 'job.py'\ntrain_cfg = dict(\n    max_epochs=0)\n",
    "interval.py": "_base_ = 'job.py'\ntrain_cfg = dict(\n    val_interval='often')\n",
    "milestones.py": "_base_ = 'job.py'\ntrain_cfg = dict(\n    dynamic_intervals=[(3, 0)])\n",
    "kind.py": "_base_ = 'job.py'\ntrain_cfg = dict(_delete_=True, max_epochs=3)\n",
    "val.py": "_base_ = 'job.py'\nval_cfg = dict(\n    fp=True)\n",
    "test.py": "_base_ = 'job.py'\ntest_cfg = dict(\n    fp=True)\n",
    "half_test.py": "_base_ = 'job.py'\ntest_evaluator = None\n",
    "memory.py": "_base_ = 'job.py'\n\non_oom = 'shrnk'\n",
    "limit.py": "_base_ = 'job.py'\ninterruption = dict(\n    time_limit='soon')\n",
    "nan.py": "_base_ = 'job.py'\nnan_loss = dict(action='skip',\n    max_times=0)\n",
    "text.pth": "no checkpoint",
}

#: The file and the command after ``eng``, and the message.
MISTAKES = {
    "no such config": ("train absent.py", 'file "{}/absent.py" does not exist'),
    "no such command": ("trian job.py", "unknown command 'trian'; did you mean 'train'?"),
    "unknown name": (
        "train name.py",
        "{}/name.py:4: name 'lrr' is not defined; did you mean 'lr'?",
    ),
    "name of another language": ("train words.py", "{}/words.py:2: name 'true' .* 'True'?"),
    "attribute of the base": (
        "train attribute.py",
        "{}/attribute.py:2: no base has the key 'train_dataloadr'; did you mean "
        "'train_dataloader'?",
    ),
    "variable of Python": (
        "train environment.py",
        "{}/environment.py:3: the environment variable ENG_NOT_SET is not set",
    ),
    "variable": (
        "train variable.yaml",
        "{}/variable.yaml:3: the environment variable ENG_NOT_SET is not set; set it, or add",
    ),
    "index": ("config index.py", "{}/index.py:3: IndexError: list index out of range"),
    "bracket": ("train syntax.py", "{}/syntax.py:2: invalid Python: '(' was never closed"),
    "tag": ("config true.yaml", "{}/true.yaml:2: invalid YAML: could not determine a constructor"),
    "indentation": ("config indent.yaml", "{}/indent.yaml:3: invalid YAML: "),
    "comma": ("config comma.json", "{}/comma.json:2: invalid JSON: "),
    "null": ("config null.toml", "{}/null.toml:2: invalid TOML: .*TOML has no null"),
    "base": ("train base.py", "{}/base.py:1: the base 'jobb.py' does not exist"),
    "module": ("train missing_module.py", "{}/missing_module.py:2: .*eng_no_such_module"),
    "circle": ("config circle.py", "{}/circle.py: circular bases: "),
    "reserved key": ("config reserved.py", "{}/reserved.py:2: the key 'text' is reserved"),
    "dict into text": (
        "config delete.py",
        "{}/delete.py:2: model.type: cannot merge a dict into str",
    ),
    "type": ("train model.py", "{}/model.py:3: model: LineModell is not in .* LineModel"),
    "argument": ("train argument.py", "{}/argument.py:3: model: LineModel has no argument 'depth'"),
    "schedule": (
        "train schedule.py",
        "{}/schedule.py:5: param_scheduler.1: CosineAnnealingLR has no argument 't_max'; did you "
        "mean 'T_max'?",
    ),
    "hook without type": (
        "train hooks.py",
        "{}/hooks.py:3: default_hooks.logger: a 'type' is missing, such as type='LoggerHook'",
    ),
    "hook": (
        "train hook.py",
        "{}/hook.py:3: custom_hooks.0: EMAHook has no argument 'momentm'; did you mean 'momentum'?",
    ),
    "priority": ("train priority.py", "EMAHook: unknown priority 'HIGHER'; known are "),
    "launcher": (
        "train launcher.py",
        "{}/launcher.py:2: launcher: must be 'none' or 'pytorch' or 'slurm' or 'mpi', not "
        "'pytorh'; did you mean 'pytorch'?",
    ),
    "no torchrun": (
        "train job.py --launcher pytorch",
        "environment variable RANK is not set: torchrun sets it; start the program with torchrun",
    ),
    "no srun": ("train job.py --launcher slurm", "environment variable SLURM_LOCALID is not set"),
    "log level": ("train level.py", "{}/level.py:3: log_level: must be .* not 'INFOO'; .* 'INFO'?"),
    "save_best": ("train save_best.py", "save_best: .*'loss'.*did you mean 'line/loss'?"),
    "loader": (
        "train loader.py",
        "{}/loader.py:3: train_dataloader: DataLoader has no argument 'batchsize'; did you mean "
        "'batch_size'?",
    ),
    "batch size": (
        "train batch.py",
        "{}/batch.py:3: train_dataloader.batch_size: must be an integer of at least 1, not 0",
    ),
    "dataset": (
        "train dataset.py",
        "{}/dataset.py:3: train_dataloader.dataset: LineDat is not in .* LineData",
    ),
    "metric": (
        "train metric.py",
        "{}/metric.py:2: val_evaluator: MeanError has no argument 'prefx'; did you mean 'prefix'?",
    ),
    "seed": ("train seed.py", "{}/seed.py:2: randomness: no setting 'sed'; did you mean 'seed'?"),
    "loop": (
        "train loop.py",
        "{}/loop.py:2: train_cfg: .*no argument 'max_epoch'; .*'max_epochs'?",
    ),
    "half of validation": (
        "train half.py",
        "{}/half.py:2: val_evaluator: val_dataloader, val_cfg given, but not val_evaluator",
    ),
    "half of a test": (
        "test half_test.py no.pth",
        "{}/half_test.py:2: test_evaluator: test_dataloader, test_cfg given, but not test_eval",
    ),
    "count": (
        "train count.py",
        "{}/count.py:3: train_cfg.max_epochs: must be an integer of at least 1, got 0",
    ),
    "count of a loop that is not run": (
        "test count.py no.pth",
        "{}/count.py:3: train_cfg.max_epochs: must be an integer of at least 1, got 0",
    ),
    "count in the check": (
        "config --check interval.py",
        "{}/interval.py:3: train_cfg.val_interval: must be an integer of at least 1, got 'often'",
    ),
    "pairs": (
        "train milestones.py",
        "{}/milestones.py:3: train_cfg.dynamic_intervals: an interval must be an integer of at "
        "least 1, got 0",
    ),
    "kind of loop": (
        "train kind.py",
        "{}/kind.py:2: train_cfg: needs either 'by_epoch' or 'type'; it has ['max_epochs']",
    ),
    "loop of validation": (
        "train val.py",
        "{}/val.py:3: val_cfg: ValLoop has no argument 'fp'; did you mean 'fp16'?",
    ),
    "loop of a test": (
        "test test.py no.pth",
        "{}/test.py:3: test_cfg: TestLoop has no argument 'fp'; did you mean 'fp16'?",
    ),
    "memory": ("train memory.py", "{}/memory.py:3: on_oom: must be 'raise' or 'shrink', not 'shr"),
    "time limit": (
        "train limit.py",
        "{}/limit.py:3: interruption.time_limit: must be a positive number of seconds or a text",
    ),
    "losses that are NaN": (
        "train nan.py",
        "{}/nan.py:3: nan_loss.max_times: must be an integer of at least 1, got 0",
    ),
    "text for a number": (
        "train rate.py",
        "{}/rate.py:3: optim_wrapper.optimizer.lr: must be a float or a Tensor, not '0.1x'",
    ),
    "backend": (
        "train backend.py",
        "{}/backend.py:2: visualizer.vis_backends.0: LocalVisBackendd is not in .*LocalVisBackend",
    ),
    "collate": (
        "train collate.py",
        "{}/collate.py:2: train_dataloader.collate_fn: must be a dict such as dict(type='default_",
    ),
    "runner": ("train runner.py", "{}/runner.py:2: runner_type: Runer is not in .*Runner"),
    "start method": ("train start.py", "unknown start method 'frok', expected one of: fork"),
    "key to explain": (
        "config job.py --why model.typ",
        "job.py: unknown key 'model.typ': 'typ' is missing; did you mean 'type'?",
    ),
    "unknown option": (
        "train job.py --strict --cfg-options optim_wraper.optimizer.lr=1",
        "set by the command line: no key 'optim_wraper' (job.py); did you mean 'optim_wrapper'?",
    ),
    "text as option": (
        "train job.py --strict --cfg-options optim_wrapper.optimizer.lr=0.1x",
        "optim_wrapper.optimizer.lr: was a float (0.05), got the text '0.1x' ({}/job.py:17)",
    ),
    "unknown option without --strict": (
        "train job.py --cfg-options train_cfg.max_epoch=2",
        "set by the command line: train_cfg: EpochBasedTrainLoop has no argument 'max_epoch'",
    ),
    "no checkpoint": (
        "train job.py --cfg-options load_from=no.pth",
        "checkpoint 'no.pth': no such",
    ),
    "text as checkpoint": ("test job.py text.pth", "text.pth"),
    "dry run": ("train schedule.py --dry-run", "{}/schedule.py:5: param_scheduler.1: Cosine"),
    "check": ("config schedule.py --check", "{}/schedule.py:5: param_scheduler.1: Cosine"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mistakes")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    for name in ("RANK", "SLURM_LOCALID", "ENG_NOT_SET"):
        monkeypatch.delenv(name, raising=False)
    return folder


def fits(text: str, message: str, folder: Path) -> bool:
    """Whether a text has the parts of a message, which ``.*`` separates, in this order."""
    at = 0
    for part in message.format(folder).split(".*") if "{}" in message else message.split(".*"):
        at = text.find(part.strip(), at)
        if at < 0:
            return False
    return True


@pytest.mark.filterwarnings("ignore:.*(no key|must be|was a):UserWarning")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(
    inside: Path, capsys: pytest.CaptureFixture[str], mistake: str
) -> None:
    command, message = MISTAKES[mistake]
    assert main(command.split()) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("eng: ")]
    assert len(told) == 1, told
    assert fits(told[0], message, inside), told[0]
    for noise in ("Traceback", " at 0x", "<generator", "dict(type='LineModel'", "{'type'"):
        assert noise not in told[0]


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_all_mistakes_are_told_at_once(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "_base_ = ['schedule.py']\nmodel = dict(\n    typo=1)\nval_evaluator = dict(prefx='a')\n"
        "optim_wrapper = dict(optimizer=dict(lrr=1))\n"
    )
    (inside / "many.py").write_text(text)
    assert main(["train", "many.py"]) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("eng: ")]
    assert [
        line.partition(": ")[2].removeprefix(f"{inside}/").partition(" ")[0] for line in told
    ] == [
        "many.py:3:",
        "many.py:5:",
        "schedule.py:5:",
        "many.py:4:",
    ]


def test_nothing_is_left_behind(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "schedule.py", "--work-dir", "never_made"]) == 2
    assert not (inside / "never_made").exists()


@pytest.mark.parametrize("command", ["config index.py", "train name.py"])
def test_a_process_tells_it_as_well(folder: Path, command: str) -> None:
    paths = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-m", "eng.cli", *command.split()],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"eng: {folder}/")


def test_a_failure_in_training_keeps_its_traceback(inside: Path) -> None:
    (inside / "failing.py").write_text(
        "_base_ = 'job.py'\ncustom_hooks = [dict(type='FailsInTraining')]\n"
        "custom_imports = dict(imports=['eng_fails_in_training'])\n"
    )
    (inside / "eng_fails_in_training.py").write_text(
        "from eng.hooks import Hook\nfrom eng.registry import HOOKS\n"
        "@HOOKS.register_module()\nclass FailsInTraining(Hook):\n"
        "    def after_train_iter(self, runner, *args, **kwargs):\n"
        "        raise ValueError('sizes differ')\n"
    )
    with pytest.raises(ValueError, match="sizes differ"):
        main(["train", "failing.py", "--work-dir", "failed"])
