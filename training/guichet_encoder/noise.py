"""Clean French and English as people really type it: SMS spelling, slips, no accents or marks, dictation.

The spelling of SMS comes from `intents/lexicon.yaml` read backwards and from a few rules of ear; the slips from a keyboard. Nothing
here is applied to the teacher's side: the student must land on the clean sentence's vector.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from pathlib import Path

import yaml

NEIGHBOURS = {
    "a": "zqs", "z": "aes", "e": "zrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok", "o": "ipl", "p": "om",
    "q": "aws", "s": "qdz", "d": "sfe", "f": "dgr", "g": "fht", "h": "gjy", "j": "hku", "k": "jli", "l": "kmo", "m": "lp",
    "w": "xqs", "x": "wcs", "c": "xvd", "v": "cbf", "b": "vng", "n": "bmh",
}  # fmt: skip

# By ear: (what is written, what is typed). Applied one at a time, each with its own chance.
FRENCH_EAR = [
    (r"qu(?=[eéèêi])", "k"), (r"\bqu'", "k"), (r"\bqu", "k"), (r"eaux?\b", "o"), (r"eau", "o"), (r"au(?=[^x])", "o"), (r"\bc'est\b", "c"), (r"\bj'ai\b", "g"),
    (r"\bj'", "j"), (r"\bje s", "js"), (r"\bje (?=[a-z])", "j"), (r"ph", "f"), (r"er\b", "é"), (r"ez\b", "é"), (r"é\b", "er"), (r"és\b", "é"), (r"ait\b", "é"), (r"ais\b", "é"),
    (r"ai\b", "é"), (r"ent\b", ""), (r"es\b", "e"), (r"e\b", ""), (r"[tdsx]\b", ""), (r"ss", "c"), (r"tion\b", "sion"), (r"oi", "wa"), (r"\bun\b", "1"), (r"in\b", "1"), (r"ain\b", "1"),
    (r"ien\b", "i1"), (r"\bde\b", "2"), (r"\bdeux\b", "2"), (r"\bsept\b", "7"), (r"\bcet?te?\b", "7"), (r"\best\b", "é"), (r"\bet\b", "é"), (r"\bles\b", "lé"), (r"\bdes\b", "dé"), (r"ll", "l"),
    (r"tt", "t"), (r"nn", "n"), (r"rr", "r"), (r"mm", "m"), (r"h", ""), (r"'", ""), (r"'", " "), (r"\bne\b ?", ""), (r"\bn'", ""), (r"\bil y a\b", "ya"), (r"s'il vous pla[iî]t", "svp"),
]  # fmt: skip
ENGLISH_EAR = [
    (r"\byou\b", "u"), (r"\byour\b", "ur"), (r"\bare\b", "r"), (r"ing\b", "in"), (r"\bto\b", "2"), (r"\btoo\b", "2"), (r"\bfor\b", "4"), (r"ate\b", "8"), (r"eat\b", "8"), (r"\bone\b", "1"), (r"one\b", "1"),
    (r"\band\b", "n"), (r"\band\b", "&"), (r"th", "d"), (r"\bthe\b", "da"), (r"\bthe\b ?", ""), (r"\ba\b ?", ""), (r"ight", "ite"), (r"ough\b", "o"), (r"ck", "k"), (r"'", ""), (r"ll", "l"), (r"ss\b", "s"), (r"\bwh", "w"),
    (r"e\b", ""), (r"er\b", "a"), (r"\bwith\b", "w"), (r"\bdo not\b", "dnt"), (r"\bgoing to\b", "gonna"), (r"\bwant to\b", "wanna"), (r"s\b", "z"), (r"ea", "ee"), (r"ou", "u"), (r"\bis\b ?", ""),
]  # fmt: skip
OPENERS = {
    "fr": ["bonjour ", "slt ", "Bonjour, ", "salut ", "bjr ", "euh ", "alors ", "dites ", "@sncf ", "@ter ", "svp ", "hello ", "bonsoir ", "bon ", "ok mais ", "oui bonjour "],
    "en": ["hello ", "hi ", "hey ", "um ", "so ", "excuse me ", "@trains ", "hiya ", "please ", "ok but ", "yo ", "good morning ", "right "],
}  # fmt: skip
CLOSERS = {
    "fr": [" svp", " merci", " stp", " mrc", " !!!", " ???", " 😡", " 🙏", " 😅", " lol", " mdr", " #sncf", "...", " merci d'avance", " cdt", " quoi", " en fait", " voilà"],
    "en": [" pls", " thanks", " thx", " !!!", " ???", " 😡", " 🙏", " 😅", " lol", " #trains", "...", " ta", " cheers", " mate", " please", " you know"],
}  # fmt: skip


class Noise:
    def __init__(self, lexicon: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.spellings: dict[str, dict[str, list[str]]] = {}
        for lang, entries in yaml.safe_load(lexicon.read_text()).items():
            backwards: dict[str, list[str]] = defaultdict(list)
            for typed, meaning in entries.items():
                backwards[str(meaning).lower()].append(str(typed))
            self.spellings[lang] = dict(backwards)
        self.phrases = {
            lang: re.compile(r"(?<![\w'])(?:" + "|".join(sorted(map(re.escape, known), key=len, reverse=True)) + r")(?!\w)")
            for lang, known in self.spellings.items()
        }

    def __call__(self, text: str, lang: str) -> str:
        """One noisy reading of `text`; what kind is drawn."""
        draw = self.random.random()
        if draw < 0.34:
            text = self.sms(text, lang)
        elif draw < 0.62:
            text = self.typos(text, self.random.choice([1, 1, 2, 3]))
        elif draw < 0.78:
            text = self.voice(text)
        elif draw < 0.90:
            text = self.typos(self.sms(text, lang), 1)
        if self.random.random() < 0.22:
            text = self.random.choice(OPENERS[lang]) + text
        if self.random.random() < 0.22:
            text = text.rstrip(" .!?") + self.random.choice(CLOSERS[lang])
        if self.random.random() < 0.4:
            text = re.sub(r"[.,!?;:]+", " " if self.random.random() < 0.5 else "", text)
        return re.sub(r"\s+", " ", text).strip() or "?"

    def sms(self, text: str, lang: str) -> str:
        rate = self.random.uniform(0.35, 1.0)
        pick = lambda found: (
            self.random.choice(self.spellings[lang][found[0]]) if self.random.random() < rate else found[0]
        )
        text = self.phrases[lang].sub(pick, text.lower().replace("’", "'"))
        chance = self.random.uniform(0.0, 0.3)
        for pattern, typed in FRENCH_EAR if lang == "fr" else ENGLISH_EAR:
            if self.random.random() < chance:
                text = re.sub(pattern, typed, text)
        if self.random.random() < 0.12:
            text = " ".join(self.squeeze(word) for word in text.split(" "))
        return text

    def squeeze(self, word: str) -> str:
        """A long word without most of its vowels: "vraiment" → "vrmt"."""
        if len(word) < 5 or self.random.random() < 0.5:
            return word
        return word[0] + re.sub(r"[aeiouyéèêà]", "", word[1:-1]) + word[-1]

    def typos(self, text: str, times: int) -> str:
        for _ in range(times + len(text) // 60):
            if len(text) < 4:
                break
            at = self.random.randrange(len(text) - 1)
            kind = self.random.random()
            a, b = text[at], text[at + 1]
            if kind < 0.3:
                text = text[:at] + b + a + text[at + 2 :]
            elif kind < 0.55:
                text = text[:at] + text[at + 1 :]
            elif kind < 0.7:
                text = text[:at] + a + text[at:]
            elif kind < 0.9:
                text = text[:at] + self.random.choice(NEIGHBOURS.get(a.lower(), a)) + text[at + 1 :]
            else:
                space = text.find(" ", at)
                text = text if space < 0 else text[:space] + text[space + 1 :]
        return text

    def voice(self, text: str) -> str:
        return re.sub(r"\s+", " ", re.sub(r"[^\w\s'%€$-]", " ", text.lower())).strip()
