"""The training steps of logodds' models in Python PyTorch, for comparison: full batch, AdamW, float32.

    python peer.py MODEL WAY [--compile MODE] [--threads N] [--device D] [--data FILE]

MODEL and WAY:
  transformer plain   as the papers write it: three positions, every position unembedded
  transformer last    the same, attention by the fused operator and only the last position read: a careful user's
  transformer dedup   keys and values once per distinct (token, position), only the last query: an expert's
  mlp gather          rows of one embedding table added, one hidden layer
  mnist eager         784-200-200-10, 1000 images, batches of 200, mean squared error (Omnigrok's); batches by indexing
  mnist loader        the same, batches by PyTorch's DataLoader

FILE holds weights, inputs and targets as `logodds_contender export` writes them. The program says
{"first_loss": …} when it has warmed up; from then on each line N on its standard input makes it take one step
unmeasured and N measured, and answer {"seconds": …, "loss": …, "peak_mb": …}: time of the N steps, last loss, largest
resident memory of the process since it warmed up.
"""
import argparse
import json
import math
import struct
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

DTYPES = {"F32": torch.float32, "I64": torch.int64}


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = torch.frombuffer(data[begin:end], dtype=DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


class Transformer(nn.Module):
    def __init__(self, way, tensors):
        super().__init__()
        self.way = way
        self.a, self.b = tensors["inputs"].unbind(1)
        heads, width, self.d_head = tensors["blocks.0.attn.W_Q"].shape
        self.heads, self.p = heads, tensors["unembed.W_U"].shape[1]

        def parameter(tensor):
            return nn.Parameter(tensor.clone().contiguous())

        self.W_E, self.W_pos = parameter(tensors["embed.W_E"]), parameter(tensors["pos_embed.W_pos"])
        projections = [tensors[f"blocks.0.attn.W_{n}"].transpose(0, 1).reshape(width, width) for n in "QKV"]
        self.W_QKV = parameter(torch.cat(projections, 1))
        self.W_O = parameter(tensors["blocks.0.attn.W_O"].reshape(width, width))
        self.W_in, self.b_in = parameter(tensors["blocks.0.mlp.W_in"]), parameter(tensors["blocks.0.mlp.b_in"])
        self.W_out, self.b_out = parameter(tensors["blocks.0.mlp.W_out"]), parameter(tensors["blocks.0.mlp.b_out"])
        # The papers' code unembeds the token "=" too and drops its logit.
        self.W_U = parameter(F.pad(tensors["unembed.W_U"], (0, 1)))

    def mlp(self, x):
        return x + F.relu(x @ self.W_in + self.b_in) @ self.W_out + self.b_out

    def forward(self):
        if self.way == "dedup":
            return self.dedup()
        tokens = torch.stack([self.a, self.b, torch.full_like(self.a, self.p)], 1)
        x = F.embedding(tokens, self.W_E) + self.W_pos
        q, k, v = (x @ self.W_QKV).view(-1, 3, 3, self.heads, self.d_head).permute(2, 0, 3, 1, 4)
        if self.way == "last":
            z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = q @ k.transpose(-1, -2) / math.sqrt(self.d_head)
            later = torch.ones(3, 3, dtype=torch.bool, device=x.device).triu(1)
            z = scores.masked_fill(later, float("-inf")).softmax(-1) @ v
        x = x + z.transpose(1, 2).reshape(x.shape) @ self.W_O
        if self.way == "last":
            return (self.mlp(x[:, -1]) @ self.W_U)[:, : self.p]
        return (self.mlp(x) @ self.W_U)[:, -1, : self.p]

    def dedup(self):
        p, width, heads = self.p, self.W_E.shape[1], (self.heads, self.d_head)
        equals = self.W_E[p] + self.W_pos[2]
        rows = torch.cat([self.W_E[:p] + self.W_pos[0], self.W_E[:p] + self.W_pos[1], equals[None]])  # [2p+1, D]
        query = (equals @ self.W_QKV[:, :width]).view(heads)
        keys, values = (rows @ self.W_QKV[:, width:]).view(-1, 2, *heads).unbind(1)
        scores = torch.einsum("rhd,hd->rh", keys, query) / math.sqrt(self.d_head)
        pattern = torch.stack([scores[self.a], scores[p + self.b], scores[-1].expand(len(self.a), -1)], 1).softmax(1)
        written = torch.einsum("rhd,hdm->rhm", values, self.W_O.view(*heads, width))  # what each row writes, per head
        x = equals + torch.einsum("bh,bhm->bm", pattern[:, 0], written[self.a])
        x = x + torch.einsum("bh,bhm->bm", pattern[:, 1], written[p + self.b]) + pattern[:, 2] @ written[-1]
        return self.mlp(x) @ self.W_U[:, :p]


class Mlp(nn.Module):
    def __init__(self, tensors):
        super().__init__()
        self.inputs = tensors["inputs"]
        names = ["embed.W_E", "blocks.0.mlp.W_in", "blocks.0.mlp.b_in", "unembed.W_U", "unembed.b_U"]
        self.weights = nn.ParameterList([nn.Parameter(tensors[name].clone()) for name in names])

    def forward(self):
        W_E, W_in, b_in, W_U, b_U = self.weights
        x = F.embedding(self.inputs[:, 0], W_E) + F.embedding(self.inputs[:, 1], W_E)
        return F.relu(x @ W_in + b_in) @ W_U + b_U


def token_loss(network, tensors):
    return lambda: F.cross_entropy(network().double(), tensors["targets"])


def endless(loader):
    while True:
        yield from loader


def mnist(way, tensors, size=200):
    images, targets = tensors["inputs"], F.one_hot(tensors["targets"], 10).float()
    layers = []
    for W, b in [("blocks.0.mlp.W_in", "blocks.0.mlp.b_in"), ("blocks.1.mlp.W_in", "blocks.1.mlp.b_in"),
                 ("unembed.W_U", "unembed.b_U")]:
        layer = nn.Linear(*tensors[W].shape)
        layer.weight, layer.bias = nn.Parameter(tensors[W].t().contiguous()), nn.Parameter(tensors[b].clone())
        layers += [layer, nn.ReLU()]
    network = nn.Sequential(*layers[:-1])
    order, taken = [], 0
    if way == "loader":
        pairs = torch.utils.data.TensorDataset(images, targets)
        batches = endless(torch.utils.data.DataLoader(pairs, batch_size=size, shuffle=True))

    def loss():
        if way == "loader":
            batch, wanted = next(batches)
            return F.mse_loss(network(batch), wanted)
        nonlocal order, taken
        if taken % (len(images) // size) == 0:  # an epoch
            order = torch.randperm(len(images), device=images.device).split(size)
        batch = order[taken % len(order)]
        taken += 1
        return F.mse_loss(network(images[batch]), targets[batch])

    return network, loss, F.mse_loss(network(images), targets).item()


def stepper(arguments):
    tensors = {name: tensor.to(arguments.device) for name, tensor in read_safetensors(arguments.data).items()}
    first_loss = None
    if arguments.model == "mnist":
        network, loss, first_loss = mnist(arguments.way, tensors)
    else:
        network = Mlp(tensors) if arguments.model == "mlp" else Transformer(arguments.way, tensors)
        loss = token_loss(network, tensors)
    if arguments.compile:
        loss = torch.compile(loss, mode=arguments.compile)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=1.0,
                                  fused=True if arguments.fused else None)

    def step():
        optimizer.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        optimizer.step()
        return value.detach()

    return step, first_loss if first_loss is not None else float(step())


def peak_mb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def main():
    parser = argparse.ArgumentParser(description="One training step in Python PyTorch; see the head of this file.")
    parser.add_argument("model", choices=["transformer", "mlp", "mnist"])
    parser.add_argument("way", choices=["plain", "last", "dedup", "gather", "eager", "loader"])
    parser.add_argument("--compile", metavar="MODE", help="a mode of torch.compile")
    parser.add_argument("--fused", action="store_true", help="the fused AdamW")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--data", help="weights, inputs and targets")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    wait = torch.cuda.synchronize if arguments.device.startswith("cuda") else lambda: None
    step, first_loss = stepper(arguments)
    for _ in range(3):
        step()
    wait()
    with open("/proc/self/clear_refs", "w") as memory:
        memory.write("5")  # the peak starts anew: what compiling took is not the step's
    print(json.dumps({"first_loss": first_loss}), flush=True)
    for line in sys.stdin:
        step()
        wait()
        start = time.perf_counter()
        for _ in range(int(line)):
            value = step()
        wait()
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "loss": float(value), "peak_mb": peak_mb()}), flush=True)


if __name__ == "__main__":
    main()
