"""Continue a text with a trained model.

python examples/language_model/write.py CONFIG CHECKPOINT "You may "
"""

from __future__ import annotations

import sys

import torch
from small_transformer import SmallTransformer, encode

from eng.checkpoint import load_checkpoint
from eng.config import Config
from eng.registry import MODELS


def write(model: SmallTransformer, begin: str, count: int) -> str:
    """Append the likeliest byte again and again.

    Args:
        model: A trained model.
        begin: The text to continue.
        count: Bytes to append.

    Returns:
        The whole text.
    """
    text = encode(begin)
    with torch.no_grad():
        for _ in range(count):
            logits = model(text[None, -len(model.places) :])[0, -1]
            text = torch.cat([text, logits.argmax()[None]])
    return bytes(text.tolist()).decode()


def main(config: str, checkpoint: str, begin: str) -> None:
    """Print a text that a model of a run has continued."""
    model = MODELS.build(Config.fromfile(config).model)
    load_checkpoint(model, checkpoint, strict=True)
    print(write(model.eval(), begin, count=120))


if __name__ == "__main__":
    main(*sys.argv[1:])
