"""The figures of README.md: each encoder frozen, one logistic regression on top, the same for all."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from . import data, model
from .noise import Noise
from .pack import Example

SHOTS = (5, 10, 25, 50)
REPEATS = 3


class Frozen:
    """An encoder folder that remembers what it embedded."""

    def __init__(self, folder: Path) -> None:
        self.encoder = model.load(folder).eval()
        self.tok = data.tokenizer(folder)
        self.known: dict[str, np.ndarray] = {}

    def __call__(self, texts: list[str]) -> np.ndarray:
        new = list(dict.fromkeys(text for text in texts if text not in self.known))
        if new:
            self.known.update(zip(new, data.embed(self.encoder, self.tok, new).numpy()))
        return np.stack([self.known[text] for text in texts])


def classify(encoder: Frozen, train: list[tuple[str, str]], test: list[tuple[str, str]], strength: float = 20.0) -> np.ndarray:
    """For each test text: is the most probable label right?"""
    learner = LogisticRegression(C=strength, max_iter=400)
    learner.fit(encoder([text for text, _ in train]), [label for _, label in train])
    return learner.predict(encoder([text for text, _ in test])) == np.array([label for _, label in test])


def retrieval(encoder: Frozen, queries: list[str], targets: list[str]) -> float:
    """Share of queries whose own target is the nearest of all."""
    nearest = (encoder(queries) @ encoder(targets).T).argmax(1)
    return float((nearest == np.arange(len(queries))).mean())


def few_shot(encoder: Frozen, pack: list[Example], test: list[dict], shots: int | None) -> dict[str, float]:
    """Accuracy by language on the test set, learned from `shots` examples per intent and language; mean of three draws."""
    scores = defaultdict(list)
    for repeat in range(REPEATS if shots else 1):
        rng = random.Random(repeat)
        groups = defaultdict(list)
        for example in pack:
            groups[example.intent, example.lang].append((example.text, example.intent))
        train = [pair for group in groups.values() for pair in (rng.sample(group, min(shots, len(group))) if shots else group)]
        right = classify(encoder, train, [(case["text"], case["intent"]) for case in test])
        for lang in ("fr", "en"):
            scores[lang].append(right[[case["lang"] == lang for case in test]].mean())
    return {lang: float(np.mean(values)) for lang, values in scores.items()}


def new_intents(encoder: Frozen, pack: list[Example], test: list[dict], unseen: list[str], shots: int = 10) -> float:
    """Accuracy among intents that the encoder was not adapted to, learned from a few examples each (the manager's case)."""
    scores = []
    for repeat in range(REPEATS):
        rng = random.Random(repeat)
        train = []
        for intent in unseen:
            for lang in ("fr", "en"):
                known = [(e.text, e.intent) for e in pack if e.intent == intent and e.lang == lang]
                train += rng.sample(known, min(shots, len(known)))
        cases = [(case["text"], case["intent"]) for case in test if case["intent"] in unseen]
        scores.append(classify(encoder, train, cases).mean())
    return float(np.mean(scores))


def benchmark(encoder: Frozen, folder: Path, train: str) -> float:
    read = lambda name: [(d["text"], d["intent"]) for d in map(json.loads, (folder / name).read_text().splitlines())]
    return float(classify(encoder, read(train), read("test.jsonl")).mean())


def noisy(encoder: Frozen, held: list[data.Pair], noise: Noise) -> float:
    """Noisy reading → its clean sentence among 1,000, half of them French."""
    clean = [pair.fr for pair in held[:500]] + [pair.en for pair in held[500:1000]]
    typed = [noise(pair.fr, "fr") for pair in held[:500]] + [noise(pair.en, "en") for pair in held[500:1000]]
    return retrieval(encoder, typed, clean)


def noisy_by_hand(encoder: Frozen, path: Path) -> float:
    """The same on 1,000 pairs that people wrote."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return retrieval(encoder, [row["noisy"] for row in rows], [row["clean"] for row in rows])
