"""The network of the stain reader, and its loss. Used by ``train_stain_net.py``."""

from __future__ import annotations

from detector_net import Trunk, block
from torch import Tensor, nn

WIDTHS = (24, 32, 48)
KIND_SHARE = 0.6


class StainNet(Trunk):
    """Three grids (1, 2, 4 µm) over haematoxylin and DAB; see ``detector_net.Trunk`` for the layout.

    Out, on the 1 µm grid: logit of *this cell is stained*, then a logit for each kind of stain.
    """

    def __init__(self, kinds: int, widths: tuple[int, int, int] = WIDTHS) -> None:
        super().__init__()
        a, b, c = widths
        self.e1 = nn.Sequential(nn.Conv2d(2, a, 5, 2, 2, bias=False), nn.BatchNorm2d(a), nn.ReLU(inplace=True))
        self.e2 = nn.Sequential(block(a, b, 2), block(b, b))
        self.e3 = nn.Sequential(block(b, c, 2), block(c, c), block(c, c), block(c, c))
        self.u2 = nn.Conv2d(c, b, 1)
        self.d2 = block(b, b)
        self.head = nn.Conv2d(b, 4 * (1 + kinds), 1)


def loss_of(logits: Tensor, weight: Tensor, stained: Tensor, kind: Tensor) -> Tensor:
    """``weight`` is 0 outside tumour nuclei and adds up to the same in each; ``kind`` is one number a crop."""
    bce = nn.functional.binary_cross_entropy_with_logits(logits[:, 0], stained, reduction="none")
    which = kind[:, None, None].expand(-1, *weight.shape[1:])
    named = nn.functional.cross_entropy(logits[:, 1:], which, reduction="none")
    brown = weight * stained
    return (bce * weight).sum() / (weight.sum() + 1) + KIND_SHARE * (named * brown).sum() / (brown.sum() + 1)
