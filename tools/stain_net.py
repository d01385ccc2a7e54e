"""The network of the stain reader, its loss, and its export as plain ONNX. Used by ``train_stain_net.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from detector_net import Graph, block
from onnx import TensorProto, helper
from torch import Tensor, nn

WIDTHS = (24, 32, 48)
KIND_SHARE = 0.6


class StainNet(nn.Module):
    """Three grids (1, 2, 4 µm) over haematoxylin and DAB; see ``detector_net.Net`` for the layout.

    Out, on the 1 µm grid: logit of *this cell is stained*, then a logit for each kind of stain.
    """

    def __init__(self, kinds: int, widths: tuple[int, int, int] = WIDTHS) -> None:
        super().__init__()
        a, b, c = widths
        self.outputs = 1 + kinds
        self.e1 = nn.Sequential(nn.Conv2d(2, a, 5, 2, 2, bias=False), nn.BatchNorm2d(a), nn.ReLU(inplace=True))
        self.e2 = nn.Sequential(block(a, b, 2), block(b, b))
        self.e3 = nn.Sequential(block(b, c, 2), block(c, c), block(c, c), block(c, c))
        self.u2 = nn.Conv2d(c, b, 1)
        self.d2 = block(b, b)
        self.head = nn.Conv2d(b, 4 * self.outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        e2 = self.e2(self.e1(x))
        y = self.d2(nn.functional.interpolate(self.u2(self.e3(e2)), scale_factor=2.0, mode="nearest") + e2)
        return nn.functional.pixel_shuffle(self.head(y), 2)


def loss_of(logits: Tensor, weight: Tensor, stained: Tensor, kind: Tensor) -> Tensor:
    """``weight`` is 0 outside tumour nuclei and adds up to the same in each; ``kind`` is one number a crop."""
    bce = nn.functional.binary_cross_entropy_with_logits(logits[:, 0], stained, reduction="none")
    which = kind[:, None, None].expand(-1, *weight.shape[1:])
    named = nn.functional.cross_entropy(logits[:, 1:], which, reduction="none")
    brown = weight * stained
    return (bce * weight).sum() / (weight.sum() + 1) + KIND_SHARE * (named * brown).sum() / (brown.sum() + 1)


def export(net: StainNet, path: Path) -> int:
    """Write the network; returns its number of weights."""
    g = Graph()
    g.constant("scales", np.asarray([1, 1, 2, 2], np.float32))
    e2 = g.stack(g.stack("density", "e1", net.e1), "e2", net.e2)
    y = g.conv(g.stack(e2, "e3", net.e3), "u2", net.u2, None)
    way = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    y = g.add("Resize", [y, "", "scales"], "r2", **way)
    y = g.stack(g.add("Add", [y, e2], "s2"), "d2", net.d2)
    y = g.conv(y, "head", net.head, None)
    out = g.add("DepthToSpace", [y], "logits", blocksize=2, mode="CRD")
    shape = [1, net.outputs, "half_rows", "half_columns"]
    graph = helper.make_graph(
        g.nodes,
        "stain",
        [helper.make_tensor_value_info("density", TensorProto.FLOAT, [1, 2, "rows", "columns"])],
        [helper.make_tensor_value_info(out, TensorProto.FLOAT, shape)],
        g.weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="kulchitsky")
    model.ir_version = 9
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return g.parameters
