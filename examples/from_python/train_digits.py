"""Train a network of torch on handwritten digits, from Python alone."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

from eng.evaluator import Accuracy
from eng.model import ModelWithLoss
from eng.runner import Runner

images, labels = map(torch.tensor, load_digits(return_X_y=True))
data = TensorDataset(images.float().reshape(-1, 1, 8, 8) / 16, labels)
train, val = random_split(data, [0.8, 0.2], torch.Generator().manual_seed(0))
net = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1152, 10))
runner = Runner(
    model=ModelWithLoss(net, nn.CrossEntropyLoss()),
    work_dir="runs/from_python",
    train_dataloader=DataLoader(train, batch_size=64, shuffle=True),
    optim_wrapper=torch.optim.AdamW(net.parameters(), lr=3e-3),
    train_cfg=dict(by_epoch=True, max_epochs=10),
    val_dataloader=DataLoader(val, batch_size=256),
    val_cfg=dict(loss=True),
    val_evaluator=Accuracy(),
    randomness=dict(seed=0),
)
runner.train()
print(runner.summary)
