#!/usr/bin/env python3
"""How well and how fast Guichet understands, on public data sets, beside peers measured in the same run.

The peers are scikit-learn's logistic regression on words and letters (TF-IDF), and the same on the vectors of the encoder
that Guichet reads with. Everything measured is a process of its own, so that its time and its memory are its own; a peer
is this very script under the Python of .local/bench-venv. Guichet starts with an empty cache each time, because a model it
has learned before would cost nothing.

The data are not part of this repository; without them nothing is measured, and that is said.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from operator import itemgetter
from pathlib import Path

from bench_support import (
    DATA, FORMER_ENCODER, PEER_PYTHON, PROGRAM, BenchError, Usage, aligned, complaint, measured, run_guichet, unready,
)
from setup_support import ROOT

INTENTS = DATA / "intents"
DATA_SETS = {"banking77": "BANKING77", "clinc150": "CLINC150", "hwu64": "HWU64"}
OUT_OF_SCOPE = "out_of_scope"
# The files that are learned from, and those that are read.
TASKS = {
    "full": (("train",), ("test",)),
    "10-shot": (("train_10",), ("test",)),
    "out of scope": (("train", "oos_train"), ("test", "oos_test")),
}
GUICHET, ENCODER, NGRAMS = "Guichet", "Guichet, encoder", "Guichet, n-grams"
WORDS, VECTORS = "scikit-learn, words", "scikit-learn, vectors"

CPFT = "CPFT (Zhang et al., EMNLP 2021)"
PUBLISHED = {
    # Its model card: banking77-intent-classifier-champion.
    ("banking77", "full"): (0.931, "bge-small-en-v1.5 + LinearSVC"),
    ("banking77", "10-shot"): (0.872, CPFT),
    ("clinc150", "10-shot"): (0.942, CPFT),
    ("hwu64", "10-shot"): (0.871, CPFT),
}

# On validation sets the best, or within half a point of it, among 1 (scikit-learn's own), 10 and 100.
INVERSE_REGULARISATION = 10.0
LATENCY_SAMPLE = 500  # messages that a peer reads one by one
REJECTED = 0.05  # of the messages in scope, while those out of scope are caught; as in `guichet eval`

LEGEND = """\
accuracy: share of messages whose intent is right. Beside a peer: shares: Guichet's less the peer's, in points; learning,
  p50 and memory: Guichet's divided by the peer's, so that less than 1 is better.
AUROC: chance that a message in scope is thought more in scope than one out of scope. caught: out-of-scope messages
  rejected by the threshold that rejects 5 % of those in scope. A peer's score is its highest in-scope probability.
learning: Guichet: its whole run less p50 for each message, that is start, embedding the examples, and training.
  Peer: embedding the examples with `guichet embed` (once a file, counted wherever used), and training; not its start.
p50: one message, alone. Guichet also finds language, tone, stations and times in it. The vectors of a peer are made many
  at a time, so it has no such figure. messages/s: one after the other, from p50.
memory: the peak of the processes. published: by others, on the same tests but their own machines and means."""


@dataclass(frozen=True)
class Figures:
    """One system on one task; what was not measured is None."""

    system: str
    model: str
    accuracy: float
    auroc: float | None
    recall_at_5: float | None
    learning_s: float
    whole_run_s: float
    p50_us: float | None
    messages_s: float | None
    memory_mib: float


@dataclass
class Result:
    """All systems on one task."""

    data_set: str
    task: str
    examples: int
    messages: int
    systems: list[Figures] = field(default_factory=list)

    def peers_of(self, ours: Figures) -> list[Figures]:
        """Those that were given no more than this was; none for a peer."""
        names = {WORDS, ours.system.replace(ENCODER, VECTORS)} if ours.system.startswith(GUICHET) else set()
        return [figures for figures in self.systems if figures.system in names and figures is not ours]


def encoders() -> dict[str, dict[str, str]]:
    """What chooses each encoder: the configured one, and the former default when it is there."""
    former = {f" {FORMER_ENCODER.name}": {"GUICHET__NLU__ENCODER": str(FORMER_ENCODER.relative_to(ROOT))}}
    return {"": {}} | (former if FORMER_ENCODER.exists() else {})


# ── measuring ───────────────────────────────────────────────────────────────


class Bench:
    """The runs on one data set; its folder holds what they read and write."""

    def __init__(self, guichet: Path, data_set: str, folder: Path, max_train: int | None) -> None:
        self.guichet, self.data_set, self.folder, self.max_train = guichet, data_set, folder, max_train
        self.embedded: dict[tuple[str, str], Usage] = {}

    def runs(self, task: str) -> dict[str, Callable[[], Figures]]:
        """How the figures of each system are had."""
        runs = {ENCODER + name: partial(self.guichet_figures, ENCODER + name, task, "encoder", environment)
                for name, environment in encoders().items()}
        runs[NGRAMS] = partial(self.guichet_figures, NGRAMS, task, "ngram", {"GUICHET__NLU__ENCODER": ""})
        runs[WORDS] = partial(self.peer_figures, WORDS, task, None)
        return runs | {VECTORS + name: partial(self.peer_figures, VECTORS + name, task, name) for name in encoders()}

    def part(self, name: str) -> Path:
        """One file of the data set as the runs read it: under our name for out of scope, and no longer than asked."""
        path = self.folder / f"{name}.jsonl"
        if not path.exists():
            lines = [json.loads(line) for line in (INTENTS / self.data_set / path.name).read_text().strip().split("\n")]
            if self.max_train and "train" in name and len(lines) > self.max_train:
                # Spread over the whole file, which may be sorted by intent.
                lines = [lines[at * len(lines) // self.max_train] for at in range(self.max_train)]
            if name.startswith("oos_"):
                lines = [{**line, "intent": OUT_OF_SCOPE} for line in lines]
            path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        return path

    def joined(self, names: tuple[str, ...], prefix: str = "") -> Path:
        """Several files as one. By copying, never in memory: a child's peak would start at ours."""
        path = self.folder / f"joined-{prefix}{'-'.join(names)}.jsonl"
        with path.open("wb") as sink:
            for name in names:
                with self.part(name).with_name(f"{prefix}{name}.jsonl").open("rb") as source:
                    shutil.copyfileobj(source, sink)
        return path

    def guichet_figures(self, system: str, task: str, model: str, environment: dict[str, str]) -> Figures:
        train, test = map(self.joined, TASKS[task])
        output = self.folder / "eval.json"
        command = ["eval", "--train", str(train), "--test", str(test), "--json"]
        usage = run_guichet(self.guichet, command, output, environment)
        told = json.loads(output.read_text())
        if told["model"] != model:
            raise BenchError(f"it read with the model {told['model']}, not {model}{complaint(output)}")
        reading_s = told["n"] * told["latency_us"]["p50"] / 1e6
        return figures(system, task, told, usage.seconds - reading_s, [usage])

    def peer_figures(self, system: str, task: str, encoder: str | None) -> Figures:
        output = self.folder / "peer.json"
        train, test = TASKS[task]
        files, usages, embedding_s = [self.joined(train), self.joined(test)], [], 0.0
        if encoder is not None:
            usages = [self.embed(encoder, name) for name in (*train, *test)]
            embedding_s = sum(usage.seconds for usage in usages[: len(train)])
            files += [self.joined(names, f"vectors{encoder}-") for names in (train, test)]
        usages.append(measured([str(PEER_PYTHON), __file__, "--peer", *map(str, files)], output, {}))
        told = json.loads(output.read_text())
        return figures(system, task, told, embedding_s + told["learning_s"], usages)

    def embed(self, encoder: str, name: str) -> Usage:
        """Makes the encoder's vectors of one file, once."""
        if (encoder, name) not in self.embedded:
            output = self.folder / f"vectors{encoder}-{name}.jsonl"
            command = ["embed", str(self.part(name))]
            self.embedded[encoder, name] = run_guichet(self.guichet, command, output, encoders()[encoder])
        return self.embedded[encoder, name]


def figures(system: str, task: str, told: dict, learning_s: float, usages: list[Usage]) -> Figures:
    scoped = told["out_of_scope"] if task == "out of scope" else {}
    p50_us = told["latency_us"]["p50"]
    return Figures(system, told["model"], told["accuracy"], scoped.get("auroc"), scoped.get("recall_at_5"), learning_s,
                   sum(usage.seconds for usage in usages), p50_us, 1e6 / p50_us if p50_us else None,
                   max(usage.memory_mib for usage in usages))


def measure(guichet: Path, data_set: str, max_train: int | None, not_run: list[str]) -> list[Result]:
    """All systems on all tasks of a data set, a line each on standard error. What fails is told and left out."""
    results = []
    with tempfile.TemporaryDirectory(prefix="guichet-bench-") as folder:
        bench = Bench(guichet, data_set, Path(folder), max_train)
        for task in TASKS if data_set == "clinc150" else ("full", "10-shot"):
            result = Result(data_set, task, *(bench.joined(names).read_bytes().count(b"\n") for names in TASKS[task]))
            results.append(result)
            for system, run in bench.runs(task).items():
                label = f"{DATA_SETS[data_set]}, {task}: {system}"
                print(f"{label} … ", end="", file=sys.stderr, flush=True)
                try:
                    got = run()
                except (BenchError, OSError, ValueError, KeyError) as error:
                    not_run.append(f"{label}: {error}")
                    print("failed", file=sys.stderr)
                else:
                    result.systems.append(got)
                    print(f"{100 * got.accuracy:.1f} % in {got.whole_run_s:.1f} s", file=sys.stderr)
    return results


# ── a peer, in a process of its own ─────────────────────────────────────────


def peer(train: Path, test: Path, *vectors: Path) -> dict:
    """Learns from one file and reads another, from their texts or from given vectors; tells what `guichet eval` tells."""
    import numpy
    import sklearn
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline, make_union

    def read(path: Path, what: Callable) -> list:
        with path.open() as lines:
            return [what(json.loads(line)) for line in lines]

    model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=1000)
    if vectors:
        learned_from, messages = (numpy.array(read(path, partial(numpy.array, dtype=numpy.float32))) for path in vectors)
    else:
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
        model = make_pipeline(make_union(words, letters), model)
        learned_from, messages = (read(path, itemgetter("text")) for path in (train, test))
    labels, expected = (numpy.array(read(path, itemgetter("intent"))) for path in (train, test))

    started = time.perf_counter()
    model.fit(learned_from, labels)
    learning_s = time.perf_counter() - started
    probabilities = model.predict_proba(messages)
    told = {
        "accuracy": float(numpy.mean(model.classes_[probabilities.argmax(axis=1)] == expected)),
        "out_of_scope": {},
        "latency_us": {"p50": None if vectors else p50_us(model.predict_proba, messages[:LATENCY_SAMPLE])},
        "learning_s": learning_s,
        "model": f"scikit-learn {sklearn.__version__}",
    }
    inside = expected != OUT_OF_SCOPE
    if not inside.all():
        sure = probabilities[:, model.classes_ != OUT_OF_SCOPE].max(axis=1)
        threshold = numpy.sort(sure[inside])[int(inside.sum() * REJECTED)]
        told["out_of_scope"] = {
            "auroc": float(roc_auc_score(inside, sure)),
            "recall_at_5": float(numpy.mean(sure[~inside] < threshold)),
        }
    return told


def p50_us(read: Callable[[list[str]], object], messages: list[str]) -> float:
    times = []
    for message in messages:
        started = time.perf_counter()
        read([message])
        times.append(time.perf_counter() - started)
    return sorted(times)[len(times) // 2] * 1e6


# ── telling ─────────────────────────────────────────────────────────────────

# Heading, figure, how it is written, and how what lies between Guichet and a peer is.
COLUMNS = [
    ("accuracy", "accuracy", "{:.1%}", "{:+.1f}"),
    ("AUROC", "auroc", "{:.1%}", "{:+.1f}"),
    ("caught", "recall_at_5", "{:.1%}", "{:+.1f}"),
    ("learning", "learning_s", "{:.1f} s", "{:.2f}×"),
    ("whole run", "whole_run_s", "{:.1f} s", ""),
    ("p50", "p50_us", "{:.0f} µs", "{:.2f}×"),
    ("messages/s", "messages_s", "{:.0f}", ""),
    ("memory", "memory_mib", "{:.0f} MiB", "{:.2f}×"),
]


def beside(ours: Figures, theirs: Figures) -> dict[str, float | None]:
    """What lies between: points of shares, ratios of times and memory."""
    def between(a: float | None, b: float | None, form: str) -> float | None:
        return None if a is None or not b else 100 * (a - b) if "+" in form else a / b

    return {name: between(getattr(ours, name), getattr(theirs, name), form) for _, name, _, form in COLUMNS if form}


def table(results: list[Result]) -> str:
    """The results of one data set; columns that hold nothing are left out."""
    def cells(values: dict[str, float | None], form: int) -> list[str]:
        known = ((column, values.get(column[1])) for column in COLUMNS)
        return ["" if value is None else column[form].format(value).replace("%", " %") for column, value in known]

    rows = [[DATA_SETS[results[0].data_set], *(column[0] for column in COLUMNS)]]
    for result in results:
        rows.append([f"{result.task}: {result.examples} examples, {result.messages} messages", *cells({}, 2)])
        for ours in result.systems:
            rows.append([f"  {ours.system}", *cells(asdict(ours), 2)])
            rows += [[f"    beside {peer.system}", *cells(beside(ours, peer), 3)] for peer in result.peers_of(ours)]
        if published := PUBLISHED.get((result.data_set, result.task)):
            rows.append([f"  published: {published[1]}", *cells({"accuracy": published[0]}, 2)])
    return aligned(rows)


def as_json(result: Result) -> dict:
    """The same for programs; under `beside`, shares differ by points and the others are ratios."""
    systems = [{**asdict(ours), "beside": {peer.system: beside(ours, peer) for peer in result.peers_of(ours)}}
               for ours in result.systems]
    accuracy, source = PUBLISHED.get((result.data_set, result.task), (None, None))
    return {**asdict(result), "systems": systems, "published": {"accuracy": accuracy, "source": source}}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench_understanding.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--only", choices=DATA_SETS, help="one data set")
    parser.add_argument("--guichet", type=Path, default=PROGRAM, help="the program to measure")
    parser.add_argument("--max-train", type=int, metavar="N", help="learn from at most N examples a file, for a quick try")
    parser.add_argument("--peer", type=Path, nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        print(json.dumps(peer(*arguments.peer)))
        return 0

    wanted = [arguments.only] if arguments.only else list(DATA_SETS)
    present = [name for name in wanted if (INTENTS / name).is_dir()]
    absent = [f"{DATA_SETS[name]}: ../shared/data/intents/{name} is absent" for name in wanted if name not in present]
    failed: list[str] = []
    guichet = arguments.guichet.resolve()
    # Without data nothing need be there or be installed.
    if present and (code := unready(guichet)):
        return code
    told: dict = {"cores": len(os.sched_getaffinity(0)), "max_train": arguments.max_train, "data_sets": {}}
    for name in present:
        results = measure(guichet, name, arguments.max_train, failed)
        told["data_sets"][name] = [as_json(result) for result in results]
        if not arguments.json:
            print(f"\n{table(results)}", flush=True)
    if arguments.json:
        print(json.dumps({**told, "not_run": absent + failed}, indent=2))
    elif present:
        capped = f", at most {arguments.max_train} examples a file" if arguments.max_train else ""
        print(f"\n{told['cores']} cores{capped}\n{LEGEND}")
    for what in absent + failed:
        print(f"not run: {what}", file=sys.stderr if arguments.json else sys.stdout)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
