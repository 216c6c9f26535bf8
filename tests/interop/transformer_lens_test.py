"""Loads what `logodds export RUN DIR --reference` wrote into TransformerLens and compares it with logodds itself.

usage: transformer_lens_test.py DIR...     exits with 1 where a logit or an activation differs
"""
import json
import sys

import torch
from safetensors.torch import load_file
from transformer_lens import HookedTransformer, HookedTransformerConfig


def difference(theirs, ours):
    """Largest difference of finite entries (logits: nats); infinities must stand in the same places."""
    finite = torch.isfinite(ours)
    if theirs.shape != ours.shape or not torch.equal(finite, torch.isfinite(theirs)):
        return float("inf")
    return (ours[finite] - theirs[finite]).abs().max().item()


def load(directory):
    config = HookedTransformerConfig.from_dict(json.load(open(f"{directory}/config.json")))
    model = HookedTransformer(config)
    missing, unexpected = model.load_state_dict(load_file(f"{directory}/model.safetensors"), strict=False)
    # Only TransformerLens's own constants may be absent from the file.
    assert not unexpected and all(name.endswith((".mask", ".IGNORE")) for name in missing), (missing, unexpected)
    return model.double()  # the weights are float32 numbers; what is compared is the function


def compare(directory):
    model, reference = load(directory), load_file(f"{directory}/reference.safetensors")
    inputs, traced = reference.pop("inputs"), reference.pop("traced")
    if model.cfg.n_ctx > inputs.shape[1]:  # the "=" token, the last of the vocabulary
        inputs = torch.cat([inputs, torch.full_like(inputs[:, :1], model.cfg.d_vocab - 1)], 1)
    with torch.no_grad():
        differences = {"logits": difference(model(inputs)[:, -1], reference.pop("logits"))}
        _, cache = model.run_with_cache(inputs[traced])
        for name, ours in reference.items():
            differences[name] = difference(cache[name], ours)
        _, labels = cache.get_full_resid_decomposition(expand_neurons=False, return_labels=True)
    worst = max(differences, key=differences.get)
    print(f"{directory}: {inputs.shape[0]} inputs, logits {differences['logits']:.1e}; "
          f"{len(reference)} activations, largest {differences[worst]:.1e} ({worst}); parts {' '.join(labels)}")
    return differences[worst] <= 1e-5


if __name__ == "__main__":
    torch.set_num_threads(1)
    results = [compare(directory) for directory in sys.argv[1:]]
    sys.exit(0 if results and all(results) else 1)
