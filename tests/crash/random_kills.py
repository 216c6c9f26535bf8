#!/usr/bin/env python3
"""Kills `logodds train` with SIGKILL at random times, continues it, and prints a table of what that did.

usage: random_kills.py PROGRAM KILLS [SEED]

Each run goes on from kill to kill until it is finished; then its metrics and its checkpoint are held byte for byte
against those of a run that nothing happened to, and another run begins. After every kill `logodds check` must find
nothing damaged, and what is continued must say so. Ends with 1 where any of this does not hold.
"""
import collections
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

STEPS, CHECKPOINT_EVERY = 400, 20
CONFIG = f"""\
task: {{kind: modular_addition, p: 23, train_fraction: 0.5}}
model: {{kind: mlp, d_embed: 16, hidden: [64]}}
runs: {{seed: [0, 1]}}
threads: 1
hooks: {{logit_bloat: {{every_steps: 10}}}}
training: {{steps: {STEPS}, evaluate_every_steps: 10, checkpoint_every_steps: {CHECKPOINT_EVERY}, keep_every_steps: 100}}
"""


def fail(message):
    print("random_kills: " + message, file=sys.stderr)
    sys.exit(1)


def command(program, run):
    if (run / "config.yaml").exists():
        return [program, "train", str(run / "config.yaml"), "--resume"]
    return [program, "train", str(run.parent / "c.yaml"), "--out", str(run)]


def newest_checkpoint(run):
    return max((int(path.parent.name) for path in run.glob("checkpoints/[0-9]*/manifest.json")
                if path.parent.name.isdigit()), default=None)


def last_step(run):
    rows = (run / "metrics.jsonl").read_bytes().split(b"\n")[:-1] if (run / "metrics.jsonl").exists() else []
    return json.loads(rows[-1])["step"] if rows else 0


def situation(run):
    """Where in the life of a run the process was killed."""
    if not (run / "config.yaml").exists():
        return "before or while the run was created"
    if any((run / "checkpoints").glob("*.partial")):
        return "while a checkpoint was written or removed"
    if newest_checkpoint(run) is None:
        return "before the first checkpoint"
    return "after the last step" if last_step(run) == STEPS else "between two checkpoints"


def result(run):
    files = [run / "metrics.jsonl", *sorted(run.glob("checkpoints/*/*"))]
    return {str(path.relative_to(run)): path.read_bytes() for path in files}


def hold_against(whole, run):
    if result(run) != result(whole):
        fail(f"{run} ended with other bytes than a run that nothing happened to")


def check_said(text, run, before, began):
    """What the process that was killed had said about where it begins: nothing may begin again in silence."""
    if "in " + str(run) not in text:
        return  # it did not get that far
    if before is not None and "continuing" not in text:
        fail(f"{run}: had checkpoint {before} and was not continued:\n{text}")
    if before is None and began and "has no checkpoint yet: it begins again" not in text:
        fail(f"{run}: began again without saying so:\n{text}")


def main():
    program, kills, seed = str(pathlib.Path(sys.argv[1]).resolve()), int(sys.argv[2]), int((sys.argv[3:] or ["1"])[0])
    chance = random.Random(seed)
    table = collections.defaultdict(lambda: [0, 0, 0])  # kills, steps lost at most and in all
    finished = cut_back = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "c.yaml").write_text(CONFIG)
        whole = folder / "whole"
        begin = time.monotonic()
        subprocess.run(command(program, whole), check=True, capture_output=True)
        seconds = time.monotonic() - begin
        run, done = folder / "run-0", 0
        while done < kills:
            before, began = newest_checkpoint(run), (run / "config.yaml").exists()
            with open(folder / "said", "w+") as said:
                process = subprocess.Popen(command(program, run), stderr=said, stdout=said)
                try:
                    code = process.wait(timeout=chance.uniform(0, 0.8 * seconds))
                except subprocess.TimeoutExpired:
                    process.kill()
                    code = process.wait()
                said.seek(0)
                text = said.read()
            check_said(text, run, before, began)
            if code == 0:
                hold_against(whole, run)
                finished += 1
                run = folder / f"run-{finished}"
                continue
            if code != -9:
                fail(f"{run}: ended with {code}:\n{text}")
            done += 1
            lost = last_step(run) - (newest_checkpoint(run) or 0)
            row = table[situation(run)]
            row[0], row[1], row[2] = row[0] + 1, max(row[1], lost), row[2] + lost
            cut_back += lost > 0
            if (run / "config.yaml").exists():
                check = subprocess.run([program, "check", str(run)], capture_output=True, text=True)
                if check.returncode != 0:
                    fail(f"{run}: is damaged after a kill:\n{check.stderr}")
        subprocess.run(command(program, run), check=True, capture_output=True)
        hold_against(whole, run)
    print(f"{'killed':45} {'kills':>6} {'steps lost at most':>20} {'on average':>12}")
    for words, (count, most, total) in sorted(table.items()):
        print(f"{words:45} {count:6} {most:20} {total / count:12.1f}")
        if most > CHECKPOINT_EVERY:
            fail(f"{words}: {most} steps were lost, and a checkpoint is made every {CHECKPOINT_EVERY}")
    print(f"{done} kills, {finished + 1} runs finished with the bytes of an undisturbed one; metrics cut back {cut_back} "
          f"times; a run takes {seconds:.1f} s")


main()
