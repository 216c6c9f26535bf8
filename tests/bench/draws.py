"""Draws per second of `logodds llc` beside devinterp's, on the same trained weights, and whether both find the same λ̂.

    python tests/bench/draws.py RUN --build build/release --peer-python PYTHON [--chains 64] [--draws 60] [--out FILE]

RUN is a run directory of experiments/configs/nanda2023.yaml. PYTHON has torch, and devinterp: 2.0.1, the newest on
PyPI, or 1.3.2, whose loop does less. Both sides sample by SGLD with the same step size, localisation, inverse
temperature, batch size, burn-in and threads, from the same weights and training examples; devinterp on the transformer
of tests/bench/peer.py, every position computed, only the last unembedded (`--way dedup`: as an expert would write it).
2.x is called as its quickstart does, all else at its defaults, among them the batch size and that every draw also
evaluates three batches of the training set; its λ̂ averages over burn-in, too, so it is compared with none. Time is
that of the steps, burn-in included, our program's start included. A draw is one step of one chain after burn-in; steps
are counted alike.
"""
import argparse
import importlib.metadata
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

T975 = {3: 4.303, 4: 3.182, 5: 2.776, 8: 2.365, 16: 2.131, 32: 2.040, 64: 1.998}  # Student's t, n - 1 degrees of freedom


def interval(chains):
    """Mean over the chains and half the width of its 95 % interval."""
    n = len(chains)
    mean = sum(chains) / n
    error = math.sqrt(sum((x - mean) ** 2 for x in chains) / (n - 1) / n)
    return mean, T975[max(k for k in T975 if k <= n)] * error


def ours(arguments):
    words = [f"{arguments.build}/logodds", "llc", arguments.run, "--run", "0", "--json", "--threads",
             str(arguments.threads), f"sampler.step_size={arguments.step_size}", f"localisation={arguments.localisation}",
             f"chains={arguments.chains}", f"burn_in={arguments.burn_in}", f"draws={arguments.draws}",
             f"batch_size={arguments.batch_size}"]
    begin = time.perf_counter()
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - begin
    if done.returncode not in (0, 6):  # 6: refused, which the few draws of a benchmark may be
        raise SystemExit(f"draws: {' '.join(words)} ended with status {done.returncode}")
    row = json.loads(done.stdout)
    return {"seconds": seconds, "llc": [row[f"llc-chain/{i}"] for i in range(arguments.chains)], "nbeta": row["nbeta"],
            "init_loss": row["init_loss"], "command": " ".join(words)}


def theirs(arguments, nbeta, init_loss):
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/data.safetensors"
        with open(data, "wb") as file:
            subprocess.run([f"{arguments.build}/tests/bench/logodds_contender", "export", f"{arguments.run}/config.yaml"],
                           stdout=file, check=True)
        task = {"data": data, "nbeta": nbeta, "init_loss": init_loss, **vars(arguments)}
        done = subprocess.run([arguments.peer_python, os.path.abspath(__file__), "--devinterp", json.dumps(task)],
                              stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"draws: devinterp ended with status {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def sample_with_devinterp(task):
    import torch

    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import peer

    torch.set_num_threads(task["threads"])
    tensors = peer.read_safetensors(task["data"])  # the training examples; its weights are the initial ones
    newest = max(pathlib.Path(task["run"], "checkpoints").iterdir())
    tensors.update(peer.read_safetensors(newest / "run-0.safetensors"))
    model = peer.Transformer(task["way"], tensors)
    major = int(importlib.metadata.version("devinterp").split(".")[0])
    sample = sample_with_version_2 if major >= 2 else sample_with_version_1
    begin = time.perf_counter()
    coefficients = sample(task, model, tensors["inputs"], tensors["targets"])
    print(json.dumps({"seconds": time.perf_counter() - begin, "llc": coefficients}))


def sample_with_version_2(task, model, inputs, targets):
    import datasets
    import torch
    from devinterp.slt.llc import llc

    # Sequences are "input, answer": the loss of the answer is that of the one token that is predicted.
    p = int(inputs.max()) + 1
    pairs = torch.stack([inputs[:, 0] * p + inputs[:, 1], targets], 1)
    data = datasets.Dataset.from_dict({"input_ids": pairs.tolist()}).with_format("torch")

    def loss(network, sequences):
        network.a, network.b = sequences[:, 0] // p, sequences[:, 0] % p
        return torch.nn.functional.cross_entropy(network(), sequences[:, 1], reduction="none").unsqueeze(1)

    found = llc(model=model, dataset=data, observables={"train": data}, loss_fn=loss, lr=task["step_size"],
                n_beta=task["nbeta"], localization=task["localisation"], num_chains=task["chains"],
                num_draws=task["draws"], num_burnin_steps=task["burn_in"], batch_size=task["batch_size"], device="cpu")
    return [float(x) for x in found["llc_per_chain"]]


def sample_with_version_1(task, model, inputs, targets):
    import torch
    from devinterp.optim import SGLD
    from devinterp.slt.sampler import estimate_learning_coeff_with_summary

    data = torch.utils.data.TensorDataset(inputs, targets)
    size = task["batch_size"] or len(data)
    loader = torch.utils.data.DataLoader(data, batch_size=size, shuffle=True, drop_last=True)

    def evaluate(network, batch):
        pairs, answers = batch
        network.a, network.b = pairs.unbind(1)
        return torch.nn.functional.cross_entropy(network(), answers)

    found = estimate_learning_coeff_with_summary(
        model, loader, evaluate=evaluate, sampling_method=SGLD,
        optimizer_kwargs={"lr": task["step_size"], "localization": task["localisation"], "nbeta": task["nbeta"]},
        num_chains=task["chains"], num_draws=task["draws"], num_burnin_steps=task["burn_in"], num_steps_bw_draws=1,
        init_loss=task["init_loss"], device="cpu", cores=1, verbose=False)
    return [float(found[f"llc-chain/{i}"]) for i in range(task["chains"])]


def main():
    if sys.argv[1:2] == ["--devinterp"]:
        return sample_with_devinterp(json.loads(sys.argv[2]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--chains", type=int, default=64)
    parser.add_argument("--burn-in", type=int, default=0)
    parser.add_argument("--draws", type=int, default=60)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--step-size", type=float, default=3e-5)
    parser.add_argument("--localisation", type=float, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--way", choices=["plain", "last", "dedup"], default="last")
    parser.add_argument("--out")
    arguments = parser.parse_args()
    us = ours(arguments)
    them = theirs(arguments, us["nbeta"], us["init_loss"])
    steps = arguments.chains * (arguments.burn_in + arguments.draws)
    result = {"settings": vars(arguments), "ratio": them["seconds"] / us["seconds"]}
    for name, found in [("logodds", us), ("devinterp", them)]:
        mean, half = interval(found["llc"])
        result[name] = {"seconds": found["seconds"], "steps_per_second": steps / found["seconds"], "llc": mean,
                        "llc_95": [mean - half, mean + half]}
        print(f"{name:10} {found['seconds']:8.1f} s  {steps / found['seconds']:8.1f} steps/s  λ̂ {mean:.2f} ± {half:.2f}")
    low, high = zip(result["logodds"]["llc_95"], result["devinterp"]["llc_95"])
    result["intervals_overlap"] = max(low) <= min(high)
    print(f"{result['ratio']:.1f} × devinterp's; intervals {'overlap' if result['intervals_overlap'] else 'do not overlap'}")
    if arguments.out:
        with open(arguments.out, "w") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
