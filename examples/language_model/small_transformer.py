"""A small causal transformer over bytes, and the text that it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from eng.model import BaseModel
from eng.registry import DATASETS, MODELS
from eng.structures import BaseDataElement

TEXT = Path(__file__).resolve().parents[2] / "LICENSE"
VOCABULARY = 128  # ASCII


def encode(text: str) -> Tensor:
    """Numbers of the bytes of a text, of shape (length,)."""
    return torch.tensor(list(text.encode("ascii", "replace")))


@DATASETS.register_module()
class TextWindows(Dataset[dict[str, Tensor]]):
    """Pieces of the licence of this project: the first nine tenths for training.

    Args:
        split: ``'train'`` or ``'val'``.
        length: Bytes of a piece; pieces overlap by half in training.
    """

    def __init__(self, split: str, length: int) -> None:
        text = encode(" ".join(TEXT.read_text(encoding="utf-8").split()))
        border = len(text) * 9 // 10
        part, step = (text[border:], length) if split == "val" else (text[:border], length // 2)
        self.windows = part.unfold(0, length + 1, step)

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"inputs": self.windows[index, :-1], "data_samples": self.windows[index, 1:]}


@MODELS.register_module()
class DecoderBlock(nn.Module):
    """Attention to what came before, then a network for each place."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, states: Tensor) -> Tensor:
        """Return new states, of the same shape (N, length, width)."""
        qkv = self.qkv(self.norm1(states)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind()
        read = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        states = states + self.out(read.transpose(1, 2).flatten(2))
        added: Tensor = self.mlp(self.norm2(states))
        return states + added


@MODELS.register_module()
class SmallTransformer(BaseModel):
    """Scores the next byte at each place.

    Args:
        width: Numbers of a state.
        depth: Number of blocks.
        heads: Attention heads of a block.
        length: The most bytes that it reads.
    """

    def __init__(self, width: int, depth: int, heads: int, length: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, width)
        self.places = nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.Sequential(*(DecoderBlock(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, VOCABULARY)

    def tensor_plan(self) -> dict[str, str]:
        """Say how layers are split: each process has some of the inner features of a block."""
        return {"blocks.*.mlp.0": "columns", "blocks.*.mlp.2": "rows"}

    def forward(
        self, inputs: Tensor, data_samples: Tensor | None = None, mode: str = "tensor"
    ) -> Any:
        """Read pieces of text.

        Args:
            inputs: Bytes of shape (N, length).
            data_samples: The byte after each of them. Defaults to None: they are not known.
            mode: ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            The loss; data elements for :class:`eng.evaluator.Perplexity`; or logits of shape
            (N, length, 128).
        """
        states = self.tokens(inputs) + self.places[: inputs.shape[1]]
        logits = self.head(self.norm(self.blocks(states)))
        if mode == "tensor" or data_samples is None:
            return logits
        if mode == "loss":
            return {"loss": F.cross_entropy(logits.flatten(0, 1), data_samples.flatten())}
        pairs = zip(logits, data_samples, strict=True)
        return [BaseDataElement(logits=scores, labels=labels) for scores, labels in pairs]
