"""Texts as batches of token ids, and as vectors."""

from __future__ import annotations

import random
import re
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from .pairs import Pair, pairs  # noqa: F401  (data, to whoever trains)

MAX_TOKENS = 64
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")
SYMBOL = re.compile("[\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
ELONGATED = re.compile(r"([^\W\d_])\1{2,}")


def prepare(text: str) -> str:
    """What the server does to a text before it encodes it (`src/nlu/encoder/prepare.rs`): nothing invisible, emoji apart from words, "siiii" as "si"."""
    text = INVISIBLE.sub("", text).replace("’", "'").replace("`", "'")
    text = ELONGATED.sub(r"\1", text)
    return " ".join(SYMBOL.sub(lambda found: f" {found[0]} ", text).split())


def tokenizer(folder: Path) -> Tokenizer:
    loaded = Tokenizer.from_file(str(folder / "tokenizer.json"))
    loaded.enable_truncation(MAX_TOKENS)
    loaded.no_padding()
    return loaded


def padded(rows: list[list[int]]) -> Tensor:
    length = max(map(len, rows))
    return torch.tensor([row + [0] * (length - len(row)) for row in rows])


def bucketed(lengths: list[int], size: int, rng: random.Random) -> list[list[int]]:
    """Positions in batches of like lengths, in random order: little padding."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    chunk = size * 50
    batches = []
    for start in range(0, len(order), chunk):
        part = sorted(order[start : start + chunk], key=lambda at: lengths[at])
        batches += [part[at : at + size] for at in range(0, len(part), size)]
    rng.shuffle(batches)
    return batches


@torch.no_grad()
def embed(encoder, tok: Tokenizer, texts: list[str], size: int = 128) -> Tensor:
    """One vector a text, in order."""
    device = next(encoder.parameters()).device
    was_training = encoder.training
    encoder.eval()
    ids = [row.ids for row in tok.encode_batch([prepare(text) for text in texts])]
    out = torch.zeros(len(texts), encoder.config["hidden_size"])
    order = sorted(range(len(texts)), key=lambda at: len(ids[at]))
    for start in range(0, len(order), size):
        part = order[start : start + size]
        with torch.autocast(device.type, torch.bfloat16):
            vectors = encoder(padded([ids[at] for at in part]).to(device))
        out[part] = vectors.float().cpu()
    encoder.train(was_training)
    return out
