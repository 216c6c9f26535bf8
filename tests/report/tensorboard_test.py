"""Event files read back by TensorBoard itself.

usage: tensorboard_test.py LOGODDS; ends with 77 where the package tensorboard is not there.
"""
import json
import os
import subprocess
import sys
import tempfile

ENVIRONMENT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.deps/tensorboard"))
PYTHON = os.path.join(ENVIRONMENT, "bin/python")  # a link to the Python that made it: not to be resolved
if os.path.exists(PYTHON) and os.path.realpath(sys.prefix) != ENVIRONMENT:
    os.execv(PYTHON, [PYTHON, *sys.argv])  # the environment that ./dev test made
try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    print("skipped: the package tensorboard is not here; ./dev test installs it into .deps/tensorboard")
    sys.exit(77)

CONFIG = """
threads: 1
task: {kind: modular_addition, p: 11, train_fraction: 0.5}
model: {kind: mlp, d_embed: 8, hidden: [16]}
runs: {seed: [0, 1], weight_decay: [1, 0]}
training: {steps: 30, evaluate_every_steps: 10}
hooks: {logit_decomposition: {every_steps: 10}, weight_norms: {every_steps: 10}}
"""

program = os.path.abspath(sys.argv[1])
with tempfile.TemporaryDirectory() as place:
    def logodds(*arguments):
        subprocess.run([program, *arguments], cwd=place, check=True, capture_output=True)

    with open(os.path.join(place, "c.yaml"), "w") as file:
        file.write(CONFIG)
    logodds("train", "c.yaml", "--out", "run")
    for _ in range(2):  # the second time replaces, and does not repeat, the first
        logodds("table", "run", "--tensorboard", "events", "--vectors")
    with open(os.path.join(place, "run", "metrics.jsonl")) as file:
        rows = [json.loads(line) for line in file]
    names = ["seed=0,weight_decay=1", "seed=0,weight_decay=0", "seed=1,weight_decay=1", "seed=1,weight_decay=0"]
    assert sorted(os.listdir(os.path.join(place, "events", "run"))) == sorted(names)
    compared = 0
    for run, name in enumerate(names):
        events = EventAccumulator(os.path.join(place, "events", "run", name), size_guidance={"scalars": 0})
        events.Reload()  # checks every length and checksum
        read = {(tag, event.step): event.value for tag in events.Tags()["scalars"] for event in events.Scalars(tag)}
        written = {}
        for row in rows:
            if row["run"] != run:
                continue
            for column, value in row.items():
                tag = column.replace(".", "/", 1)
                for name, number in [(tag, value)] if not isinstance(value, list) else [
                        (f"{tag}[{i}]", entry) for i, entry in enumerate(value)]:
                    if column not in ("step", "run", "seed") and isinstance(number, (int, float)):
                        written[name, row["step"]] = number
        assert read.keys() == written.keys(), read.keys() ^ written.keys()
        for key, value in written.items():
            assert abs(read[key] - value) <= 1e-6 * abs(value), (key, read[key], value)
            compared += 1
    print(f"TensorBoard reads {compared} numbers as they were written")
    assert compared > 500, compared  # 4 runs × 4 evaluations × what the hooks say
