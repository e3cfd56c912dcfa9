"""Sentences about films and whether they praise them, written by a small grammar."""

from __future__ import annotations

import random

import torch
from torch import Tensor

SUBJECTS = ["the film", "this story", "the plot", "the cast", "every scene", "the music", "it"]
GOOD = ["good", "great", "clever", "moving", "brilliant", "funny"]
BAD = ["bad", "dull", "boring", "awful", "silly", "tedious"]
VERBS = ["is", "was", "seems", "felt"]
ENDS = ["", "at all", "to me", "in the end", "from start to end"]
JOINTS = ["and", "but"]
LENGTH = 24  # words of a row; shorter sentences are filled with 0

WORDS = sorted({word for phrases in (SUBJECTS, GOOD, BAD, VERBS, ENDS, JOINTS, ["not"])
                for phrase in phrases for word in phrase.split()})  # fmt: skip
NUMBERS = {word: number for number, word in enumerate(WORDS, start=1)}


def write_review(rng: random.Random) -> tuple[str, int]:
    """A sentence and its label: 1 for praise, 0 for blame.

    After "but" comes the opposite, and the last judgement is the one that counts. "Not" turns it.
    """
    label = rng.randrange(2)
    parts = [_clause(rng, label)]
    if rng.random() < 0.5:
        joint = rng.choice(JOINTS)
        label = 1 - label if joint == "but" else label
        parts += [joint, _clause(rng, label)]
    return " ".join(parts), label


def _clause(rng: random.Random, label: int) -> str:
    turned = rng.random() < 0.4
    word = rng.choice(GOOD if label != turned else BAD)
    words = [rng.choice(SUBJECTS), rng.choice(VERBS), "not" if turned else "", word]
    return " ".join([*filter(None, words), rng.choice(ENDS)]).strip()


def encode(sentence: str) -> Tensor:
    """Numbers of the words of a sentence, of shape (24,); 0 is a word that is not known."""
    numbers = [NUMBERS.get(word, 0) for word in sentence.lower().split()][:LENGTH]
    return torch.tensor(numbers + [0] * (LENGTH - len(numbers)))


def make_reviews(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Sentences in numbers, of shape (count, 24), and labels."""
    rng = random.Random(seed)
    pairs = [write_review(rng) for _ in range(count)]
    sentences, labels = zip(*pairs, strict=True)
    return torch.stack([encode(sentence) for sentence in sentences]), torch.tensor(labels)
