"""Makes RESULTS.md of what tests/bench/compare.py measured: python tests/bench/results.py measured.json RESULTS.md"""
import json
import statistics
import sys


def median(values):
    return statistics.median(values)


def paired(function, *rows):
    """Median over the rounds of a function of the times within one round."""
    return median([function(*times) for times in zip(*[row["seconds"] for row in rows])])


def ms(seconds):
    return f"{1000 * seconds:.3g}" if seconds < 1 else f"{1000 * seconds:.0f}"


def code(text):
    return f"`{text}`"


def table(header, rows):
    """First column to the left, numbers to the right, the command to the left."""
    rule = ["---" if name in ("", "command", "goal", "reached") or name == header[0] else "---:" for name in header]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in [header, rule, *rows]) + "\n"


class Measured:
    def __init__(self, data):
        self.data, self.machine = data, data["machine"]
        self.steps = {row["name"]: row for row in data["steps"]}
        self.peak = self.steps["peak of fused multiply-adds"]
        self.hooks = {row["name"]: row for row in data["hooks"]}

    def ours_of(self, name):
        return self.steps.get(name.split(":")[0] + ": logodds")

    def times_ours(self, name):
        """How many of our steps one of this contender takes."""
        return paired(lambda theirs, ours: theirs / ours, self.steps[name], self.ours_of(name))

    def of_peak(self, name):
        row = self.steps[name]
        flop = self.ours_of(name)["flop"]
        return paired(lambda step, peak: flop / step / (self.peak["flop"] / peak), row, self.peak)

    def best_compiled(self, model):
        names = [name for name in self.steps if name.startswith(model) and "torch.compile" in name]
        return min(names, key=lambda name: median(self.steps[name]["seconds"]), default=None)

    def hook_share(self, label, hooks, every=100):
        """Of the time of training with these hooks at their default intervals."""
        step, bare = self.hooks[f"{label}: step"], self.hooks[f"{label}: no hook"]

        def share(step, bare, *with_hook):
            extra = sum(with_hook) - len(with_hook) * bare
            return extra / (every * step + bare + extra)

        return paired(share, step, bare, *[self.hooks[f"{label}: {hook}"] for hook in hooks])


MODELS = ["transformer", "MLP"]
HOOKS = ["logit_decomposition", "logit_bloat", "weight_norms"]


def goal_rows(m):
    def verdict(value, least, aim, smaller=False):
        reached = (lambda bound: value <= bound) if smaller else (lambda bound: value >= bound)
        return "the aim" if reached(aim) else "yes" if reached(least) else "no"

    def times(title, name, least, aim):
        if name is None:
            return [title, f"{least} ×", f"{aim} ×", "not measured", "", ""]
        ratio, command = m.times_ours(name), code(m.steps[name]["command"])
        return [title, f"{least} ×", f"{aim} ×", f"{ratio:.1f} ×", verdict(ratio, least, aim), command]

    transformer = m.steps["transformer: logodds"]
    peak = m.of_peak(transformer["name"])
    hooks = {label: m.hook_share(label, HOOKS) for label in MODELS}
    start = max(median(row["seconds"]) for row in m.data["first_step"])
    gpu = "not measured: no GPU" if not m.machine["gpu"] else "not measured: this table times the CPU"
    return [
        times("transformer step against a careful user's", "transformer: PyTorch eager, last position", 12, 16),
        times("transformer step against the best torch.compile", m.best_compiled("transformer"), 3, 4),
        times("MLP step against eager gather", "MLP: PyTorch eager, gather", 3.5, 5),
        [f"fraction of the {m.machine['threads']} cores' multiply-add peak, folded operations only", "60 %", "80 %",
         f"{100 * peak:.0f} %", verdict(peak, 0.6, 0.8), code(transformer["command"])],
        times("MNIST MLP against eager", "MNIST MLP: PyTorch eager", 3, 6),
        ["H100/H200: one run against eager / compiled with CUDA graphs", "10 × / 2 ×", "20 × / 4 ×", gpu, "", ""],
        ["H100/H200: 64 runs at once, steps per second against one eager run", "50 ×", "200 ×", gpu, "", ""],
        ["decomposition, bloat and weight hooks at default intervals, of training", "≤ 5 %", "≤ 2 %",
         ", ".join(f"{label} {100 * share:.1f} %" for label, share in hooks.items()),
         verdict(max(hooks.values()), 0.05, 0.02, smaller=True), "see *Evaluation and hooks*"],
        ["start of `logodds train` to the first step", "≤ 1 s", "≤ 0.5 s", f"{start:.2f} s",
         verdict(start, 1, 0.5, smaller=True), "see *Start*"],
    ]


def step_rows(m):
    for name, row in m.steps.items():
        if row is m.peak:
            continue
        counted = m.ours_of(name)["flop"] > 0  # not the products with the zeros of an image
        yield [name, ms(min(row["seconds"])), ms(median(row["seconds"])),
               f"{m.times_ours(name):.2f}", f"{100 * m.of_peak(name):.1f} %" if counted else "–",
               f"{row['peak_mb']:.0f}", code(row["command"])]


def cost_rows(m):
    base = m.data["costs"][0]
    for row in m.data["costs"]:
        yield [row["name"], ms(min(row["seconds"])), ms(median(row["seconds"])),
               f"{paired(lambda a, b: a / b, row, base):.2f}", f"{row['flop'] / median(row['seconds']) / 1e9:.0f}",
               f"{row['peak_mb']:.0f}", code(row["command"])]


def run_step_seconds(row):
    return median(row["seconds"]) / (row["runs"] * row["processes"])


def pack_rows(m):
    for row in m.data["packs"]:
        way = f"{row['processes']} processes" if row["processes"] > 1 else "one process"
        way += f", pack of {row['runs']}, {row['threads']} thread{'s' if row['threads'] > 1 else ''} each"
        seconds = run_step_seconds(row)
        yield [row["name"], way, ms(seconds), f"{1 / seconds:.0f}", f"{row['peak_mb']:.0f}", code(row["command"])]


def fastest_packs(m):
    lines = []
    for label in MODELS:
        rows = [(cells, row) for cells, row in zip(pack_rows(m), m.data["packs"]) if row["name"] == label]
        cells, row = min(rows, key=lambda pair: run_step_seconds(pair[1]))
        lines.append(f"{label}: {cells[1]} ({cells[2]} ms per run and step)")
    return "Fastest here: " + "; ".join(lines) + ".\n"


def hook_rows(m):
    for label in MODELS:
        bare = m.hooks[f"{label}: no hook"]
        for hook in ["no hook", *HOOKS]:
            row = m.hooks[f"{label}: {hook}"]
            own = hook != "no hook"
            yield [row["name"], ms(min(row["seconds"])), ms(median(row["seconds"])),
                   ms(paired(lambda a, b: a - b, row, bare)) if own else "–",
                   f"{100 * m.hook_share(label, [hook]):.2f} %" if own else "–", code(row["command"])]


def operator_rows(m):
    for row in m.data["operators"]:
        rate = f"{row['flop_per_s'] / 1e9:.0f}" if "flop_per_s" in row else "–"
        of_peak = f"{100 * row['of_peak']:.0f} %" if "of_peak" in row else "–"
        items = f"{row['items_per_second'] / 1e6:.3g}" if "items_per_second" in row else "–"
        name = row["name"].removesuffix("/real_time")
        yield [name, f"{row['real_time']:.3g}", rate, of_peak, items,
               code(f"logodds_bench --benchmark_filter={name}")]


def warnings(m):
    if m.data["quick"]:
        yield "**A quick run: few rounds and no compiled peers. It shows that the tool works, and measures nothing.**\n"
    if m.machine["load"] > 0.5:
        yield (f"**Measured while other programs ran (load {m.machine['load']:.1f} at the start): times are too long, "
               "ratios rough.**\n")


def document(m):
    one = m.machine
    environment = ", ".join(f"{key}={value}" for key, value in one["environment"].items()) or "no OMP_ variables set"
    yield "# Measured by `./dev bench`\n"
    yield from warnings(m)
    yield (f"{one['date']} · {one['logodds']} · {one['compiler']} · peers: PyTorch {one['torch']}, {one['python']} · "
           f"{one['cpu']}, {one['cores']} cores, {one['vectors']}, {one['threads']} threads, {environment} · "
           f"{m.peak['flop'] / min(m.peak['seconds']) / 1e9:.0f} GFLOP/s float32 at most "
           f"({code(m.peak['command'])}) · {m.data['minutes']:.1f} minutes\n")
    yield ("Contenders are processes that have warmed up and take turns; each round, each takes a batch of steps. A "
           "ratio is the median over the rounds of the ratio within a round. `contender` is "
           "`echo 100 | build/release/tests/bench/logodds_contender`, `peer` is "
           "`echo 100 | .deps/peer/bin/python tests/bench/peer.py` with `--data FILE`, FILE written by "
           "`contender export CONFIG`; 100 is how many steps are timed. All contenders of a model start from the same "
           "weights and samples, and from the same loss (checked). Memory is the largest resident set of the whole "
           "process after warming up.\n")
    yield "## Goals\n"
    yield table(["goal", "at least", "aim", "measured", "reached", "command"], goal_rows(m))
    yield "## One training step\n"
    flop = [f"{m.steps[label + ': logodds']['flop'] / 1e9:.2f} GFLOP for the {label}" for label in MODELS]
    yield ("p = 113, 3830 pairs, full batch, float32, AdamW; MNIST: 1000 images, batches of 200, squared error. \"of "
           f"peak\" counts, for every contender, the operations of our folded step ({', '.join(flop)}): matrix "
           "products and row mix, nothing that is computed element by element.\n")
    yield table(["step", "best ms", "median ms", "× logodds", "of peak", "MB", "command"], step_rows(m))
    yield "## Our transformer step against its sizes\n"
    yield "One thing changed at a time.\n"
    yield table(["changed", "best ms", "median ms", "× unchanged", "GFLOP/s", "MB", "command"], cost_rows(m))
    yield "## Many runs: packs or processes\n"
    yield fastest_packs(m)
    yield table(["model", "way", "ms per run and step", "run-steps per s", "MB", "command"], pack_rows(m))
    yield "## Evaluation and hooks\n"
    yield "Share: of training that evaluates and observes every 100 steps, the default.\n"
    yield table(["evaluation with", "best ms", "median ms", "hook alone, ms", "share", "command"], hook_rows(m))
    yield "## Operators\n"
    yield "On one thread, at the sizes of the transformer step; tile products on one tile.\n"
    yield table(["operator", "ms", "GFLOP/s", "of a core's peak", "million items/s", "command"], operator_rows(m))
    yield "## Where a step's time goes\n"
    for profile in m.data["profiles"]:
        yield f"{code(profile['command'])}\n\n```\n{profile['text']}```\n"
    yield "## Start\n"
    yield "Seconds from starting the program until step 0 is evaluated and the first step begins.\n"
    yield table(["configuration", "best s", "median s", "command"],
                [[row["name"], f"{min(row['seconds']):.2f}", f"{median(row['seconds']):.2f}", code(row["command"])]
                 for row in m.data["first_step"]])


def main():
    with open(sys.argv[1]) as file:
        measured = Measured(json.load(file))
    with open(sys.argv[2], "w") as file:
        file.write("\n".join(document(measured)))


if __name__ == "__main__":
    main()
