"""What moves the weights: optimizer, penalties, and which weights may move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

MOMENTUM = 0.9


def make_optimizer(model: nn.Module, training: Any) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter, ICLR 2019), or stochastic gradient descent with Nesterov's momentum, whose weight
    decay is the classic L2 penalty."""
    groups = parameter_groups(model, training.weight_decay)
    if training.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=training.learning_rate, momentum=MOMENTUM, nesterov=True)
    return torch.optim.AdamW(groups, lr=training.learning_rate)


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Weight decay on matrices and kernels; none on biases and normalisation."""
    heavy = [p for p in model.parameters() if p.ndim > 1]
    light = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": heavy, "weight_decay": weight_decay}, {"params": light, "weight_decay": 0.0}]


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Take up a state in the memory format of the parameters: with another one the next steps would be slower, by
    other kernels."""
    optimizer.load_state_dict(state)
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if torch.is_tensor(value) and value.shape == parameter.shape:
                values[name] = torch.empty_like(parameter, requires_grad=False).copy_(value)


@torch.no_grad()
def shrink(model: nn.Module, amount: float) -> None:
    """Move matrices and kernels towards zero by `amount`, and no further: the proximal step of an L1 penalty
    (Tibshirani 1996; Parikh and Boyd 2014, 6.5.2), after which weights that do not help are exactly zero."""
    for parameter in model.parameters():
        if parameter.requires_grad and parameter.ndim > 1:
            parameter.copy_(parameter.sign() * (parameter.abs() - amount).clamp_min(0.0))


def hold(model: nn.Module, prefixes: Sequence[str], held: bool) -> bool:
    """Freeze the parameters whose names begin so, or set them free. Returns whether anything changed."""
    changed = False
    for name, parameter in model.named_parameters():
        if _begins(name, prefixes) and parameter.requires_grad == held:
            parameter.requires_grad_(not held)
            changed = True
    return changed


def rest(model: nn.Module, prefixes: Sequence[str]) -> None:
    """Frozen parts of a training network behave as when it answers: their normalisation learns no statistics."""
    for name, module in model.named_modules():
        if name and _begins(f"{name}.", prefixes):
            module.eval()


def _begins(name: str, prefixes: Sequence[str]) -> bool:
    return any(name.startswith(prefix) for prefix in prefixes)
