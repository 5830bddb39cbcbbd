"""Times whole epochs of PyTorch on a GPU, for docs/gpu.md.

    python xtask/bench/torch_gpu.py classifier|autoencoder SIDE TRAINING_IMAGES VALIDATION_IMAGES BATCH_SIZE EPOCHS

Eager, full f32, fused Adam; each batch is copied to the GPU and its loss is read, as `juggle train --device cuda` does.
"""
import sys
import time

import torch
from torch import nn

from networks import NETWORKS

KIND = sys.argv[1]
SIDE, N_TRAIN, N_VAL, BATCH_SIZE, EPOCHS = map(int, sys.argv[2:])

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.manual_seed(0)


def prepare():
    n = N_TRAIN + N_VAL
    net = NETWORKS[KIND]()
    if KIND == "autoencoder":
        return net, torch.rand(n, 4, SIDE, SIDE), torch.rand(n, 1, SIDE, SIDE), nn.MSELoss()
    net[-3] = nn.Linear(16 * (SIDE // 4) ** 2, 64)
    return net, torch.rand(n, 1, SIDE, SIDE), torch.randint(0, 3, (n,)), nn.CrossEntropyLoss()


def main():
    net, inputs, targets, criterion = prepare()
    net = net.cuda()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)

    def batches(first, end):
        for i in range(first, end, BATCH_SIZE):
            j = min(i + BATCH_SIZE, end)
            yield inputs[i:j].cuda(), targets[i:j].cuda()

    times = []
    for _ in range(EPOCHS):
        started = time.perf_counter()
        net.train()
        for xs, ys in batches(0, N_TRAIN):
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(net(xs), ys)
            loss.backward()
            optimizer.step()
            loss.item()
        net.eval()
        with torch.no_grad():
            for xs, ys in batches(N_TRAIN, N_TRAIN + N_VAL):
                criterion(net(xs), ys).item()
        times.append(time.perf_counter() - started)
    print(f"{' '.join(f'{t:.3f}' for t in times)} s; {N_TRAIN / min(times):.0f} training images/s in the best epoch")


main()
