"""Stage 2: the railway's own messages, without forgetting the rest of the language.

Each step learns from two batches. One of the intent pack: the vector must tell the intent and the tone through a linear layer each (thrown away
afterwards; the server learns its own), on texts with other stations and other spelling at every pass. One of the public pairs, as in stage 1: it keeps the
geometry that new intents and other domains rest on.
"""

from __future__ import annotations

import random
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from . import data, model
from .descent import Descent
from .distil import Views, distance, teacher_vectors
from .noise import Noise
from .pack import ANNOTATION, Example

EPOCHS = 8
BATCH = 64
GENERAL_BATCH = 96
LEARNING_RATE = 1.8e-4
HEAD_RATE = 1e-3
WARM_UP = 0.06
GENERAL_WEIGHT = 1.0
TONE_WEIGHT = 0.4
SMOOTHING = 0.1
SCALE = 16.0
NOISY_SHARE = 0.35
OTHER_PLACE_SHARE = 0.5
TONES = ["positive", "neutral", "negative"]


class Places:
    """Another station, time, train or line in the place of the annotated one: what varies must not tell the intent."""

    def __init__(self, examples: list[Example], rng: random.Random) -> None:
        self.rng = rng
        self.surfaces: dict[tuple[str, str], list[str]] = {}
        for example in examples:
            for surface, role in ANNOTATION.findall(example.annotated):
                self.surfaces.setdefault((kind(role), example.lang), []).append(surface)

    def text(self, example: Example) -> str:
        def other(found) -> str:
            known = self.surfaces.get((kind(found[2]), example.lang), [found[1]])
            return self.rng.choice(known) if self.rng.random() < OTHER_PLACE_SHARE else found[1]

        return ANNOTATION.sub(other, example.annotated)


def kind(role: str) -> str:
    return "station" if role in ("from", "to", "via", "at", "station") else role


class Heads(nn.Module):
    def __init__(self, width: int, intents: int) -> None:
        super().__init__()
        self.intent = nn.Linear(width, intents)
        self.tone = nn.Linear(width, len(TONES))


def train(
    start: Path, minilm: Path, examples: list[Example], pairs: list[data.Pair], noise: Noise, out: Path, seed: int = 2,
) -> None:  # fmt: skip
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rng = random.Random(seed)
    torch.manual_seed(seed)
    intents = {name: at for at, name in enumerate(sorted({example.intent for example in examples}))}
    steps = int(EPOCHS * len(examples) / BATCH)
    pairs = rng.sample(pairs, min(len(pairs), int(steps * GENERAL_BATCH)))
    english = list(dict.fromkeys(pair.en for pair in pairs))
    targets = {text: at for at, text in enumerate(english)}
    vectors = teacher_vectors(minilm, english, device)
    student = model.load(start, dropout=0.1).to(device).train()
    heads = Heads(student.config["hidden_size"], len(intents)).to(device)
    tok = data.tokenizer(start)
    groups = [{"params": list(student.parameters()), "lr": LEARNING_RATE}, {"params": list(heads.parameters()), "lr": HEAD_RATE}]
    descent = Descent("adapt", groups, steps, WARM_UP)
    general = general_batches(pairs, targets, noise, rng, tok)
    places = Places(examples, rng)
    while not descent.over:
        texts = [data.prepare(noise(t, e.lang) if rng.random() < NOISY_SHARE else t) for e in examples for t in [places.text(e)]]
        rows = [row.ids for row in tok.encode_batch(texts)]
        for part in data.bucketed([len(row) for row in rows], BATCH, rng):
            labels = torch.tensor([intents[examples[at].intent] for at in part], device=device)
            tones = torch.tensor([TONES.index(examples[at].tone) if examples[at].tone else -100 for at in part], device=device)
            general_rows, goal = next(general)
            with torch.autocast(device.type, torch.bfloat16):
                own = student(data.padded([rows[at] for at in part]).to(device))
                other = student(data.padded(general_rows).to(device))
            own = own.float()
            loss = F.cross_entropy(heads.intent(own) * SCALE, labels, label_smoothing=SMOOTHING)
            if (tones >= 0).any():
                loss = loss + TONE_WEIGHT * F.cross_entropy(heads.tone(own) * SCALE, tones, ignore_index=-100)
            goal = goal.to(device)
            loss = loss + GENERAL_WEIGHT * distance(other.float(), vectors[goal.cpu()].float().to(device), goal[:, None] == goal[None, :])
            descent.step(loss)
            if descent.over:
                break
    model.save(student, out, half=False)


def general_batches(pairs, targets, noise, rng, tok):
    """Batches of the public pairs without end."""
    while True:
        views = Views(pairs, targets, noise, rng)
        rows = [row.ids for row in tok.encode_batch(views.texts)]
        for part in data.bucketed([len(row) for row in rows], GENERAL_BATCH, rng):
            yield [rows[at] for at in part], torch.tensor([views.targets[at] for at in part])
