"""The public sentence pairs, and those of them that training never sees. Standard library only: `scripts/bench_encoder.py` reads them too."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

HELD_OUT = 2000


@dataclass(frozen=True)
class Pair:
    en: str
    fr: str


def pairs(path: Path) -> tuple[list[Pair], list[Pair]]:
    """All pairs as (training, held out). Held out are 2,000 with distinct sentences on both sides, chosen by their hash; every pair that
    shares a sentence with one of them is left out of training."""
    every = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            en, fr, _ = line.rstrip("\n").split("\t")
            every.append(Pair(en, fr))
    held, english, french = [], set(), set()
    for pair in sorted(every, key=lambda pair: hashlib.sha256(f"{pair.en}\t{pair.fr}".encode()).digest()):
        if pair.en not in english and pair.fr not in french:
            held.append(pair)
            english.add(pair.en)
            french.add(pair.fr)
        if len(held) == HELD_OUT:
            break
    return [pair for pair in every if pair.en not in english and pair.fr not in french], held
