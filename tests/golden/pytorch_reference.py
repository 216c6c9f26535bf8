"""Writes pytorch_reference.safetensors: logits, losses, gradients and trained weights computed by Python PyTorch.

    python tests/golden/pytorch_reference.py tests/golden/pytorch_reference.safetensors

Needs torch and safetensors. Everything is float64, so the stored numbers are exact to about 1e-12. The models are
written here from their equations, not from logodds' code; tests/golden/pytorch_test.cpp compares.
"""
import sys

import torch
from safetensors.torch import save_file

torch.set_default_dtype(torch.float64)
P, D, H, M = 7, 8, 2, 12
K = D // H


def pairs(generator):
    index = torch.randperm(P * P, generator=generator)[:30]
    return torch.stack([index // P, index % P], 1)


def transformer_weights(generator, equals):
    shapes = {
        "embed.W_E": (P + equals, D), "pos_embed.W_pos": (2 + equals, D),
        "blocks.0.attn.W_Q": (H, D, K), "blocks.0.attn.W_K": (H, D, K), "blocks.0.attn.W_V": (H, D, K),
        "blocks.0.attn.W_O": (H, K, D), "blocks.0.mlp.W_in": (D, M), "blocks.0.mlp.b_in": (M,),
        "blocks.0.mlp.W_out": (M, D), "blocks.0.mlp.b_out": (D,), "unembed.W_U": (D, P),
    }
    return {name: torch.randn(shape, generator=generator) * 0.5 for name, shape in shapes.items()}


def transformer(w, inputs, equals, causal, mix, activation):
    tokens = inputs
    if equals:
        tokens = torch.cat([inputs, torch.full((len(inputs), 1), P)], 1)
    x = w["embed.W_E"][tokens] + w["pos_embed.W_pos"]
    heads = []
    for h in range(H):
        q, k, v = (x @ w["blocks.0.attn.W_" + n][h] for n in "QKV")
        s = q @ k.transpose(1, 2) / K**0.5
        seen = torch.ones_like(s[0]).tril().bool() if causal else torch.ones_like(s[0]).bool()
        a = torch.softmax(s.masked_fill(~seen, -torch.inf), -1)
        a = mix * a + (1 - mix) * seen
        heads.append(a @ v @ w["blocks.0.attn.W_O"][h])
    x = x + sum(heads)
    x = x + activation(x @ w["blocks.0.mlp.W_in"] + w["blocks.0.mlp.b_in"]) @ w["blocks.0.mlp.W_out"] + w["blocks.0.mlp.b_out"]
    return (x @ w["unembed.W_U"])[:, -1]


def mlp_weights(generator):
    shapes = {"embed.W_E": (2, P, D), "blocks.0.mlp.W_in": (2 * D, M), "blocks.0.mlp.b_in": (M,),
              "blocks.1.mlp.W_in": (M, M), "blocks.1.mlp.b_in": (M,), "unembed.W_U": (M, P), "unembed.b_U": (P,)}
    return {name: torch.randn(shape, generator=generator) * 0.5 for name, shape in shapes.items()}


def mlp(w, inputs):
    x = torch.cat([w["embed.W_E"][0][inputs[:, 0]], w["embed.W_E"][1][inputs[:, 1]]], 1)
    for layer in range(2):
        x = torch.nn.functional.gelu(x @ w[f"blocks.{layer}.mlp.W_in"] + w[f"blocks.{layer}.mlp.b_in"])
    return x @ w["unembed.W_U"] + w["unembed.b_U"]


def record(out, case, weights, forward, inputs, make_optimizer, steps):
    targets = inputs.sum(1) % P
    leaves = {name: w.clone().requires_grad_(True) for name, w in weights.items()}
    for name, w in weights.items():
        out[f"{case}/weights/{name}"] = w
    logits = forward(leaves, inputs)
    loss = torch.nn.functional.cross_entropy(logits, targets)
    loss.backward()
    out[f"{case}/inputs"], out[f"{case}/targets"] = inputs, targets
    out[f"{case}/logits"], out[f"{case}/loss"] = logits.detach(), loss.detach().reshape(1)
    for name, w in leaves.items():
        out[f"{case}/gradients/{name}"] = w.grad.clone()
    optimizer, schedule = make_optimizer(leaves.values())
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(forward(leaves, inputs), targets).backward()
        optimizer.step()
        if schedule:
            schedule.step()
    for name, w in leaves.items():
        out[f"{case}/trained/{name}"] = w.detach().clone()


def adamw(parameters):
    optimizer = torch.optim.AdamW(parameters, lr=1e-2, betas=(0.9, 0.98), weight_decay=0.5, eps=1e-8)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(step / 10, 1))


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.05, momentum=0.9, weight_decay=0.01), None


def main(path):
    generator = torch.Generator().manual_seed(20261124)
    out = {}
    relu, square = torch.relu, torch.square
    for case, equals, causal, mix, activation in [("equals", 1, True, 1.0, relu), ("pizza", 0, False, 0.25, square)]:
        w = transformer_weights(generator, equals)
        forward = lambda w, x, e=equals, c=causal, m=mix, a=activation: transformer(w, x, e, c, m, a)
        record(out, case, w, forward, pairs(generator), adamw, 100)
    record(out, "mlp", mlp_weights(generator), mlp, pairs(generator), sgd, 100)
    save_file({name: tensor.contiguous() for name, tensor in out.items()}, path)


if __name__ == "__main__":
    main(sys.argv[1])
