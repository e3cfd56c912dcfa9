"""How soon commands answer, and training begins: seconds on the clock, in processes of their own.

``eng train`` is held against a script that does the same with torch alone: the seconds until the
first batch reaches the model. Both take turns.
"""

import itertools
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from measure import report, run_all, take_turns

ROUNDS = 7
ENG = Path(sys.executable).with_name("eng")
#: Commands that answer without torch.
QUICK = {
    "eng --help": ["--help"],
    "eng --version": ["--version"],
    "eng config": ["config", "plain.py"],
}

#: What both programs train; each ends when the first batch arrives.
PARTS = """
import os
from torch import nn, ones
from torch.utils.data import Dataset

class Data(Dataset):
    def __len__(self):
        return 16

    def __getitem__(self, index):
        return ones(4), ones(1)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, *batch, **kwargs):
        os._exit(0)
"""
BARE = """
import torch
from torch.utils.data import DataLoader
from parts import Data, Net

net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for batch in DataLoader(Data(), 4, shuffle=True):
    net(*batch)
"""
REGISTERED = """
from eng.model import BaseModel
from eng.registry import DATASETS, MODELS
from parts import Data, Net

DATASETS.register_module(module=Data)

@MODELS.register_module(name="Net")
class EngNet(Net, BaseModel):
    pass
"""
CONFIG = """
custom_imports = dict(imports=["registered"])
model = dict(type="Net")
train_dataloader = dict(
    batch_size=4,
    dataset=dict(type="Data"),
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="default_collate"),
)
train_cfg = dict(by_epoch=True, max_epochs=1)
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1))
"""


def run(*command, folder):
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def start():
    files = {"parts": PARTS, "bare": BARE, "registered": REGISTERED, "config": CONFIG}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for stem, text in files.items():
            (folder / f"{stem}.py").write_text(text)
        (folder / "plain.py").write_text("lr = 0.1\nmodel = dict(type='Net')\n")
        calls = {what: partial(run, ENG, *words, folder=folder) for what, words in QUICK.items()}
        calls["bare"] = partial(run, sys.executable, "bare.py", folder=folder)
        number = itertools.count()
        calls["eng train"] = lambda: run(
            ENG, "train", "config.py", "--work-dir", f"runs/{next(number)}", folder=folder
        )
        for call in calls.values():  # compiles the modules
            call()
        took = {what: median(times) for what, times in take_turns(calls, ROUNDS).items()}
    kept = [report(what, took[what], 0.15, " s") for what in QUICK]
    more = took["eng train"] - took["bare"]
    what = "eng train to the first iteration, over a bare script"
    kept.append(report(what, more, 0.35, " s", f"bare {took['bare']:.3g} s"))
    return all(kept)


if __name__ == "__main__":
    run_all(start)
