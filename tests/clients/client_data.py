"""Generated data in the files that datasets of mmseg and mmpretrain read.

usage: python client_data.py drive|mnist|cifar FOLDER       runs in the clients' environment
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import cv2
import numpy as np


def write_drive(folder: Path, train: int = 8, validation: int = 3, size: int = 96) -> None:
    """Pictures with a bright disc each, and masks of the discs."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:size, :size]
    for part, count in (("training", train), ("validation", validation)):
        for kind in ("images", "annotations"):
            (folder / kind / part).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            x, y = rng.integers(size // 4, 3 * size // 4, 2)
            disc = (rows - y) ** 2 + (columns - x) ** 2 < (size // 5) ** 2
            picture = rng.integers(0, 60, (size, size, 3)) + 150 * disc[..., None]
            cv2.imwrite(str(folder / "images" / part / f"{number}.png"), picture.astype(np.uint8))
            mask = folder / "annotations" / part / f"{number}_manual1.png"
            cv2.imwrite(str(mask), disc.astype(np.uint8))


def write_mnist(folder: Path, train: int = 512, test: int = 128) -> None:
    """IDX files with ten kinds of pictures: a bright bar at a place of its own, in noise."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", train), ("t10k", test)):
        labels = rng.integers(0, 10, count).astype(np.uint8)
        pictures = rng.integers(0, 40, (count, 28, 28)).astype(np.uint8)
        for picture, label in zip(pictures, labels, strict=True):
            picture[4 + 2 * label : 6 + 2 * label, 4:24] += 200
        header = np.array([0x803, count, 28, 28], dtype=">i4").tobytes()
        (folder / f"{name}-images-idx3-ubyte").write_bytes(header + pictures.tobytes())
        header = np.array([0x801, count], dtype=">i4").tobytes()
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())


def write_cifar(folder: Path, batch: int = 32) -> None:
    """Pickles with ten kinds of pictures, each of a colour of its own, in noise."""
    rng = np.random.default_rng(0)
    inside = folder / "cifar-10-batches-py"
    inside.mkdir(parents=True, exist_ok=True)
    colours = rng.integers(0, 200, (10, 3))
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        labels = rng.integers(0, 10, batch)
        noise = rng.integers(0, 55, (batch, 3, 32 * 32))
        data = (colours[labels][..., None] + noise).astype(np.uint8).reshape(batch, -1)
        entry = {"data": data, "labels": labels.tolist()}
        (inside / name).write_bytes(pickle.dumps(entry))
    names = [f"colour {number}" for number in range(10)]
    (inside / "batches.meta").write_bytes(pickle.dumps({"label_names": names}))


if __name__ == "__main__":
    kind, folder = sys.argv[1:]
    {"drive": write_drive, "mnist": write_mnist, "cifar": write_cifar}[kind](Path(folder))
