"""The networks of docs/models.md in PyTorch, with the settings of the benchmarks: 32×32 images, three classes, four frames."""
import torch
from torch import nn


def classifier(batch_norm=False):
    layers, channels = [], 1
    for block in [(16, 32), (16, 16)]:
        for out_channels in block:
            layers.append(nn.Conv2d(channels, out_channels, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(out_channels))
            layers.append(nn.ReLU())
            channels = out_channels
        layers.append(nn.MaxPool2d(2))
    layers += [nn.Flatten(), nn.Linear(16 * 8 * 8, 64), nn.ReLU(), nn.Linear(64, 3)]
    return nn.Sequential(*layers)


def block(channels, width):
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1), nn.ReLU())


class Autoencoder(nn.Module):
    def __init__(self, input_frames=4, widths=(16, 32, 64)):
        super().__init__()
        a, b, c = widths
        self.encoder1, self.encoder2, self.bottleneck = block(input_frames, a), block(a, b), block(b, c)
        self.decoder2, self.decoder1 = block(c + b, b), block(b + a, a)
        self.head = nn.Conv2d(a, 1, 1)

    def forward(self, xs):
        skip1 = self.encoder1(xs)
        skip2 = self.encoder2(nn.functional.max_pool2d(skip1, 2))
        xs = self.bottleneck(nn.functional.max_pool2d(skip2, 2))
        xs = nn.functional.interpolate(xs, scale_factor=2, mode="nearest")
        xs = self.decoder2(torch.cat([xs, skip2], dim=1))
        xs = nn.functional.interpolate(xs, scale_factor=2, mode="nearest")
        return self.head(self.decoder1(torch.cat([xs, skip1], dim=1)))


NETWORKS = {
    "classifier": classifier,
    "classifier-batch-norm": lambda: classifier(batch_norm=True),
    "autoencoder": Autoencoder,
}
