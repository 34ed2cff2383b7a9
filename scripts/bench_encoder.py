#!/usr/bin/env python3
"""How good the vectors of the encoder that Guichet ships are, beside those of all-MiniLM-L6-v2, from which it was made.

Both are had through the product, vectors from `guichet embed` and times from `guichet eval`: the figures are of what
answers customers, not of the program that trained. What follows from the vectors is computed by this very script under
the Python of .local/bench-venv.

An encoder or a file that is absent is named, and its figures are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench_support import (
    DATA, FORMER_ENCODER, PEER_PYTHON, PROGRAM, BenchError, aligned, complaint, measured, run_guichet, unready,
)
from setup_support import ROOT

if TYPE_CHECKING:
    from numpy import ndarray

# Folder, and what brings it.
ENCODERS = {ROOT / "models" / "guichet-fr-en": "training/README.md", FORMER_ENCODER: "python3 scripts/setup.py model"}
TRAINING = ROOT / "training"
UNDERSTANDING = ROOT / "tests" / "understanding"
LANGS = ("fr", "en")
# As in training/guichet_encoder/evaluate.py, so that its figures and these can be compared.
SHOTS = (5, 10, 25, 50, None)
REPEATS = 3
INVERSE_REGULARISATION = 20.0
# Learned from before messages are timed: little, as learning is not what is timed, and of one intent, as Guichet reads the
# sentences of a message one by one when it doubts what the whole is about.
LITTLE = ("bonjour", "merci beaucoup", "à quelle heure part le train", "hello", "thank you", "when does the train leave")

LEGEND = """\
nearest: share of texts whose own counterpart is the nearest of all. The shipped encoder was trained on none of these
  pairs, but on others from where the translations come from.
few examples: a logistic regression (C = 20) on the vectors, learned from so many examples of each intent and language of
  intents/ (mean of three draws; or all of them): share of the messages of held_out.jsonl whose intent is right. The
  shipped encoder was adapted on seven eighths of these examples, the other on none; the messages are new to both.
reading: the messages of held_out.jsonl one after the other, the encoder on one thread; with entities, language and tone.
  memory: the peak of that process, which has learned six examples."""

Figures = dict[str, float]


class Missing(Exception):
    """A file that is no part of this repository, and is not there."""


# ── texts ───────────────────────────────────────────────────────────────────


def translations() -> Iterator[dict]:
    """French, English, French … of the pairs that training holds out."""
    path = DATA / "parallel" / "fr-en.tsv.gz"
    if not path.exists():
        raise Missing(f"../{path.relative_to(ROOT.parent)} is absent")
    sys.path.append(str(TRAINING))
    from guichet_encoder.pairs import pairs

    for pair in pairs(path)[1]:
        yield from ({"text": pair.fr}, {"text": pair.en})


def noisy() -> Iterator[dict]:
    """Noisy, clean, noisy … of the pairs that people wrote."""
    for row in read(UNDERSTANDING / "noisy.jsonl"):
        yield from ({"text": row[which], "lang": row["lang"]} for which in ("noisy", "clean"))


def messages() -> Iterator[dict]:
    yield from read(UNDERSTANDING / "held_out.jsonl")


def examples() -> Iterator[dict]:
    """The examples of the intent files, in their order. They are told by their indentation: Python comes with no YAML, and
    all but the examples is of no use here."""
    for path in sorted((ROOT / "intents").glob("*.yaml")):
        text = path.read_text()
        domain = re.search(r"^domain: (\w+)", text, re.MULTILINE)
        intent = lang = ""
        for line in text.splitlines() if domain else ():
            said = line.strip()
            if lang and said.startswith("- "):
                # Without the mark of its tone and the roles of its entities.
                said = re.sub(r"\[([^\]]*)\]\([a-z]+\)", r"\1", re.sub(r"^\([+=-]\) ", "", said[2:].strip()))
                yield {"text": said, "lang": lang, "intent": intent}
            elif key := re.match(r"( *)(\w+):", line):
                lang = key[2] if len(key[1]) == 6 and line.endswith("|") else ""
                if len(key[1]) == 2:
                    intent = key[2] if key[2] == domain[1] else f"{domain[1]}.{key[2]}"


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def write(path: Path, lines: list[dict]) -> None:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


# ── measuring ───────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Measure:
    """A group of figures."""

    name: str
    title: str
    among: str
    texts: tuple[Callable[[], Iterator[dict]], ...]
    # How each figure is called, and how it is written.
    figures: dict[str, tuple[str, str]]


READING = Measure("reading", "reading", "{n:,} messages", (messages,), {
    "p50_ms": ("p50", "{:.1f} ms"), "p99_ms": ("p99", "{:.1f} ms"), "memory_mib": ("memory", "{:.0f} MiB"),
})
MEASURES = (
    Measure("translation", "translation", "nearest of {n:,}", (translations,), {
        "fr_en": ("fr → en", "{:.1%}"), "en_fr": ("en → fr", "{:.1%}"),
    }),
    Measure("noisy", "noisy → clean", "nearest of {n:,}", (noisy,), {
        name: (name, "{:.1%}") for name in ("all", *LANGS)
    }),
    Measure("few_shot", "few examples", "{n:,} messages", (examples, messages), {
        f"{shots or 'all'}_{lang}": (f"{shots or 'all'}, {lang}", "{:.1%}") for shots in SHOTS for lang in LANGS
    }),
    READING,
)  # fmt: skip


@contextmanager
def told(what: str) -> Iterator[None]:
    """A line on standard error: what is done, and how long it took."""
    print(f"{what} … ", end="", file=sys.stderr, flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", file=sys.stderr)
        raise
    print(f"{time.monotonic() - started:.1f} s", file=sys.stderr)


class Bench:
    """The runs with one program; its folder holds what they read and write."""

    def __init__(self, guichet: Path, folder: Path) -> None:
        self.guichet, self.folder = guichet, folder

    def prepare(self, measure: Measure) -> None:
        """Writes the texts of a measure, those that are not there yet."""
        for source in measure.texts:
            path = self.folder / f"{source.__name__}.jsonl"
            if not path.exists():
                with told(source.__name__):
                    write(path, list(source()))

    def figures(self, encoder: Path, measure: Measure) -> Figures:
        # A folder of its own: the vectors of 20,000 texts are 200 MB.
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            run = self.reading if measure is READING else self.computed
            environment = {"GUICHET__NLU__ENCODER": str(encoder.relative_to(ROOT))}
            return run(encoder, measure, Path(name) / "figures.json", environment)

    def computed(self, encoder: Path, measure: Measure, output: Path, environment: dict[str, str]) -> Figures:
        texts = [self.folder / f"{source.__name__}.jsonl" for source in measure.texts]
        vectors = [output.with_name(path.name) for path in texts]
        for path, to in zip(texts, vectors):
            with told(f"{encoder.name}: vectors of the {path.stem}"):
                run_guichet(self.guichet, ["embed", str(path)], to, environment)
        with told(f"{encoder.name}: {measure.title}"):
            measured([str(PEER_PYTHON), __file__, "--compute", measure.name, *map(str, texts + vectors)], output, {})
        return json.loads(output.read_text())

    def reading(self, encoder: Path, measure: Measure, output: Path, environment: dict[str, str]) -> Figures:
        train, test = output.with_name("little.jsonl"), self.folder / f"{measure.texts[0].__name__}.jsonl"
        write(train, [{"text": text, "intent": "any"} for text in LITTLE])
        with told(f"{encoder.name}: reading"):
            command = ["eval", "--train", str(train), "--test", str(test), "--json"]
            usage = run_guichet(self.guichet, command, output, environment)
            got = json.loads(output.read_text())
            if got["model"] != "encoder":
                raise BenchError(f"it read with the model {got['model']}{complaint(output)}")
        latency = {f"{name}_ms": got["latency_us"][name] / 1000 for name in ("p50", "p99")}
        return {"n": got["n"], **latency, "memory_mib": usage.memory_mib}


def measure_all(guichet: Path, encoders: list[Path], absent: list[str], failed: list[str]) -> dict[str, dict[str, Figures]]:
    """By encoder and measure. What is absent and what fails is told and left out."""
    figures: dict[str, dict[str, Figures]] = {encoder.name: {} for encoder in encoders}
    with tempfile.TemporaryDirectory(prefix="guichet-bench-") as folder:
        bench = Bench(guichet, Path(folder))
        # Memory first, before the many texts are held here: a child's peak starts at ours.
        for measure in sorted(MEASURES, key=lambda measure: measure is not READING):
            try:
                bench.prepare(measure)
            except Missing as error:
                absent.append(f"{measure.title}: {error}")
                continue
            for encoder in encoders:
                try:
                    figures[encoder.name][measure.name] = bench.figures(encoder, measure)
                except (BenchError, OSError, ValueError, KeyError) as error:
                    failed.append(f"{encoder.name}, {measure.title}: {error}")
    return figures


# ── computing, in a process that has scikit-learn ───────────────────────────


def compute(name: str, *files: str) -> Figures:
    """The figures of a measure; the files are those of its texts, then those of their vectors."""
    import numpy

    half = len(files) // 2
    texts, vectors = [read(Path(file)) for file in files[:half]], []
    for file, rows in zip(files[half:], texts):
        with open(file) as lines:
            vectors.append(numpy.array([numpy.array(json.loads(line), dtype=numpy.float32) for line in lines]))
        if len(vectors[-1]) != len(rows):
            raise BenchError(f"{len(vectors[-1])} vectors of {len(rows)} texts")
    if name == "few_shot":
        return few_shot(*texts, *vectors)
    left, right = vectors[0][::2], vectors[0][1::2]
    if name == "translation":
        return {"n": len(left), "fr_en": share(nearest(left, right)), "en_fr": share(nearest(right, left))}
    found, langs = nearest(left, right), numpy.array([row["lang"] for row in texts[0][::2]])
    return {"n": len(left), "all": share(found), **{lang: share(found[langs == lang]) for lang in LANGS}}


def nearest(queries: ndarray, targets: ndarray) -> ndarray:
    """For each query, whether its own target is the nearest of all; the vectors are of length one."""
    return (queries @ targets.T).argmax(axis=1) == range(len(queries))


def share(right: ndarray) -> float:
    return float(right.mean())


def few_shot(pack: list[dict], asked: list[dict], pack_vectors: ndarray, asked_vectors: ndarray) -> Figures:
    """Accuracy by language, learned from so many examples of each intent and language."""
    import numpy
    from sklearn.linear_model import LogisticRegression

    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, example in enumerate(pack):
        groups[example["intent"], example["lang"]].append(at)
    intents = numpy.array([example["intent"] for example in pack])
    expected, langs = (numpy.array([message[key] for message in asked]) for key in ("intent", "lang"))
    figures: Figures = {"n": len(asked)}
    for shots in SHOTS:
        scores = defaultdict(list)
        for repeat in range(REPEATS if shots else 1):
            draw = random.Random(repeat)
            drawn = [at for group in groups.values()
                     for at in (draw.sample(group, min(shots, len(group))) if shots else group)]
            learner = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=400)
            learner.fit(pack_vectors[drawn], intents[drawn])
            right = learner.predict(asked_vectors) == expected
            for lang in LANGS:
                scores[lang].append(share(right[langs == lang]))
        figures |= {f"{shots or 'all'}_{lang}": float(numpy.mean(scores[lang])) for lang in LANGS}
    return figures


# ── telling ─────────────────────────────────────────────────────────────────


def table(figures: dict[str, dict[str, Figures]]) -> str:
    """A row for each figure, a column for each encoder."""
    rows = [["", *figures]]
    for measure in MEASURES:
        columns = [of.get(measure.name, {}) for of in figures.values()]
        if not any(columns):
            continue
        among = measure.among.format(n=next(column["n"] for column in columns if column))
        rows.append([f"{measure.title}, {among}", *("" for _ in columns)])
        for key, (label, form) in measure.figures.items():
            cells = [form.format(column[key]).replace("%", " %") if column else "" for column in columns]
            rows.append([f"  {label}", *cells])
    return aligned(rows)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench_encoder.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--guichet", type=Path, default=PROGRAM, help="the program to measure")
    parser.add_argument("--compute", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.compute:
        print(json.dumps(compute(*arguments.compute)))
        return 0

    present = [encoder for encoder in ENCODERS if (encoder / "modules.json").exists()]
    absent = [f"{encoder.relative_to(ROOT)} is absent or not whole; cure: {cure}"
              for encoder, cure in ENCODERS.items() if encoder not in present]
    failed: list[str] = []
    figures: dict[str, dict[str, Figures]] = {}
    if present:
        guichet = arguments.guichet.resolve()
        if code := unready(guichet):
            return code
        figures = measure_all(guichet, present, absent, failed)
    cores = len(os.sched_getaffinity(0))
    if arguments.json:
        print(json.dumps({"cores": cores, "encoders": figures, "not_run": absent + failed}, indent=2))
    elif any(figures.values()):
        print(f"\n{table(figures)}\n\n{cores} cores\n{LEGEND}")
    for what in absent + failed:
        print(f"not run: {what}", file=sys.stderr if arguments.json else sys.stdout)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
