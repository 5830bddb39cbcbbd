"""Times PyTorch for `cargo xtask bench`: requests on stdin, one JSON answer a line on stdout.

    {"prepare": {"key": "a", "work": "train", "network": "classifier", "batch_size": 32, "config": "compile channels_last fused"}}
    {"run": {"key": "a", "seconds": 0.5}}
    {"drop": {}}

A config is a list of words: eager, compile, freeze (torch.compile with inductor's freezing) or jit (traced, frozen, optimized
for inference); channels_last; fused or foreach (Adam). Work is train, infer, or png with the config pil or torchvision.
The number of threads is the first argument.
"""
import gc
import json
import os
import sys
import time

# Libraries that print to stdout must not break the protocol.
ANSWERS = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

THREADS = int(sys.argv[1])

import torch
import torch._dynamo
import torch._inductor.config
from torch import nn

from folders import prepare_folder
from networks import NETWORKS

# The weights hardly move, so that a long measurement does not end in another regime than it began in.
LEARNING_RATE = 1e-7
WARM_UP_STEPS = 3


def dense(tensor, words):
    return tensor.contiguous(memory_format=torch.channels_last) if "channels_last" in words else tensor


def fresh(source, **names):
    """A function with a code object of its own: torch.compile keeps its variants, and their guards, by code object."""
    exec(source, names)
    return names["call"]


def compiled(call, words, **options):
    return torch.compile(call, dynamic=False, options=options or None) if "compile" in words or "freeze" in words else call


def prepare_training(request, words):
    net = NETWORKS[request["network"]]().train()
    if "channels_last" in words:
        net = net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE, **{word: True for word in words if word in ("fused", "foreach")})
    n = request["batch_size"]
    if request["network"] == "autoencoder":
        inputs, targets, criterion = dense(torch.rand(n, 4, 32, 32), words), dense(torch.rand(n, 1, 32, 32), words), nn.MSELoss()
    else:
        inputs, targets, criterion = dense(torch.rand(n, 1, 32, 32), words), torch.randint(0, 3, (n,)), nn.CrossEntropyLoss()
    loss_of = compiled(fresh("def call(xs, ys): return criterion(net(xs), ys)", net=net, criterion=criterion), words)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss_of(inputs, targets).backward()
        optimizer.step()

    return step, n


def prepare_inference(request, words):
    net = NETWORKS[request["network"]]().eval()
    if "channels_last" in words:
        net = net.to(memory_format=torch.channels_last)
    n = request["batch_size"]
    inputs = dense(torch.rand(n, 4 if request["network"] == "autoencoder" else 1, 32, 32), words)
    if "jit" in words:
        with torch.no_grad():
            call = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, inputs)))
    else:
        call = fresh("def call(xs): return net(xs)", net=net)
        call = compiled(call, words, **({"freezing": True} if "freeze" in words else {}))

    def step():
        with torch.inference_mode():
            return call(inputs)

    # A configuration counts only if it computes the same, in full precision.
    with torch.no_grad():
        expected = net(inputs)
    torch.testing.assert_close(step(), expected, rtol=1e-4, atol=1e-5)
    return step, n


PREPARE = {"train": prepare_training, "infer": prepare_inference, "png": prepare_folder}


def answer(request, workloads):
    (kind, request), = request.items()
    if kind == "prepare":
        torch.manual_seed(1)
        step, count = PREPARE[request["work"]](request, request["config"].split())
        facts = step()
        for _ in range(0 if request["work"] == "png" else WARM_UP_STEPS):
            step()
        workloads[request["key"]] = step, count
        gc.collect()
        return facts if isinstance(facts, dict) else {}
    if kind == "run":
        step, count = workloads[request["key"]]
        n_steps, started = 0, time.perf_counter()
        while True:
            step()
            n_steps += 1
            elapsed = time.perf_counter() - started
            if elapsed >= request["seconds"]:
                break
        return {"seconds": elapsed, "count": n_steps * count}
    workloads.clear()
    torch._dynamo.reset()
    gc.collect()
    return {}


def main():
    torch.set_num_threads(THREADS)
    # Subnormal numbers cost both sides dearly; our engine rounds them to zero, so PyTorch may, too.
    torch.set_flush_denormal(True)
    # No pool of compilers that is still busy while something is timed, and no silent fall back to eager.
    torch._inductor.config.compile_threads = 1
    torch._dynamo.config.fail_on_recompile_limit_hit = True
    workloads = {}
    from importlib.metadata import version
    print(json.dumps({"torch": torch.__version__, "torchvision": version("torchvision"), "python": sys.version.split()[0]}), file=ANSWERS)
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line), workloads)
        except Exception as error:
            first = str(error).strip().splitlines() or [""]
            reply = {"error": f"{type(error).__name__}: {first[0]}"}
        print(json.dumps(reply), file=ANSWERS)


if __name__ == "__main__":
    main()
