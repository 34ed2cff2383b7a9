"""BERT as sentence-transformers' MiniLM uses it, in plain PyTorch: the weights keep the names of the Hugging Face files.

Written out rather than taken from `transformers`: sixty lines, attention by PyTorch's fused kernel, nothing else to pin.
Architecture: Devlin et al. 2018, https://arxiv.org/abs/1810.04805; post-norm, exact GELU, mean pooling, unit length.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F


class Layer(nn.Module):
    def __init__(self, width: int, inner: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.attended = nn.Linear(width, width)
        self.attended_norm = nn.LayerNorm(width, eps=1e-12)
        self.inner = nn.Linear(width, inner)
        self.outer = nn.Linear(inner, width)
        self.outer_norm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, length, width = x.shape
        dropout = self.dropout if self.training else 0.0
        q, k, v = (
            linear(x).view(batch, length, self.heads, -1).transpose(1, 2) for linear in (self.query, self.key, self.value)
        )
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout)
        attended = attended.transpose(1, 2).reshape(batch, length, width)
        x = self.attended_norm(x + F.dropout(self.attended(attended), dropout))
        return self.outer_norm(x + F.dropout(self.outer(F.gelu(self.inner(x))), dropout))


class Encoder(nn.Module):
    """Token ids to sentence vectors of length 1."""

    def __init__(self, config: dict, dropout: float = 0.0) -> None:
        super().__init__()
        width = config["hidden_size"]
        self.config = config
        self.words = nn.Embedding(config["vocab_size"], width, padding_idx=0)
        self.positions = nn.Embedding(config["max_position_embeddings"], width)
        self.types = nn.Embedding(config["type_vocab_size"], width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.layers = nn.ModuleList(
            Layer(width, config["intermediate_size"], config["num_attention_heads"], dropout)
            for _ in range(config["num_hidden_layers"])
        )

    def forward(self, ids: Tensor) -> Tensor:
        """`ids`: batch × length, 0 where there is padding."""
        present = ids != 0
        x = self.words(ids) + self.positions.weight[: ids.shape[1]] + self.types.weight[0]
        x = self.norm(x)
        mask = present[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        weights = present.unsqueeze(-1).to(x.dtype)
        return F.normalize((x * weights).sum(1) / weights.sum(1), dim=-1)


# Hugging Face's name of each of our parameters, inside a layer and outside.
LAYER_NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "attended_norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "outer_norm": "output.LayerNorm",
}
OTHER_NAMES = {
    "words": "embeddings.word_embeddings",
    "positions": "embeddings.position_embeddings",
    "types": "embeddings.token_type_embeddings",
    "norm": "embeddings.LayerNorm",
}


def file_name(name: str) -> str:
    parts = name.split(".")
    if parts[0] == "layers":
        return f"encoder.layer.{parts[1]}.{LAYER_NAMES[parts[2]]}.{parts[3]}"
    return f"{OTHER_NAMES[parts[0]]}.{parts[1]}"


def load(folder: Path, dropout: float = 0.0) -> Encoder:
    config = json.loads((folder / "config.json").read_text())
    encoder = Encoder(config, dropout)
    weights = load_file(folder / "model.safetensors")
    weights = {name.removeprefix("bert."): weight for name, weight in weights.items()}
    encoder.load_state_dict({name: weights[file_name(name)].float() for name in encoder.state_dict()})
    return encoder


def mixed(one: Encoder, other: Encoder, share: float) -> Encoder:
    """`share` of the first's weights and the rest of the other's: what the first learned, less of what it forgot. They must have come from the
    same start (Wortsman et al. 2021, https://arxiv.org/abs/2109.01903)."""
    weights = other.state_dict()
    one.load_state_dict({name: share * weight + (1 - share) * weights[name] for name, weight in one.state_dict().items()})
    return one


def save(encoder: Encoder, folder: Path, half: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kind = torch.float16 if half else torch.float32
    weights = {file_name(name): weight.detach().cpu().to(kind).contiguous() for name, weight in encoder.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(encoder.config, indent=2) + "\n")
