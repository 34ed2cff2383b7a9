"""The steps that both stages take: AdamW, a rate that rises and then falls in a line, and a bar that tells how long it takes."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

CLIP = 1.0
DECAY = 0.01
SHOW_EVERY = 25


class Descent:
    """`steps`: over how many the rate falls to zero. `stop`: after how many it ends (all of them when left out)."""

    def __init__(self, name: str, groups: list[dict], steps: int, warm_up: float, stop: int | None = None) -> None:
        self.name, self.steps, self.stop = name, steps, stop or steps
        # The encoder's own: what is thrown away afterwards may leap.
        self.weights: list[nn.Parameter] = groups[0]["params"]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=DECAY)
        rate = lambda step: min((step + 1) / (warm_up * steps), max(0.0, 1 - step / steps))
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, rate)
        self.done, self.mean, self.began = 0, 0.0, time.monotonic()

    @property
    def over(self) -> bool:
        return self.done >= self.stop

    def step(self, loss: Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, CLIP)
        self.optimizer.step()
        self.schedule.step()
        self.done += 1
        self.mean = 0.99 * self.mean + 0.01 * loss.item() if self.mean else loss.item()
        if self.done % SHOW_EVERY == 0 or self.over:
            self.show()

    def show(self) -> None:
        bar = "█" * (30 * self.done // self.stop)
        left = (time.monotonic() - self.began) / self.done * (self.stop - self.done) / 60
        end = "\n" if self.over else ""
        print(f"\r{self.name} {bar:<30} {self.done}/{self.stop}  loss {self.mean:.4f}  {left:.1f} min left {end}", end="", flush=True)
