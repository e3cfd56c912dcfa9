"""Train a text classifier by a loop of PyTorch, with parts of the engine and no Runner."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from reviews import WORDS, encode, make_reviews
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from eng import dist
from eng.checkpoint import get_state_dict, load_checkpoint, save_checkpoint
from eng.config import Config, DictAction
from eng.evaluator import Evaluator, format_metrics
from eng.fileio import exists, join_path
from eng.optim import build_optim_wrapper
from eng.registry import PARAM_SCHEDULERS

VAL_SAMPLES = 300


class Classifier(nn.Module):
    """Reads a sentence word by word and scores both classes."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(WORDS) + 1, width, padding_idx=0)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, 2)

    def forward(self, words: Tensor) -> Tensor:
        """Scores of shape (N, 2) for numbers of words of shape (N, length)."""
        states, _ = self.gru(self.embedding(words))
        last = (words != 0).sum(dim=1).clamp(min=1) - 1
        scores: Tensor = self.head(states[torch.arange(len(words)), last])
        return scores


class Job:
    """The parts of a training, all of which a checkpoint holds."""

    def __init__(self, cfg: Config) -> None:
        torch.manual_seed(cfg.seed)
        self.model = Classifier(**cfg.model)
        self.optim_wrapper = build_optim_wrapper(self.model, cfg.optim_wrapper)
        self.schedulers = [
            PARAM_SCHEDULERS.build(dict(each, optimizer=self.optim_wrapper))
            for each in cfg.param_scheduler
        ]
        self.epoch = 0

    def save(self, path: str) -> None:
        """Write a checkpoint, in the first process alone."""
        if dist.is_main_process():
            checkpoint = {
                "state_dict": get_state_dict(self.model),
                "optimizer": self.optim_wrapper.state_dict(),
                "param_schedulers": [scheduler.state_dict() for scheduler in self.schedulers],
                "epoch": self.epoch,
            }
            save_checkpoint(checkpoint, path)
        dist.barrier()

    def load(self, path: str) -> None:
        """Continue from a checkpoint."""
        checkpoint = load_checkpoint(self.model, path, strict=True)
        self.optim_wrapper.load_state_dict(checkpoint["optimizer"])
        for scheduler, state in zip(self.schedulers, checkpoint["param_schedulers"], strict=True):
            scheduler.load_state_dict(state)
        self.epoch = checkpoint["epoch"]

    def train_epoch(self, model: nn.Module, batches: Iterable[tuple[Tensor, ...]]) -> float:
        """Train on all batches: the loop.

        Args:
            model: The model, or its wrapper for several processes.
            batches: Words and labels.

        Returns:
            The mean loss.
        """
        losses = []
        for inputs, targets in batches:
            loss = F.cross_entropy(model(inputs), targets)
            self.optim_wrapper.update_params(loss)
            for scheduler in self.schedulers:
                scheduler.step()
            losses.append(loss.item())
        return sum(losses) / len(losses)


def iterate(words: Tensor, labels: Tensor, size: int, epoch: int) -> Iterator[tuple[Tensor, ...]]:
    """Batches of an epoch, of which each process has its share."""
    order = torch.randperm(len(words), generator=torch.Generator().manual_seed(epoch))
    rank, world_size = dist.get_dist_info()
    for chosen in torch.split(order, size):
        if len(chosen) == size:  # the last one may be smaller, and its shares unequal
            part = chosen[rank::world_size]
            yield words[part], labels[part]


def validate(model: nn.Module, cfg: Config, metrics: Any) -> dict[str, float]:
    """Evaluate on sentences that were not trained on; each process judges its share."""
    words, labels = make_reviews(VAL_SAMPLES, seed=cfg.seed + 1)
    rank, world_size = dist.get_dist_info()
    evaluator = Evaluator(metrics)
    model.eval()
    with torch.no_grad():
        preds = model(words[rank::world_size]).argmax(dim=1)
    pairs = zip(preds, labels[rank::world_size], strict=True)
    evaluator.process([{"pred_label": pred, "gt_label": label} for pred, label in pairs])
    model.train()
    return evaluator.evaluate(size=len(words))


def train(cfg: Config, work_dir: str, until: int | None = None) -> dict[str, float]:
    """Train, continuing with what is in the work directory.

    Args:
        cfg: Settings.
        work_dir: Folder, or address in any storage that eng-fileio knows.
        until: The epoch to stop after. Defaults to None: the last one.

    Returns:
        Metric values of the last validation.
    """
    job = Job(cfg)
    path = join_path(work_dir, "latest.pth")
    if exists(path):
        job.load(path)
        say(f"resumed from epoch {job.epoch}")
    model: nn.Module = job.model
    if dist.get_world_size() > 1:
        model = DistributedDataParallel(job.model)
    words, labels = make_reviews(cfg.samples, cfg.seed)
    metrics: dict[str, float] = {}
    while job.epoch < (until or cfg.epochs):
        job.epoch += 1
        loss = job.train_epoch(model, iterate(words, labels, cfg.batch_size, job.epoch))
        job.save(path)
        metrics = validate(model, cfg, cfg.evaluator)
        say(f"epoch {job.epoch}: loss {loss:.4f}, accuracy {metrics['accuracy']:.4f}")
    say(format_metrics(metrics))
    for sentence in ("the plot is not bad at all", "the music was great but it felt dull"):
        say(f"{sentence}: {('blame', 'praise')[int(job.model(encode(sentence)[None]).argmax())]}")
    return metrics


@dist.master_only
def say(text: str) -> None:
    """Print in the first process."""
    print(text)


def main() -> None:
    """Train as the command line says, in one process or in those of torchrun."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config")
    parser.add_argument("--work-dir", default="work_dirs/text_classifier")
    parser.add_argument("--until", type=int, help="the epoch to stop after")
    parser.add_argument("--cfg-options", nargs="+", action=DictAction, default={})
    parser.add_argument("--launcher", choices=["none", "pytorch", "slurm"], default="none")
    args = parser.parse_args()
    if args.launcher != "none":
        dist.init_dist(args.launcher, backend="gloo")
    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options)
    torch.set_num_threads(1)  # more only wait for each other with a network this small
    train(cfg, args.work_dir, args.until)


if __name__ == "__main__":
    main()
