"""The network of the accurate detector, its loss, and the export of networks of its layout as plain ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

WIDTHS = (16, 32, 32)


def block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Trunk(nn.Module):
    """Three grids, each half as fine as the one before; the output is written from the second, four places a cell."""

    e1: nn.Sequential
    e2: nn.Sequential
    e3: nn.Sequential
    u2: nn.Conv2d
    d2: nn.Sequential
    head: nn.Conv2d

    def forward(self, x: Tensor) -> Tensor:
        e2 = self.e2(self.e1(x))
        y = self.d2(nn.functional.interpolate(self.u2(self.e3(e2)), scale_factor=2.0, mode="nearest") + e2)
        return nn.functional.pixel_shuffle(self.head(y), 2)


class Net(Trunk):
    """Three grids (1, 2, 4 µm); the finest is only passed through, and most layers are on the coarsest.

    The output's 1 µm grid is written from the 2 µm grid, four places a cell (Shi W et al., CVPR 2016:1874-1883):
    convolutions on the finest grid would be most of the cost. A layer on the 2 µm grid costs as much as four on the
    4 µm grid. An output depends on 49 pixels around it at most, so that blocks with a halo agree with the whole
    slide. The widths are multiples of 16, which the CPU's vector units work off without waste.
    """

    def __init__(self, widths: tuple[int, int, int] = WIDTHS) -> None:
        super().__init__()
        a, b, c = widths
        self.e1 = block(3, a, 2)
        self.e2 = block(a, b, 2)
        self.e3 = nn.Sequential(block(b, c, 2), *[block(c, c) for _ in range(4)])
        self.u2 = nn.Conv2d(c, b, 1)
        self.d2 = block(b, b)
        self.head = nn.Conv2d(b, 16, 1)
        with torch.no_grad():
            assert self.head.bias is not None
            self.head.bias[:4] = -2.5  # centres are rare


def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
    bce = nn.functional.binary_cross_entropy_with_logits
    heat_map, nucleus, positive, tumour, known, trust = labels.unbind(1)
    centre = bce(logits[:, 0], heat_map, weight=trust * (1 + 6 * heat_map))
    inside = bce(logits[:, 1], nucleus, weight=trust)
    stain = (bce(logits[:, 2], positive, reduction="none") * nucleus).sum() / (nucleus.sum() + 1)
    kind = (bce(logits[:, 3], tumour, reduction="none") * known).sum() / (known.sum() + 1)
    return 2.0 * centre + 0.5 * inside + 0.5 * stain + 0.4 * kind


class Graph:
    """An ONNX graph in the making: convolutions with batch norms folded in, Relu, Resize, Add, DepthToSpace."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.parameters = 0

    def constant(self, name: str, value: NDArray[np.float32]) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, inputs: list[str], name: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def conv(self, source: str, name: str, layer: nn.Conv2d, norm: nn.BatchNorm2d | None) -> str:
        w = layer.weight.detach().numpy().astype(np.float64)
        b = np.zeros(len(w)) if layer.bias is None else layer.bias.detach().numpy().astype(np.float64)
        if norm is not None:
            assert norm.running_var is not None
            assert norm.running_mean is not None
            gain = norm.weight.detach().numpy() / np.sqrt(norm.running_var.numpy() + norm.eps)
            w, b = w * gain[:, None, None, None], (b - norm.running_mean.numpy()) * gain + norm.bias.detach().numpy()
        self.parameters += w.size + b.size
        names = [self.constant(f"{name}.w", w.astype(np.float32)), self.constant(f"{name}.b", b.astype(np.float32))]
        size, stride = layer.kernel_size[0], layer.stride[0]
        shape = {"kernel_shape": [size, size], "strides": [stride, stride], "pads": [size // 2] * 4}
        self.add("Conv", [source, *names], name, **shape)
        return name if norm is None else self.add("Relu", [name], f"{name}.relu")

    def stack(self, source: str, name: str, layers: nn.Sequential) -> str:
        units = [layers] if isinstance(layers[0], nn.Conv2d) else list(layers)
        for number, unit in enumerate(units):
            source = self.conv(source, f"{name}.{number}", unit[0], unit[1])
        return source


def export(net: Trunk, path: Path, name: str) -> int:
    """Write the network under a name; returns its number of weights."""
    g = Graph()
    g.constant("scales", np.asarray([1, 1, 2, 2], np.float32))
    e2 = g.stack(g.stack("density", "e1", net.e1), "e2", net.e2)
    y = g.conv(g.stack(e2, "e3", net.e3), "u2", net.u2, None)
    way = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    y = g.add("Resize", [y, "", "scales"], "r2", **way)
    y = g.stack(g.add("Add", [y, e2], "s2"), "d2", net.d2)
    y = g.conv(y, "head", net.head, None)
    out = g.add("DepthToSpace", [y], "logits", blocksize=2, mode="CRD")
    inputs, outputs = net.e1[0].in_channels, net.head.out_channels // 4
    graph = helper.make_graph(
        g.nodes,
        name,
        [helper.make_tensor_value_info("density", TensorProto.FLOAT, [1, inputs, "rows", "columns"])],
        [helper.make_tensor_value_info(out, TensorProto.FLOAT, [1, outputs, "half_rows", "half_columns"])],
        g.weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="kulchitsky")
    model.ir_version = 9
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return g.parameters
