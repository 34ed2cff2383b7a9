"""Stage 1: French, and both languages as people really type them, onto MiniLM's vectors of the clean English.

Teacher: MiniLM, frozen, on the English sentence. Student: MiniLM on the new vocabulary, on the French sentence, on its noisy reading, and on the
noisy and clean English. Loss: squared distance to the teacher's vector (Reimers and Gurevych 2020, https://arxiv.org/abs/2004.09813) and, with less
weight, in-batch contrast against the teacher's other vectors, rows with the same English sentence left out.
"""

from __future__ import annotations

import random
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from . import data, model
from .descent import Descent
from .noise import Noise

BATCH = 128
LEARNING_RATE = 4e-4
WARM_UP = 0.04
CONTRAST = 0.15
TEMPERATURE = 0.05
EPOCHS = 4.0
# The second stage goes on from here, at the learning rate that this one has come down to, with these pairs and the pack together.
STOP_AFTER = 4000
ENGLISH_SHARE = 0.4
NOISY_SHARE = 0.6


def teacher_vectors(minilm: Path, texts: list[str], device: torch.device) -> Tensor:
    teacher = model.load(minilm).to(device).eval()
    tok = data.tokenizer(minilm)
    return data.embed(teacher, tok, texts, size=256).half()


class Views:
    """One epoch's readings of the pairs: what the student sees, and which English sentence it must land on."""

    def __init__(self, pairs: list[data.Pair], targets: dict[str, int], noise: Noise, rng: random.Random) -> None:
        self.texts: list[str] = []
        self.targets: list[int] = []
        for pair in pairs:
            self.add(pair.fr, "fr", targets[pair.en], noise, rng)
            if rng.random() < ENGLISH_SHARE:
                self.add(pair.en, "en", targets[pair.en], noise, rng)

    def add(self, text: str, lang: str, target: int, noise: Noise, rng: random.Random) -> None:
        self.texts.append(data.prepare(noise(text, lang) if rng.random() < NOISY_SHARE else text))
        self.targets.append(target)


def distance(student: Tensor, target: Tensor, same: Tensor) -> Tensor:
    """Mean squared distance, and cross-entropy of each row's own target among those of the batch."""
    near = (student - target).pow(2).sum(-1).mean()
    scores = student @ target.T / TEMPERATURE
    scores = scores.masked_fill(same & ~torch.eye(len(same), dtype=torch.bool, device=same.device), -1e4)
    return near + CONTRAST * F.cross_entropy(scores, torch.arange(len(same), device=same.device))


def train(start: Path, minilm: Path, pairs: list[data.Pair], noise: Noise, out: Path, seed: int = 1) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rng = random.Random(seed)
    torch.manual_seed(seed)
    english = list(dict.fromkeys(pair.en for pair in pairs))
    targets = {text: at for at, text in enumerate(english)}
    vectors = teacher_vectors(minilm, english, device)
    student = model.load(start, dropout=0.05).to(device).train()
    tok = data.tokenizer(start)
    steps = int(EPOCHS * len(pairs) * (1 + ENGLISH_SHARE) / BATCH)
    descent = Descent("distil", [{"params": list(student.parameters()), "lr": LEARNING_RATE}], steps, WARM_UP, STOP_AFTER)
    while not descent.over:
        views = Views(pairs, targets, noise, rng)
        rows = [row.ids for row in tok.encode_batch(views.texts)]
        for part in data.bucketed([len(row) for row in rows], BATCH, rng):
            goal = torch.tensor([views.targets[at] for at in part])
            target = vectors[goal].float().to(device)
            goal = goal.to(device)
            with torch.autocast(device.type, torch.bfloat16):
                student_vectors = student(data.padded([rows[at] for at in part]).to(device))
            descent.step(distance(student_vectors.float(), target, goal[:, None] == goal[None, :]))
            if descent.over:
                break
    model.save(student, out, half=False)
