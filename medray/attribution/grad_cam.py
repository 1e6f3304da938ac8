"""Where the last feature maps of a convolutional network speak for an answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from captum.attr import LayerGradCam
from torch import nn

from medray.attribution.explanation import Explanation

Score = Callable[[torch.Tensor], torch.Tensor]  # inputs (N, ...) -> margins (N,)


def grad_cam(score: Score, network: nn.Module, inputs: torch.Tensor) -> Explanation:
    """Grad-CAM (Selvaraju et al., ICCV 2017) of the last feature map with more than one pixel.

    The amounts are kept with their sign, before the paper's ReLU: its map is their positive part.
    They have the resolution of that feature map and no base; nothing makes them sum up to the answer.

    Args:
        inputs: float32 (1, C, H, W).

    Returns:
        amounts float64 (rows, columns) of the feature map.
    """
    layer, output = _last_map(score, network, inputs)
    amounts = LayerGradCam(score, layer).attribute(inputs).detach()[0, 0]
    return Explanation(output, None, amounts.double().cpu().numpy().astype(np.float64))


@torch.no_grad()
def _last_map(score: Score, network: nn.Module, inputs: torch.Tensor) -> tuple[nn.Module, float]:
    """The module that is the last to give a feature map, and the margin."""
    found: list[nn.Module] = []

    def look(module: nn.Module, _: object, out: object) -> None:
        if isinstance(out, torch.Tensor) and out.ndim == 4 and out.shape[2] * out.shape[3] > 1:
            found.append(module)

    hooks = [module.register_forward_hook(look) for module in network.modules()]
    try:
        output = float(score(inputs)[0])
    finally:
        for hook in hooks:
            hook.remove()
    return found[-1], output
