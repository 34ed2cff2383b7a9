"""A WordPiece vocabulary for French and English, and MiniLM's embeddings carried over to it.

Kept from MiniLM: special tokens, letters, and the English pieces that are frequent (BERT's list is in order of frequency) or that our English
texts use. Added: pieces learned on French. A new piece starts as the mean of the old pieces it was spelled with. Both sides are without accents and
capitals, as MiniLM's tokenizer reads them: "grève", "greve" and "GREVE" are one word before anything is learned.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from pathlib import Path

import torch
from tokenizers import BertWordPieceTokenizer, Tokenizer
from tokenizers.models import WordPiece
from tokenizers.trainers import WordPieceTrainer

from . import model

ENGLISH_BY_RANK = 9_500
FRENCH_PIECES = 12_000
SIZE = 20_600
POSITIONS = 256
# MiniLM reads every emoji as unknown; these are the ones that customers use, and they start where an unknown word does.
EMOJI = "😀😃😄😁😆😅😂🤣😊🙂🙃😉😍🥰😘😎🤩🥳😏😒😞😔😟😕🙁☹😣😖😫😩🥺😢😭😤😠😡🤬🤯😳🥵🥶😱😨😰😥😓🤔🙄😬😴🤒🤢🤮🤡💩👏👍👎🙏🙌👌🤞✌👋💪🤷🤦❤🧡💛💚💙💜💔🔥✨⭐🎉🎊🚆🚄🚂🚇🚉🚌🎫🧳👜🎒🐶🐱🚲🛴♿👶⏰⌛☀🌧❄🏖☕🍕🍷🎄⚠🚨🆘❓❗✅❌➡"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def build(minilm: Path, french: list[str], english: list[str], out: Path) -> None:
    """Writes a sentence-transformers folder whose weights are MiniLM's on the new vocabulary."""
    old = Tokenizer.from_file(str(minilm / "tokenizer.json"))
    old.no_truncation()
    old.no_padding()
    pieces = choose(old, french, english)
    write_tokenizer(pieces, out)
    encoder = model.load(minilm)
    before = encoder.words.weight.data
    ids = old.get_vocab()
    rows = []
    for piece in pieces:
        if piece in ids:
            rows.append(before[ids[piece]])
        else:
            plain = piece.removeprefix("##")
            spelled = old.encode(plain, add_special_tokens=False).ids
            rows.append(before[spelled].mean(0))
    config = {**encoder.config, "vocab_size": len(pieces), "max_position_embeddings": POSITIONS}
    fresh = model.Encoder(config)
    state = {**encoder.state_dict(), "words.weight": torch.stack(rows), "positions.weight": encoder.positions.weight.data[:POSITIONS]}
    fresh.load_state_dict(state)
    model.save(fresh, out, half=False)


def choose(old: Tokenizer, french: list[str], english: list[str]) -> list[str]:
    ids = old.get_vocab()
    by_rank = [piece for piece, _ in sorted(ids.items(), key=lambda item: item[1]) if useful(piece)]
    used = Counter(piece for row in old.encode_batch(english, add_special_tokens=False) for piece in row.tokens)
    kept = [piece for piece in by_rank if len(piece.removeprefix("##")) == 1]
    kept += by_rank[:ENGLISH_BY_RANK]
    kept += [piece for piece, times in used.most_common() if times >= 3 and useful(piece)]
    learned = learn(french)
    chosen = list(dict.fromkeys(SPECIAL + kept + list(EMOJI)))
    have = set(chosen)
    new = [piece for piece in learned if piece not in have]
    room = SIZE - len(chosen)
    print(f"vocabulary: {len(chosen)} pieces from MiniLM, {min(room, len(new))} of {len(new)} new French ones")
    return chosen + new[: max(0, room)]


def learn(texts: list[str]) -> list[str]:
    """French pieces, most used first."""
    teacher = Tokenizer(WordPiece(unk_token="[UNK]"))
    reader = BertWordPieceTokenizer(lowercase=True, strip_accents=True)
    teacher.normalizer, teacher.pre_tokenizer = reader.normalizer, reader.pre_tokenizer
    teacher.train_from_iterator(texts, WordPieceTrainer(vocab_size=FRENCH_PIECES, min_frequency=4, special_tokens=["[UNK]"], show_progress=False))
    used = Counter(piece for row in teacher.encode_batch(texts) for piece in row.tokens)
    return [piece for piece, _ in used.most_common() if useful(piece)]


def useful(piece: str) -> bool:
    """Latin letters, digits, marks and symbols of our languages; no `[unused7]`, no other alphabets."""
    plain = piece.removeprefix("##")
    if piece.startswith("[") and len(piece) > 1:
        return False
    return bool(plain) and all(c < "\u0250" and unicodedata.category(c) != "Mn" or c in "€£’‘“”…–—" for c in plain)


def write_tokenizer(pieces: list[str], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    made = BertWordPieceTokenizer({piece: at for at, piece in enumerate(pieces)}, lowercase=True, strip_accents=True)
    made.save(str(out / "tokenizer.json"), pretty=False)
    files = {
        "tokenizer_config.json": {"do_lower_case": True, "strip_accents": True, "tokenize_chinese_chars": True, "model_max_length": POSITIONS, "tokenizer_class": "BertTokenizer"},
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
        ],
        "sentence_bert_config.json": {"max_seq_length": 128, "do_lower_case": False},
        "special_tokens_map.json": {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"},
    }
    for name, content in files.items():
        (out / name).write_text(json.dumps(content, indent=2) + "\n")
    (out / "1_Pooling").mkdir(exist_ok=True)
    (out / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 384, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False, "pooling_mode_mean_sqrt_len_tokens": False}, indent=2) + "\n"
    )
