"""Lets contenders for one training step take turns and measures them; see `./dev bench`.

    python tests/bench/compare.py --build build/release --peer-python PYTHON [--quick] --out measured.json

Every contender is a process of its own that has warmed up (tests/bench/contender.cpp, tests/bench/peer.py). In each
round each of them takes a batch of steps; a ratio is the median over the rounds of the ratio within the round, so that
a machine that slows down for a while slows all of them. tests/bench/results.py makes the tables.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

TRANSFORMER = "experiments/configs/nanda2023.yaml"
MLP = ["experiments/configs/demo.yaml", "task.train_fraction=0.3", "runs={seed: [0]}"]
MNIST = "experiments/configs/omnigrok_mnist.yaml"
COMPILE = "max-autotune-no-cudagraphs"
SETTINGS = argparse.Namespace()  # build, python, data, threads, log: the same for all


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Contender:
    """A process that takes batches of steps. `words` start it; `command` is how a person would."""

    def __init__(self, name, words, command):
        self.name, self.command = name, command
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=SETTINGS.log,
                                        text=True)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"bench: {self.command} ended with status {self.process.wait()}; see {SETTINGS.log.name}")
        return json.loads(line)

    def await_warm(self):
        ready = self.read()
        self.first_loss, self.flop = ready.get("first_loss"), ready.get("flop")

    def start(self, steps):
        self.steps = steps
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()

    def finish(self):
        answer = self.read()
        self.seconds, self.peak_mb = answer["seconds"] / self.steps, answer["peak_mb"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def ours(name, *words, what="step"):
    words = [*words] if words else [TRANSFORMER]
    if not any(word.startswith("threads=") for word in words):
        words.append(f"threads={SETTINGS.threads}")
    program = os.path.join(SETTINGS.build, "tests/bench/logodds_contender")
    command = " ".join(["contender", what] + [f"'{word}'" if " " in word else word for word in words])
    return Contender(name, [program, what, *words], command)


def peer(name, *words):
    words = [*words]
    command = " ".join(["peer", *words])
    words += ["--threads", str(SETTINGS.threads), "--data", SETTINGS.data[words[0]]]
    return Contender(name, [SETTINGS.python, "tests/bench/peer.py", *words], command)


def take_turns(groups, rounds, seconds):
    """Rounds over groups of contenders; those of a group run at the same time. A row per group: seconds per step in
    each round (the slowest of a group), what they count, memory."""
    def batch(group, count):
        for member in group:
            member.start(count)
        for member in group:
            member.finish()
        return max(member.seconds for member in group)

    for group in groups:
        for member in group:
            member.await_warm()
    counts = [max(1, round(seconds / batch(group, 2))) for group in groups]
    times = [[] for _ in groups]
    for _ in range(rounds):
        for group, count, into in zip(groups, counts, times):
            into.append(batch(group, count))
    rows = []
    for group, into in zip(groups, times):
        first = group[0]
        rows.append({"name": first.name, "command": first.command, "processes": len(group), "seconds": into,
                     "flop": first.flop, "first_loss": first.first_loss,
                     "peak_mb": sum(member.peak_mb for member in group)})
        for member in group:
            member.close()
    return rows


def refuse_different_functions(rows, names):
    """Contenders for the same step must start from the same loss: they have the same weights and samples."""
    losses = {row["name"]: row["first_loss"] for row in rows if row["name"] in names}
    reference = next(iter(losses.values()))
    for name, loss in losses.items():
        if abs(loss - reference) > 1e-5 * abs(reference):
            raise SystemExit(f"bench: {name} computes another function: its first loss is {loss}, not {reference}")


def steps(quick):
    """The step of ours and of the peers."""
    contenders = [ours("peak of fused multiply-adds", what="peak")]
    transformer = [ours("transformer: logodds"), ours("transformer: LibTorch autograd, nothing folded", what="autograd"),
                   peer("transformer: PyTorch eager, plain", "transformer", "plain"),
                   peer("transformer: PyTorch eager, last position", "transformer", "last"),
                   peer("transformer: PyTorch eager, deduplicated", "transformer", "dedup")]
    mlp = [ours("MLP: logodds", *MLP), ours("MLP: LibTorch autograd, nothing folded", *MLP, what="autograd"),
           peer("MLP: PyTorch eager, gather", "mlp", "gather")]
    mnist = [ours("MNIST MLP: logodds", MNIST), peer("MNIST MLP: PyTorch eager", "mnist", "eager"),
             peer("MNIST MLP: PyTorch eager, DataLoader", "mnist", "loader")]
    if not quick:
        for way, label in [("last", "last position"), ("dedup", "deduplicated")]:
            for mode, title in [("default", ""), (COMPILE, " max-autotune")]:
                transformer.append(peer(f"transformer: torch.compile{title}, {label}", "transformer", way,
                                        "--compile", mode))
        mlp.append(peer("MLP: torch.compile max-autotune, gather", "mlp", "gather", "--compile", COMPILE))
    contenders += transformer + mlp + mnist
    say(f"{len(contenders)} contenders for the step warm up" + ("" if quick else " (compiling takes minutes at first)"))
    rows = take_turns([[one] for one in contenders], 3 if quick else 9, 0.05 if quick else 0.3)
    refuse_different_functions(rows, [one.name for one in transformer])
    refuse_different_functions(rows, [one.name for one in mlp])
    refuse_different_functions(rows, [one.name for one in mnist])
    return rows


def costs(quick):
    """Our step against its sizes, one changed at a time."""
    changes = [("the configuration itself", [])]
    changes += [(f"p = {p}", [f"task.p={p}"]) for p in ([53] if quick else [53, 71, 97, 151, 199, 251])]
    changes += [(f"{round(100 * share)} % of the pairs", [f"task.train_fraction={share}"])
                for share in ([0.1] if quick else [0.1, 0.2, 0.4, 0.6, 0.8])]
    changes += [(f"d_model {d}, {h} heads, d_mlp {m}", [f"model.d_model={d}", f"model.heads={h}", f"model.d_mlp={m}"])
                for d, h, m in ([(64, 2, 256)] if quick else [(32, 1, 128), (64, 2, 256), (256, 8, 1024)])]
    changes += [(f"R = {runs}", ["runs={seed: %s}" % list(range(runs))]) for runs in ([4] if quick else [4, 16])]
    changes.append(("one thread", ["threads=1"]))
    say(f"our step at {len(changes)} sizes")
    groups = [[ours(label, TRANSFORMER, *change)] for label, change in changes]
    return take_turns(groups, 2 if quick else 5, 0.05 if quick else 0.15)


def packs(quick):
    """What a run's step costs when many runs are trained: packs, or single-threaded processes side by side."""
    cases = [(runs, 0) for runs in ([1, 2] if quick else [1, 2, 4, 16])]
    cases += [(runs, 1) for runs in ([1] if quick else [1, 4, 8])]
    groups, notes = [], []
    for config, label in [([TRANSFORMER], "transformer"), (MLP[:2], "MLP")]:
        for runs, alone in cases:
            processes = SETTINGS.threads if alone else 1
            words = [*config, "runs={seed: %s}" % list(range(runs)), f"threads={1 if alone else SETTINGS.threads}"]
            groups.append([ours(label, *words) for _ in range(processes)])
            notes.append({"runs": runs, "threads": 1 if alone else SETTINGS.threads})
    say(f"packs and processes side by side: {len(groups)} ways")
    rows = take_turns(groups, 2 if quick else 5, 0.05 if quick else 0.2)
    return [row | note for row, note in zip(rows, notes)]


def hooks(quick):
    """An evaluation without hooks and with each, and the step, which they are held against."""
    groups = []
    for label, config in [("transformer", [TRANSFORMER]), ("MLP", MLP)]:
        groups.append([ours(f"{label}: step", *config)])
        for hook in ["no hook", "logit_decomposition", "logit_bloat", "weight_norms"]:
            chosen = "hooks={}" if hook == "no hook" else "hooks={%s: {}}" % hook
            words = [*config, chosen, "training.evaluate_every_steps=100"]
            groups.append([ours(f"{label}: {hook}", *words, what="evaluate")])
    say("evaluations with each hook")
    return take_turns(groups, 2 if quick else 7, 0.05 if quick else 0.15)


def first_step(quick):
    """Seconds from starting `logodds train` until it has evaluated step 0 and takes its first step."""
    rows = []
    for config in [TRANSFORMER, MLP[0]]:
        seconds = []
        for _ in range(2 if quick else 7):
            with tempfile.TemporaryDirectory() as folder:
                out = os.path.join(folder, "run")
                start = time.perf_counter()
                process = subprocess.Popen([os.path.join(SETTINGS.build, "logodds"), "train", config, "--out", out],
                                           stderr=subprocess.DEVNULL)
                metrics = os.path.join(out, "metrics.jsonl")
                while process.poll() is None and not (os.path.exists(metrics) and os.path.getsize(metrics)):
                    time.sleep(0.001)
                if process.poll() is not None:
                    raise SystemExit(f"bench: logodds train {config} ended with status {process.returncode}")
                seconds.append(time.perf_counter() - start)
                process.terminate()
                process.wait()
        rows.append({"name": config, "command": f"logodds train {config}", "seconds": seconds})
    return rows


def operators(quick):
    """Google Benchmark's own table, as it writes it."""
    say("operators")
    words = [os.path.join(SETTINGS.build, "tests/bench/logodds_bench"), "--benchmark_format=json",
             f"--benchmark_min_time={0.01 if quick else 0.2}"]
    output = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    return json.loads(output)["benchmarks"]


def profiles(quick):
    """What `logodds train --profile` prints."""
    texts = []
    for config in [TRANSFORMER, MLP[0]]:
        with tempfile.TemporaryDirectory() as folder:
            words = ["train", config, "--profile", f"training.steps={50 if quick else 300}"]
            done = subprocess.run([os.path.join(SETTINGS.build, "logodds"), *words, "--out", folder], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
            texts.append({"command": "logodds " + " ".join(words), "text": done.stdout})
    return texts


def output_of(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def machine():
    with open("/proc/cpuinfo") as file:
        info = dict(line.split(":", 1) for line in file.read().split("\n\n")[0].splitlines() if ":" in line)
    info = {key.strip(): value.strip() for key, value in info.items()}
    flags = [flag for flag in ["avx512f", "avx2", "asimd"] if flag in info.get("flags", "").split()]
    ask = "import torch; print(torch.__version__, torch.cuda.is_available() and torch.cuda.get_device_name(), sep=';')"
    torch, gpu = output_of(SETTINGS.python, "-c", ask).split(";")
    return {"cpu": info.get("model name", "unknown"), "cores": os.cpu_count(), "vectors": flags[0] if flags else "",
            "threads": SETTINGS.threads, "gpu": gpu if gpu != "False" else "", "load": os.getloadavg()[1],
            "python": output_of(SETTINGS.python, "--version"), "torch": torch,
            "compiler": output_of("c++", "--version").splitlines()[0],
            "logodds": output_of(os.path.join(SETTINGS.build, "logodds"), "--version"),
            "environment": {key: value for key, value in os.environ.items() if key.startswith("OMP_")},
            "date": time.strftime("%Y-%m-%d")}


def main():
    parser = argparse.ArgumentParser(description="Times training steps; see the head of this file.")
    parser.add_argument("--build", default="build/release", help="where logodds was built")
    parser.add_argument("--peer-python", required=True, help="a Python with torch")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--quick", action="store_true", help="no compiled peers, few rounds: does it all work?")
    parser.add_argument("--out", required=True, help="file for the measurements, JSON")
    arguments = parser.parse_args()
    SETTINGS.build, SETTINGS.python, SETTINGS.threads = arguments.build, arguments.peer_python, arguments.threads
    start = time.time()
    measured = {"quick": arguments.quick, "machine": machine()}
    with tempfile.TemporaryDirectory() as folder, open(arguments.out + ".log", "w") as SETTINGS.log:
        SETTINGS.data = {}
        for model, words in [("transformer", [TRANSFORMER]), ("mlp", MLP), ("mnist", [MNIST])]:
            SETTINGS.data[model] = os.path.join(folder, model)
            with open(SETTINGS.data[model], "wb") as file:
                subprocess.run([os.path.join(SETTINGS.build, "tests/bench/logodds_contender"), "export", *words],
                               stdout=file, check=True)
        for part in [first_step, operators, steps, costs, packs, hooks, profiles]:
            measured[part.__name__] = part(arguments.quick)
    measured["minutes"] = (time.time() - start) / 60
    with open(arguments.out, "w") as file:
        json.dump(measured, file, indent=1)


if __name__ == "__main__":
    main()
