"""Search learning rate, width and momentum of the digits example with optuna, and prune.

python examples/sweep/sweep.py --trials 12
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import optuna

from eng.config import Config
from eng.hooks import Hook, HookRunner
from eng.runner import Runner

DIGITS = Path(__file__).resolve().parents[1] / "digits"
sys.path.append(str(DIGITS))  # where the config imports its model from


class ReportAndPrune(Hook):
    """Reports the metric of each validation to a trial, and ends a training that is pruned.

    Args:
        trial: The trial.
        monitor: Name of the metric.
    """

    priority = "LOW"  # after the checkpoint of the epoch

    def __init__(self, trial: optuna.Trial, monitor: str) -> None:
        self.trial = trial
        self.monitor = monitor

    def after_val_epoch(
        self, runner: HookRunner, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Report, and stop training if the trial is worse than others at this epoch.

        Raises:
            KeyError: If the metric is missing.
        """
        self.trial.report((metrics or {})[self.monitor], step=runner.epoch)
        if self.trial.should_prune() and runner.train_loop is not None:
            runner.logger.info(f"trial {self.trial.number} is pruned")
            runner.train_loop.stop_training = True
            self.trial.set_user_attr("pruned_at", runner.epoch)


def train(trial: optuna.Trial, work_dir: Path, epochs: int) -> float:
    """Train with the settings of a trial.

    Args:
        trial: The trial, which suggests values.
        work_dir: Folder of the sweep; each trial has one of its own in it.
        epochs: The most epochs of a trial.

    Returns:
        The best accuracy.

    Raises:
        optuna.TrialPruned: If the trial was pruned.
    """
    cfg = Config.fromfile(DIGITS / "config.py")
    cfg.merge_from_dict(
        {
            "model.channels": trial.suggest_categorical("channels", [4, 8, 16]),
            "optim_wrapper.optimizer.lr": trial.suggest_float("lr", 1e-5, 1e-1, log=True),
            "custom_hooks.0.momentum": trial.suggest_float("momentum", 0.01, 0.5, log=True),
            "param_scheduler.1.T_max": epochs,
            "train_cfg.max_epochs": epochs,
            "work_dir": str(work_dir / f"trial_{trial.number}"),
            "experiment_name": f"{trial.study.study_name}_{trial.number}",
            "log_level": "WARNING",
        }
    )
    runner = Runner.from_cfg(cfg)
    runner.register_hook(ReportAndPrune(trial, "accuracy"))
    runner.train()
    if "pruned_at" in trial.user_attrs:
        raise optuna.TrialPruned
    return runner.summary.best["accuracy"].score


def sweep(work_dir: Path, trials: int, epochs: int) -> optuna.Study:
    """Run or continue a sweep, whose trials are in a database of its folder.

    Args:
        work_dir: Folder of the sweep.
        trials: Trials that there are to be in the end; those of an earlier call count.
        epochs: The most epochs of a trial.

    Returns:
        The study.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name="digits",
        storage=f"sqlite:///{work_dir / 'sweep.db'}",
        load_if_exists=True,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1),
    )
    ended = sum(trial.state.is_finished() for trial in study.trials)
    study.optimize(lambda trial: train(trial, work_dir, epochs), n_trials=max(trials - ended, 0))
    return study


def main() -> None:
    """Run a sweep and print each trial, the best one last."""
    parser = argparse.ArgumentParser(description="search settings of the digits example")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs/sweep"))
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = sweep(args.work_dir, args.trials, args.epochs)
    for trial in study.trials:
        reached = max(trial.intermediate_values.values(), default=0.0)
        epochs = len(trial.intermediate_values)
        state = trial.state.name.lower()
        print(f"trial {trial.number}: {state} after {epochs} epochs, accuracy {reached:.4f}")
    print(f"best: {study.best_value:.4f} of trial {study.best_trial.number}: {study.best_params}")


if __name__ == "__main__":
    main()
