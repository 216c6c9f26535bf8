"""Whether a long training grows: a million tiny steps with every hook, watched from outside.

usage: soak.py LOGODDS OUT.md [--steps N]

Each second the resident memory of the process and the step it is at are read. After the first fifth, in which caches
fill, the rest is cut into ten blocks of equal length: memory per step is the slope through their means, time per step that of
each block; both come with the 95 % interval of a straight line through ten points. Ends with 1 where all of that of
memory is above 1 MiB per million steps, or all of that of time above a tenth over the run.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

CONFIG = """
threads: 1
task: {kind: modular_addition, p: 5, train_fraction: 0.6, random_labels: 0.2}
model: {kind: transformer, d_model: 4, heads: 1, d_mlp: 8}
optimizer: {learning_rate: 0.001, weight_decay: 0.1}
runs: {seed: [0, 1]}
training: {steps: STEPS, evaluate_every_steps: 500, checkpoint_every_steps: 20000, keep_last_checkpoints: 2}
hooks:
  logit_decomposition: {every_steps: 500}
  logit_bloat: {every_steps: 500}
  weight_norms: {every_steps: 500}
  gradient_alignment: {every_steps: 500}
  softmax_collapse: {every_steps: 500}
  effective_rates: {every_steps: 500}
  margins: {every_steps: 500}
  memorisation: {every_steps: 500}
  slingshot: {every_steps: 500}
  learning_coefficient: {every_steps: 20000, chains: 2, burn_in: 50, draws: 50}
"""
BLOCKS = 10
STUDENT = 2.306  # 97.5 % of t with 8 degrees of freedom


def resident(pid):
    """Anonymous resident memory, bytes: what is allocated, not what files are mapped."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon:"))


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def last_step(metrics):
    with open(metrics, "rb") as file:
        file.seek(max(0, os.path.getsize(metrics) - 65536))
        lines = [line for line in file.read().split(b"\n") if line.startswith(b'{"step":')]
    return int(lines[-1].split(b":")[1].split(b",")[0]) if lines else 0


def watch(program, steps, place):
    """Samples (step, resident bytes, processor seconds)."""
    config = os.path.join(place, "soak.yaml")
    with open(config, "w") as file:
        file.write(CONFIG.replace("STEPS", str(steps)))
    process = subprocess.Popen([program, "train", config, "--out", os.path.join(place, "run")], stderr=subprocess.DEVNULL)
    metrics, samples = os.path.join(place, "run", "metrics.jsonl"), []
    while process.poll() is None:
        time.sleep(1)
        try:
            samples.append((last_step(metrics), resident(process.pid), processor_seconds(process.pid)))
        except (OSError, StopIteration, IndexError):
            continue  # it is starting, or has just ended
    if process.returncode != 0:
        sys.exit(f"the training ended with {process.returncode}")
    return samples


def line(points):
    """Slope through (x, y) and the half-width of its 95 % interval."""
    n = len(points)
    x_mean, y_mean = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - x_mean) ** 2 for x, _ in points)
    slope = sum((x - x_mean) * (y - y_mean) for x, y in points) / spread
    rest = sum((y - y_mean - slope * (x - x_mean)) ** 2 for x, y in points)
    return slope, STUDENT * (rest / (n - 2) / spread) ** 0.5


def blocks(samples, steps):
    """Of each block: its middle, its mean memory, its processor seconds per step."""
    made = []
    for i in range(BLOCKS):
        begin, end = (steps * (0.2 + 0.8 * j / BLOCKS) for j in (i, i + 1))
        inside = [sample for sample in samples if begin <= sample[0] < end]
        if len(inside) < 3:
            sys.exit("too few samples: take more steps")
        memory = sum(bytes for _, bytes, _ in inside) / len(inside)
        made.append(((begin + end) / 2, memory, (inside[-1][2] - inside[0][2]) / (inside[-1][0] - inside[0][0])))
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("out")
    parser.add_argument("--steps", type=int, default=1000000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        samples = watch(os.path.abspath(arguments.program), arguments.steps, place)
    parts = blocks(samples, arguments.steps)
    memory, memory_width = line([(x, y) for x, y, _ in parts])
    each, each_width = line([(x, y) for x, _, y in parts])
    mean_time = sum(t for _, _, t in parts) / BLOCKS
    growth, growth_width = memory * 1e6 / 2**20, memory_width * 1e6 / 2**20
    slower, slower_width = (1e2 * width * 0.8 * arguments.steps / mean_time for width in (each, each_width))
    text = (f"`./dev soak`: {arguments.steps} steps of two tiny transformers with every hook each 500 steps (learning_coefficient, which itself takes steps: each 20 000), one thread.\n\n"
            "| | first block | last block | change, 95 % interval |\n|---|---|---|---|\n"
            f"| resident memory, MiB | {parts[0][1] / 2**20:.1f} | {parts[-1][1] / 2**20:.1f} | "
            f"{growth:+.2f} ± {growth_width:.2f} per million steps |\n"
            f"| processor time per step, µs | {1e6 * parts[0][2]:.1f} | {1e6 * parts[-1][2]:.1f} | "
            f"{slower:+.1f} ± {slower_width:.1f} % over the run |\n")
    with open(arguments.out, "w") as file:
        file.write("# Whether a long training grows\n\n" + text)
    print(text)
    flat = growth - growth_width <= 1 and slower - slower_width <= 10
    sys.exit(0 if flat else "it grows")


main()
