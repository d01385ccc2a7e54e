"""The training loop that the networks share: AdamW, one cycle of the learning rate, the mean of the last weights."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

AnyNet = TypeVar("AnyNet", bound=nn.Module)


class Average:
    """Running mean of a network's weights over its last few hundred steps: steadier than any one of them."""

    def __init__(self, net: nn.Module) -> None:
        self.values = {k: v.detach().clone() for k, v in net.state_dict().items()}
        self.steps = 0

    @torch.no_grad()
    def take_in(self, net: nn.Module) -> None:
        keep = min(0.995, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        for name, value in net.state_dict().items():
            if value.dtype.is_floating_point:
                self.values[name].lerp_(value, 1 - keep)
            else:
                self.values[name].copy_(value)


def fit(net: AnyNet, next_loss: Callable[[], Tensor], steps: int) -> AnyNet:
    """Train the network; ``next_loss`` draws a batch and gives the network's loss on it. Prints as it goes."""
    average = Average(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=6e-3, total_steps=steps, pct_start=0.15)
    started, shown = time.time(), 0.0
    for step in range(steps):
        loss = next_loss()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        average.take_in(net)
        shown += float(loss.detach())
        if step % 100 == 99:
            print(f"step {step + 1:5d}  loss {shown / 100:.4f}  {time.time() - started:.0f} s", flush=True)
            shown = 0.0
    net.load_state_dict(average.values)
    return net.eval()
