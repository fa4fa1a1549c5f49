"""A training step by PyTorch, milliseconds: pytorch.py NET BATCH, where NET is resnet20,
resnet20_qat4 (4 bits by learned steps, fake-quantised) or resnet18 (224 x 224). Prints the
median of as many steps as fit into SECONDS_EACH (3), in the better of both layouts."""
import os
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Quantise(torch.autograd.Function):
    """Codes times a learned step; the gradient goes straight through what is in range."""

    @staticmethod
    def forward(context, x, step, low, high):
        scaled = x / step
        codes = scaled.clamp(low, high).round()
        context.save_for_backward(scaled, codes)
        context.range = low, high
        return codes * step

    @staticmethod
    def backward(context, gradient):
        scaled, codes = context.saved_tensors
        low, high = context.range
        inside = (scaled >= low) & (scaled <= high)
        by_step = (gradient * (codes - scaled * inside)).sum() / (scaled.numel() * high) ** 0.5
        return gradient * inside, by_step.reshape(1), None, None


class QuantConv(nn.Conv2d):
    def __init__(self, *arguments, **fields):
        super().__init__(*arguments, **fields)
        self.w_step = nn.Parameter(torch.tensor([0.05]))
        self.x_step = nn.Parameter(torch.tensor([0.2]))

    def forward(self, x):
        low = -8 if self.in_channels == 3 else 0
        x = Quantise.apply(x, self.x_step, low, low + 15)
        w = Quantise.apply(self.weight, self.w_step, -8, 7)
        return F.conv2d(x, w, None, self.stride, self.padding)


class Block(nn.Module):
    def __init__(self, conv, before, channels, stride, projected):
        super().__init__()
        self.conv1 = conv(before, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = conv(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.more = stride, channels - before
        self.projection = None
        if projected and self.more:
            self.projection = nn.Sequential(
                conv(before, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.projection:
            x = self.projection(x)
        elif self.more:
            half = self.more // 2
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, half))
        return F.relu(y + x)


def resnet(name):
    conv = QuantConv if name.endswith("_qat4") else nn.Conv2d
    small = name.startswith("resnet20")
    width, classes = (16, 10) if small else (64, 1000)
    layers = [conv(3, width, 3, 1, 1, bias=False)] if small else [
        conv(3, width, 7, 2, 3, bias=False)]
    layers += [nn.BatchNorm2d(width), nn.ReLU()]
    if not small:
        layers.append(nn.MaxPool2d(3, 2, 1))
    before = width
    for stage in range(3 if small else 4):
        for block in range(3 if small else 2):
            stride = 2 if stage and not block else 1
            layers.append(Block(conv, before, width << stage, stride, not small))
            before = width << stage
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes)]
    return nn.Sequential(*layers).train(), 32 if small else 224, classes


def milliseconds(name, batch, layout, seconds):
    torch.manual_seed(1)
    net, side, classes = resnet(name)
    net = net.to(memory_format=layout)
    images = torch.randn(batch, 3, side, side).contiguous(memory_format=layout)
    labels = torch.randint(0, classes, (batch,))
    descent = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9, weight_decay=1e-4)
    times = []
    start = time.perf_counter()
    while len(times) < 5 or time.perf_counter() - start < seconds:
        begun = time.perf_counter()
        descent.zero_grad(set_to_none=True)
        F.cross_entropy(net(images), labels).backward()
        descent.step()
        times.append(1e3 * (time.perf_counter() - begun))
    return statistics.median(times[2:])  # the first ones make memory


torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))  # Debian's takes one
each = float(os.environ.get("SECONDS_EACH", "3")) / 2
layouts = torch.contiguous_format, torch.channels_last
print("%.3f" % min(milliseconds(sys.argv[1], int(sys.argv[2]), it, each) for it in layouts))
