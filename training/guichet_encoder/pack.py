"""The intent pack as the server reads it, and the part of it that the encoder never sees."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

ANNOTATION = re.compile(r"\[([^\]]*)\]\(([a-z]+)\)")
TONES = {"(+) ": "positive", "(=) ": "neutral", "(-) ": "negative"}


@dataclass(frozen=True)
class Example:
    text: str
    lang: str
    intent: str
    tone: str | None
    annotated: str


def read(folder: Path) -> list[Example]:
    examples = []
    for path in sorted(folder.glob("*.yaml")):
        content = yaml.safe_load(path.read_text())
        if "intents" not in content:
            continue
        for name, spec in content["intents"].items():
            intent = name if name == content["domain"] == "out_of_scope" else f"{content['domain']}.{name}"
            for lang, block in spec["examples"].items():
                examples += [example(line.strip()[2:].strip(), lang, intent) for line in block.splitlines() if line.strip().startswith("- ")]
    return examples


def example(line: str, lang: str, intent: str) -> Example:
    tone = TONES.get(line[:4])
    annotated = line[4:] if tone else line
    return Example(ANNOTATION.sub(r"\1", annotated), lang, intent, tone, annotated)


def set_aside(text: str) -> bool:
    """One example in eight, by the hash of its text: never shown to the encoder, so that the server can calibrate its confidence on messages whose vectors
    were not fitted to their intents (`src/nlu/training.rs` has the same rule)."""
    return hashlib.sha256(text.encode()).digest()[0] % 8 == 0


def test_set(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
