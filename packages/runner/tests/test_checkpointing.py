"""What checkpoints hold, what saving costs, and what resuming takes over."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import runner_workers as workers

from eng.checkpoint import CheckpointLoader
from eng.config import Config
from eng.dist.testing import run_in_processes
from eng.fileio import LocalBackend
from eng.hooks import Hook
from eng.runner import Runner


@pytest.mark.parametrize("wrapper", ["MMDistributedDataParallel", "MMFullyShard"])
def test_every_process_sees_the_same_keys_and_meta(tmp_path: Path, wrapper: str) -> None:
    args = (str(tmp_path), wrapper)
    (keys, metas), other = run_in_processes(workers.train_with_notes, 2, *args)
    assert (keys, metas) == other
    assert [meta["iter"] for meta in metas] == [3, 4]  # once for each of the two checkpoints
    assert {"meta", "state_dict", "optimizer", "message_hub", "train_state"} <= set(keys[0])
    name = "iter_4" if wrapper == "MMFullyShard" else "iter_4.pth"
    saved = CheckpointLoader.load_checkpoint(str(tmp_path / name), "cpu")
    assert saved["meta"]["note"] == "from a hook"
    assert saved["meta"] == metas[-1]


def test_every_process_has_the_same_names_of_parts(tmp_path: Path) -> None:
    first, second = run_in_processes(workers.names_of_parts, 2, str(tmp_path))
    assert first == second
    assert "uneven" in first


class Counting:
    """Counts serialisations, copies and formattings of the config."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.saved = self.copied = self.formatted = 0
        save, copyfile, text = torch.save, LocalBackend.copyfile, Config.pretty_text.fget

        def counted_save(*args: Any, **kwargs: Any) -> None:
            self.saved += 1
            save(*args, **kwargs)

        def counted_copy(backend: Any, *args: Any) -> str:
            self.copied += 1
            return copyfile(backend, *args)

        def counted_text(config: Config) -> str:
            self.formatted += 1
            return text(config)

        monkeypatch.setattr(torch, "save", counted_save)
        monkeypatch.setattr(LocalBackend, "copyfile", counted_copy)
        monkeypatch.setattr(Config, "pretty_text", property(counted_text))


def with_scores(job: dict[str, Any], *scores: float, **settings: Any) -> Runner:
    """A runner whose validations give these scores."""
    job["default_hooks"]["checkpoint"] = {
        "type": "CheckpointHook",
        "interval": 1,
        "save_best": "score",
        "rule": "greater",
        **settings,
    }
    runner = Runner.from_cfg(job)
    rest = iter(scores)

    class Evaluator:
        metrics: tuple[Any, ...] = ()
        dataset_meta: Any = None

        def process(self, **batch: Any) -> None: ...

        def evaluate(self, size: int) -> dict[str, float]:
            score = next(rest)
            return {"score": score, "other": score}

    runner.val_loop.evaluator = Evaluator()
    return runner


def test_a_new_best_costs_one_serialisation_and_one_copy(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = with_scores(job, 0.5, 0.9, 0.7)
    counting = Counting(monkeypatch)
    runner.train()
    assert counting.saved == 3
    assert counting.copied == 2
    assert counting.formatted == 0


def test_a_best_off_the_interval_is_serialised_once_for_all_metrics(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"interval": 3, "save_best": ["score", "other"], "rule": "greater"}
    runner = with_scores(job, 0.5, 0.4, 0.3, **settings)
    counting = Counting(monkeypatch)
    runner.train()
    names = sorted(path.name for path in Path(job["work_dir"]).glob("*.pth"))
    assert names == ["best_other_epoch_1.pth", "best_score_epoch_1.pth", "epoch_3.pth"]
    assert (counting.saved, counting.copied) == (2, 1)


def test_the_config_is_formatted_once_a_run(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(monkeypatch)
    runner = Runner.from_cfg(job)
    at_start = counting.formatted
    runner.train()
    assert counting.formatted == at_start
    saved = torch.load(Path(job["work_dir"]) / "epoch_3.pth", weights_only=True)
    assert "LineModel" in saved["meta"]["cfg"]


def records(work_dir: str) -> list[tuple[str, float, int]]:
    best = json.loads((Path(work_dir) / "best_checkpoint.json").read_text())["best"]
    return [(each["file"], each["score"], each["iter"]) for each in best]


def test_a_best_one_is_independent_of_what_it_was_copied_from(job: dict[str, Any]) -> None:
    with_scores(job, 0.5, 0.9, 0.7).train()
    folder = Path(job["work_dir"])
    best, saved = folder / "best_score_epoch_2.pth", folder / "epoch_2.pth"
    assert best.read_bytes() == saved.read_bytes()
    saved.write_bytes(b"overwritten in place")
    assert torch.load(best, weights_only=True)["meta"]["epoch"] == 2


def test_the_record_of_bests_is_read_up_to_the_resumed_iteration(job: dict[str, Any]) -> None:
    with_scores(job, 0.5, 0.6, 0.9).train()
    folder = Path(job["work_dir"])
    assert records(job["work_dir"]) == [
        ("best_score_epoch_1.pth", 0.5, 5),
        ("best_score_epoch_2.pth", 0.6, 10),
        ("best_score_epoch_3.pth", 0.9, 15),
    ]
    # Of what came after the iteration that it is resumed from, nothing counts any more.
    (folder / "last_checkpoint").write_text(str(folder / "epoch_2.pth"))
    job["resume"] = True
    resumed = with_scores(job, 0.7)  # the validation of epoch 2 had ended: it is not repeated
    resumed.train()
    info = resumed.message_hub.runtime_info
    assert info["best_score"] == 0.7
    assert info["best_ckpt"] == str(folder / "best_score_epoch_3.pth")
    assert records(job["work_dir"])[1:] == [
        ("best_score_epoch_2.pth", 0.6, 10),
        ("best_score_epoch_3.pth", 0.7, 15),
    ]


def test_the_message_hub_serves_where_the_record_is_missing(job: dict[str, Any]) -> None:
    with_scores(job, 0.9, 0.2, 0.2).train()
    folder = Path(job["work_dir"])
    (folder / "best_checkpoint.json").unlink()
    (folder / "last_checkpoint").write_text(str(folder / "epoch_2.pth"))
    job["resume"] = True
    with_scores(job, 0.8).train()
    assert sorted(path.name for path in folder.glob("best_*.pth")) == ["best_score_epoch_1.pth"]


def resume_from(job: dict[str, Any], name: str) -> None:
    folder = Path(job["work_dir"])
    (folder / "last_checkpoint").write_text(str(folder / name))
    job["resume"] = True


def test_a_broken_record_is_reported_and_the_message_hub_serves(job: dict[str, Any]) -> None:
    with_scores(job, 0.9, 0.2, 0.2).train()
    (Path(job["work_dir"]) / "best_checkpoint.json").write_text('{"best": [{"metric": 1}]}')
    resume_from(job, "epoch_2.pth")
    runner = with_scores(job, 0.2, 0.8)
    runner.train()
    assert runner.message_hub.get_info("best_score") == 0.9
    log = next(Path(runner.log_dir).glob("*.log")).read_text()
    assert "best_checkpoint.json is not a record of best checkpoints" in log


def test_a_new_run_in_a_used_folder_knows_nothing_of_the_old_one(job: dict[str, Any]) -> None:
    with_scores(job, 0.5, 0.9, 0.7).train()
    with_scores(job, 0.1, 0.2, 0.3, interval=1).train()
    assert [score for _, score, _ in records(job["work_dir"])] == [0.1, 0.2, 0.3]
    # Nor does it when it is resumed before its first best one.
    job["train_cfg"]["val_begin"] = 3
    with_scores(job, 0.05).train()
    resume_from(job, "epoch_2.pth")
    resumed = with_scores(job, 0.06)
    resumed.train()
    assert resumed.message_hub.get_info("best_score") == 0.06


def test_what_came_after_the_resumed_iteration_stays_forgotten(job: dict[str, Any]) -> None:
    with_scores(job, 0.5, 0.6, 0.9).train()
    resume_from(job, "epoch_2.pth")
    runner = with_scores(job, 0.55)
    runner.train()
    assert [score for _, score, _ in records(job["work_dir"])] == [0.5, 0.6]
    resume_from(job, "epoch_3.pth")
    job["train_cfg"]["max_epochs"] = 4
    again = with_scores(job, 0.7)
    again.train()
    assert again.message_hub.get_info("best_score") == 0.7


@pytest.mark.parametrize("save_best", ["score", "auto"])
def test_a_record_of_which_everything_came_later_is_forgotten(
    job: dict[str, Any], save_best: str
) -> None:
    job["train_cfg"]["val_begin"] = 3
    with_scores(job, 0.9, save_best=save_best).train()
    resume_from(job, "epoch_1.pth")
    job["train_cfg"]["max_epochs"] = 2
    with_scores(job, save_best=save_best).train()
    assert records(job["work_dir"]) == []


def test_files_of_another_run_are_never_removed(job: dict[str, Any], tmp_path: Path) -> None:
    other = {**job, "work_dir": str(tmp_path / "other")}
    with_scores(job, 0.4, 0.3, 0.3).train()
    with_scores(other, 0.99, 0.1, 0.1).train()
    other["load_from"], other["resume"] = str(Path(job["work_dir"]) / "epoch_2.pth"), True
    resumed = with_scores(other, 0.3, 0.5)
    resumed.train()
    assert resumed.message_hub.get_info("best_score") == 0.5
    assert (tmp_path / "other" / "best_score_epoch_1.pth").exists()
    assert (Path(job["work_dir"]) / "best_score_epoch_1.pth").exists()


def test_a_model_that_was_changed_after_saving_is_saved_again(job: dict[str, Any]) -> None:
    class Changing(Hook):
        def before_val(self, runner: Any) -> None:
            runner.model.net[0].bias.data.fill_(float(runner.epoch))

    runner = with_scores(job, 0.1, 0.2, 0.3)
    runner.register_hook(Changing())
    runner.train()
    best = torch.load(Path(job["work_dir"]) / "best_score_epoch_3.pth", weights_only=True)
    assert best["state_dict"]["net.0.bias"].tolist() == [3.0] * 8


def test_a_checkpoint_that_somebody_removed_is_saved_again(job: dict[str, Any]) -> None:
    class Removing(Hook):
        def before_val(self, runner: Any) -> None:
            (Path(runner.work_dir) / f"epoch_{runner.epoch}.pth").unlink()

    runner = with_scores(job, 0.1, 0.2, 0.3)
    runner.register_hook(Removing())
    runner.train()
    assert (Path(job["work_dir"]) / "best_score_epoch_3.pth").exists()


def test_two_hooks_keep_the_best_by_a_metric_each(job: dict[str, Any]) -> None:
    runner = with_scores(job, 0.5, 0.9, 0.7, save_best="score")
    other = {"type": "CheckpointHook", "interval": -1, "save_last": False}
    runner.register_hook({**other, "save_best": "other", "rule": "less"})
    runner.train()
    names = sorted(path.name for path in Path(job["work_dir"]).glob("best_*.pth"))
    assert names == ["best_other_epoch_1.pth", "best_score_epoch_2.pth"]
    assert {name for name, _, _ in records(job["work_dir"])} >= set(names)


class Sums(Hook):
    """Keeps a number that a checkpoint is to hold."""

    def __init__(self) -> None:
        self.total = 0

    def before_run(self, runner: Any) -> None:
        runner.run_state.add("sums", self)

    def after_train_iter(self, runner: Any, batch_idx: int, *args: Any, **kwargs: Any) -> None:
        self.total += batch_idx

    def state_dict(self) -> dict[str, int]:
        return {"total": self.total}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self.total = state_dict["total"]


def test_a_hook_joins_the_state_of_the_run(job: dict[str, Any]) -> None:
    runner = Runner.from_cfg(job)
    runner.register_hook(Sums())
    runner.train()
    folder = Path(job["work_dir"])
    saved = torch.load(folder / "epoch_3.pth", weights_only=True)
    assert saved["train_state"]["sums"] == {"total": 3 * 10}
    (folder / "last_checkpoint").write_text(str(folder / "epoch_2.pth"))
    resumed, sums = Runner.from_cfg({**job, "resume": True}), Sums()
    resumed.register_hook(sums)
    resumed.train()
    assert sums.total == 30


def test_a_hook_joins_once_however_often_the_runner_runs(job: dict[str, Any]) -> None:
    runner, sums = Runner.from_cfg(job), Sums()
    runner.register_hook(sums)
    runner.train()
    runner.val()
    runner.test()
    assert "sums" in runner.run_state


def test_a_part_that_joins_after_the_resume_takes_its_state_over(job: dict[str, Any]) -> None:
    runner = Runner.from_cfg(job)
    runner.register_hook(Sums())
    runner.train()
    resumed, sums = Runner.from_cfg({**job, "resume": True}), Sums()
    resumed.load_or_resume()
    resumed.run_state.add("sums", sums)
    assert sums.total == 30


def test_a_part_that_draws_when_it_is_restored_changes_nothing(
    job: dict[str, Any], tmp_path: Path
) -> None:
    class Drawing:
        def state_dict(self) -> dict[str, int]:
            return {}

        def load_state_dict(self, state_dict: dict[str, int]) -> None:
            torch.rand(7)

    weights = []
    for epochs in ([3], [2, 3]):
        work_dir = str(tmp_path / str(len(epochs)))
        for end in epochs:
            settings = {"work_dir": work_dir, "resume": end != epochs[0]}
            job["train_cfg"]["max_epochs"] = end
            runner = Runner.from_cfg({**job, **settings})
            runner.run_state.add("drawing", Drawing())
            runner.train()
        weights.append(runner.model.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_checkpoint_is_saved_before_training(job: dict[str, Any]) -> None:
    runner = Runner.from_cfg(job)
    runner.save_checkpoint(job["work_dir"], "start.pth")
    saved = torch.load(Path(job["work_dir"]) / "start.pth", weights_only=True)
    assert "state_dict" in saved
    assert "optimizer" not in saved


def test_a_state_of_a_hook_that_is_gone_is_reported(job: dict[str, Any]) -> None:
    runner = Runner.from_cfg(job)
    runner.register_hook(Sums())
    runner.train()
    resumed = Runner.from_cfg({**job, "resume": True})
    resumed.train()
    log = next(Path(resumed.log_dir).glob("*.log")).read_text()
    assert "Unexpected states in the checkpoint: ['sums']" in log


def test_a_checkpoint_saved_while_validating_has_the_random_state_of_training(
    job: dict[str, Any],
) -> None:
    class Drawing(Hook):
        priority = "VERY_HIGH"

        def before_val_epoch(self, runner: Any) -> None:
            self.before = torch.get_rng_state()
            torch.rand(3)

        def after_val_epoch(self, runner: Any, metrics: Any = None) -> None:
            assert not torch.equal(torch.get_rng_state(), self.before)
            runner.save_checkpoint(runner.work_dir, "inside.pth", by_epoch=False)

    runner, drawing = Runner.from_cfg(job), Drawing()
    runner.register_hook(drawing)
    runner.train()
    saved = torch.load(Path(job["work_dir"]) / "inside.pth", weights_only=True)
    assert torch.equal(saved["train_state"]["random"][0]["torch"], drawing.before)
    assert torch.equal(torch.get_rng_state(), drawing.before)


@pytest.mark.parametrize("by_epoch", [True, False])
def test_a_checkpoint_of_the_other_kind_of_training_is_refused(
    job: dict[str, Any], by_epoch: bool
) -> None:
    loops = [{"by_epoch": True, "max_epochs": 3}, {"by_epoch": False, "max_iters": 15}]
    job["default_hooks"]["checkpoint"] = {
        "type": "CheckpointHook",
        "by_epoch": False,
        "interval": 4,
    }
    Runner.from_cfg({**job, "train_cfg": loops[by_epoch]}).train()
    resumed = Runner.from_cfg({**job, "train_cfg": loops[not by_epoch], "resume": True})
    with pytest.raises(Exception, match=f"set by_epoch={not by_epoch} in train_cfg to resume it"):
        resumed.train()


def test_what_is_not_asked_for_is_not_saved_and_not_resumed(job: dict[str, Any]) -> None:
    job["default_hooks"]["checkpoint"] = {
        "type": "CheckpointHook",
        "interval": 1,
        "save_optimizer": False,
    }
    Runner.from_cfg(job).train()
    saved = torch.load(Path(job["work_dir"]) / "epoch_3.pth", weights_only=True)
    assert "optimizer" not in saved
    assert "param_schedulers" in saved


@pytest.mark.parametrize("name", ["../x.pth", "/x.pth", "a/../../x.pth"])
def test_the_name_of_a_checkpoint_stays_in_its_folder(job: dict[str, Any], name: str) -> None:
    runner = Runner.from_cfg(job)
    with pytest.raises(ValueError, match="filename is outside its directory"):
        runner.save_checkpoint(runner.work_dir, name)
