"""Writes pytorch_reference.safetensors: logits, losses, gradients and trained weights computed by Python PyTorch.

    python tests/golden/pytorch_reference.py tests/golden/pytorch_reference.safetensors

Needs torch and safetensors. Everything but "float32/" is float64, exact to about 1e-12. The models are
written here from their equations, not from logodds' code; tests/golden/pytorch_test.cpp and
tests/training/*_test.cpp compare.
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


def adam(parameters):
    return torch.optim.Adam(parameters, lr=5e-3, betas=(0.9, 0.98), weight_decay=0.1, eps=1e-8), None


def muon(named):
    """torch.optim.Muon wants [outputs, inputs] and rounds to bfloat16, which is taken out to compare exactly."""
    torch.Tensor.bfloat16 = lambda x: x
    hidden = [w for name, w in named.items() if "W_in" in name]
    others = [w for name, w in named.items() if "W_in" not in name]
    optimizers = [
        torch.optim.Muon(hidden, lr=0.02, weight_decay=0.1, momentum=0.95, nesterov=True, eps=1e-7, ns_steps=5),
        torch.optim.AdamW(others, lr=1e-2, betas=(0.9, 0.98), weight_decay=0.5, eps=1e-8)]
    return lambda: [optimizer.step() for optimizer in optimizers]


# What is done around the update, each from its equation; `state` is empty at the first step.
def orthogonal(weights, state):
    for w in weights:
        g, flat = w.grad.flatten(), w.detach().flatten()
        rest = g - (flat @ g) / (flat @ flat) * flat
        w.grad = (rest * g.norm() / rest.norm()).reshape(w.shape)


def orthogonal_global(weights, state):
    share = sum((w.detach() * w.grad).sum() for w in weights) / sum(w.detach().square().sum() for w in weights)
    for w in weights:
        w.grad = w.grad - share * w.detach()


def grokfast_ema(weights, state):
    slow = state.setdefault("slow", [w.grad.clone() for w in weights])
    for i, w in enumerate(weights):
        slow[i] = 0.9 * slow[i] + 0.1 * w.grad
        w.grad = w.grad + 2 * slow[i]


def grokfast_ma(weights, state):
    window = state.setdefault("window", [])
    window.append([w.grad.clone() for w in weights])
    if len(window) > 8:
        window.pop(0)
    if len(window) == 8:
        for i, w in enumerate(weights):
            w.grad = w.grad + 5 * sum(past[i] for past in window) / 8


def initial_norm(weights, state):
    state.setdefault("norm", sum(w.detach().square().sum() for w in weights).sqrt())


def rescale(weights, state):
    now = sum(w.detach().square().sum() for w in weights).sqrt()
    for w in weights:
        w.data *= state["norm"] / now


def l23(weights, state):
    w_in, w_out = weights
    (1e-2 * (w_in.square().sum(0) + w_out.square().sum(1)).pow(1.5).sum()).backward()


def stablemax(logits, targets):
    s = torch.where(logits >= 0, logits + 1, 1 / (1 - logits.clamp(max=0)))
    return -(s.gather(1, targets[:, None])[:, 0] / s.sum(1)).log().mean()


def train(out, case, weights, forward, inputs, make_step, loss=torch.nn.functional.cross_entropy,
          before=None, after=None, transposed=()):
    """Weights after 100 full-batch steps; those named in `transposed` are held as [outputs, inputs]."""
    targets = inputs.sum(1) % P
    leaves = {name: (w.T if name in transposed else w).clone().contiguous().requires_grad_(True)
              for name, w in weights.items()}
    seen = lambda: {name: w.T if name in transposed else w for name, w in leaves.items()}
    step, state = make_step(leaves), {}
    initial_norm(leaves.values(), state)
    for _ in range(100):
        for w in leaves.values():
            w.grad = None
        loss(forward(seen(), inputs), targets).backward()
        if before:
            before(list(leaves.values()), state)
        step()
        if after:
            after(leaves.values(), state)
    for name, w in seen().items():
        out[f"{case}/trained/{name}"] = w.detach().clone()


def one_hot_mlp(w, inputs):
    x = torch.cat([torch.nn.functional.one_hot(inputs[:, t], P).to(torch.get_default_dtype()) for t in range(2)], 1)
    return (x @ w["blocks.0.mlp.W_in"]).square() @ w["unembed.W_U"]


def methods(out, weights, inputs, generator):
    """Optimizers, losses, penalties and transforms, all from the weights and inputs of the case "mlp"."""
    by = lambda make: lambda leaves: make(leaves.values())[0].step
    train(out, "adam", weights, mlp, inputs, by(adam))
    train(out, "muon", weights, mlp, inputs, muon, transposed=[name for name in weights if "W_in" in name])
    train(out, "stablemax", weights, mlp, inputs, by(adam), loss=stablemax)
    for name, before, after in [
            ("orthogonal", orthogonal, None), ("orthogonal_global", orthogonal_global, None),
            ("grokfast_ema", grokfast_ema, None), ("grokfast_ma", grokfast_ma, None), ("constrained", None, rescale),
            ("grokfast_orthogonal", lambda w, s: (grokfast_ema(w, s), orthogonal(w, s)), None)]:
        train(out, name, weights, mlp, inputs, by(sgd), before=before, after=after)
    quadratic = {"blocks.0.mlp.W_in": torch.randn((2 * P, M), generator=generator) * 0.5,
                 "unembed.W_U": torch.randn((M, P), generator=generator) * 0.5}
    out.update({f"l23/weights/{name}": w for name, w in quadratic.items()})
    train(out, "l23", quadratic, one_hot_mlp, inputs, by(sgd), before=l23)
    logits = torch.randn((40, P), generator=generator).float() * 3
    logits[torch.arange(40), torch.arange(40) % P] += torch.arange(40)  # from uncertain to collapsed
    leaf = logits.clone().requires_grad_(True)
    losses = -torch.log_softmax(leaf, 1)[torch.arange(40), torch.arange(40) % P]
    losses.sum().backward()
    out["float32/logits"], out["float32/losses"], out["float32/gradients"] = logits, losses.detach(), leaf.grad


def main(path):
    generator = torch.Generator().manual_seed(20261124)
    out = {}
    relu, square = torch.relu, torch.square
    for case, equals, causal, mix, activation in [("equals", 1, True, 1.0, relu), ("pizza", 0, False, 0.25, square)]:
        w = transformer_weights(generator, equals)
        forward = lambda w, x, e=equals, c=causal, m=mix, a=activation: transformer(w, x, e, c, m, a)
        record(out, case, w, forward, pairs(generator), adamw, 100)
    weights, inputs = mlp_weights(generator), pairs(generator)
    record(out, "mlp", weights, mlp, inputs, sgd, 100)
    methods(out, weights, inputs, generator)
    save_file({name: tensor.contiguous() for name, tensor in out.items()}, path)


if __name__ == "__main__":
    main(sys.argv[1])
