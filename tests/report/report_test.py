"""Reports in a real browser: what is drawn, what reacts, and that no text of a file is taken for a page.

usage: report_test.py LOGODDS [UNITTEST ARGUMENTS]; ends with 77 where there is no Chromium or Chrome. Screenshots are left
in $LOGODDS_SCREENSHOTS, where that is set.
"""
import csv
import io
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.insert(0, os.path.dirname(__file__))
import browser as browsers

HOSTILE = "x<script>window.hacked=1</script>"  # of two directories, as it has a slash
COLUMN = "</script><img src=x onerror=window.hacked=1>"
PACK = """
threads: 1
task: {kind: modular_addition, p: 11, train_fraction: 0.5}
model: {kind: transformer, d_model: 16, heads: 2, d_mlp: 32}
runs: {seed: [0, 1], weight_decay: [1, 0]}
training: {steps: 40, evaluate_every_steps: 10, checkpoint_every_steps: 10, keep_last_checkpoints: 4}
hooks:
  logit_decomposition: {every_steps: 10, key_fve: 0}  # every circuit is key, whatever so small a network learns
  logit_bloat: {every_steps: 10}
  weight_norms: {every_steps: 10}
"""
SWEEP = """
threads: 1
task: {kind: modular_addition, p: 11, train_fraction: 0.8}
model: {kind: mlp, d_embed: 32, hidden: [64]}
optimizer: {learning_rate: 0.03}
training: {steps: 150, evaluate_every_steps: 10, checkpoint_every_steps: 150}
hooks: {logit_decomposition: {basis: neuron_clusters, every_steps: 50}}
sweep: {optimizer.weight_decay: [0, 1], seed: {count: 3}}
"""
IMAGES = """
threads: 1
task: {kind: mnist, train_size: 200, test_size: 100}
model: {kind: mlp, hidden: [16]}
training: {steps: 20, evaluate_every_steps: 10, checkpoint_every_steps: 20}
"""
WORLD = """
threads: 1
task: {kind: forecasters, channel: coin, features: 3, accuracy: 0.9, train_size: 512, test_size: 512}
model: {kind: forecaster_ensemble, hidden: []}
loss: binary_logistic
optimizer: {kind: adamw, learning_rate: 0.1, weight_decay: 0}
runs: {seed: [0, 1], task.shown: [1, 2, 3]}
training: {steps: 50, evaluate_every_steps: 50, checkpoint_every_steps: 50}
theory: {loss: , loss_slope: }
"""


def logodds(*arguments, code=0, **environment):
    done = subprocess.run([PROGRAM, *arguments], cwd=PLACE, capture_output=True, text=True,
                          env={**os.environ, "OMP_WAIT_POLICY": "passive", **environment})
    assert done.returncode == code, (arguments, done.returncode, done.stderr)
    return done.stdout + done.stderr


def train(name, text, command="train"):
    with open(os.path.join(PLACE, "c.yaml"), "w") as file:
        file.write(text)
    logodds(command, "c.yaml", "--out", name)
    return name


def rewrite_metrics(run, change):
    """Changes each row of a run's metrics: what a figure needs to show, so small a network may not have learnt."""
    path = os.path.join(PLACE, run, "metrics.jsonl")
    with open(path) as file:
        rows = [json.loads(line) for line in file]
    with open(path, "w") as file:
        for row in rows:
            file.write(json.dumps({**row, **change(row)}) + "\n")


def shown(view):
    return f"window.logodds.views.find(view => view.figure.id === '{view}')"


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pack = train(HOSTILE, PACK)
        rewrite_metrics(HOSTILE, lambda row: {COLUMN: row["step"] + 1.5, "logit_bloat.s_star_test": row["step"] - 15})
        with open(os.path.join(PLACE, HOSTILE, "config.yaml"), "a") as file:
            file.write(f"# {COLUMN}\n")
        cls.sweep = train("sweep", SWEEP, "sweep")
        for decay in (0, 1):
            for seed in range(3):
                rewrite_metrics(f"sweep/weight_decay={decay},seed={seed}",
                                lambda row: {"test_accuracy": float(decay == 1 and row["step"] >= 100 + 10 * seed)})
        cls.hostile_sweep = cls.make_hostile_sweep()
        cls.images = train("images", IMAGES)
        cls.world = train("world", WORLD)
        for name in (cls.pack, cls.sweep, cls.images, cls.world, cls.hostile_sweep):
            logodds("report", name)
        cls.page = browsers.Browser(BROWSER)

    @classmethod
    def make_hostile_sweep(cls):
        """A copy of the sweep whose every text that may come from a file is one for a browser to run."""
        name = HOSTILE + "-sweep"
        shutil.copytree(os.path.join(PLACE, cls.sweep), os.path.join(PLACE, name))
        with open(os.path.join(PLACE, name, "sweep.yaml"), "a") as file:
            file.write(f"# {COLUMN}\n")
        runs = [os.path.join(name, entry.name) for entry in os.scandir(os.path.join(PLACE, name)) if entry.is_dir()]
        texts = lambda row: {key: [COLUMN] * len(value) for key, value in row.items()
                             if isinstance(value, list) and value and isinstance(value[0], str)}
        for run in runs:
            rewrite_metrics(run, lambda row: {**texts(row), COLUMN: COLUMN, HOSTILE: row["step"]})
        with open(os.path.join(PLACE, runs[0], "failure.json"), "w") as file:
            json.dump({"exit_code": 6, "message": COLUMN}, file)
        return name

    @classmethod
    def tearDownClass(cls):
        cls.page.close()

    def open(self, name):
        self.page.problems.clear()
        self.page.open(os.path.join(PLACE, name, "report.html"))
        if os.environ.get("LOGODDS_SCREENSHOTS"):
            self.page.screenshot(os.path.join(os.environ["LOGODDS_SCREENSHOTS"], self.id().split(".")[-1] + ".png"))

    def drawn(self):
        """Of each figure: how many marks stand in it."""
        self.assertEqual(self.page.problems, [])
        self.assertEqual(self.page.evaluate("performance.getEntriesByType('resource').length"), 0, "it loads something")
        # Of the drawings alone: the page also holds the source of Plotly, which speaks of NaN.
        self.assertEqual(self.page.evaluate("window.logodds.views.filter(view => /NaN|undefined/.test(view.plot.innerHTML))"
                                            ".map(view => view.figure.id)"), [], "marks without a place")
        return self.page.evaluate(
            "Object.fromEntries(window.logodds.views.map(view => [view.figure.id, view.plot.querySelectorAll("
            "'.main-svg path.js-line, .main-svg path.point, .main-svg .point path, .main-svg .hm image').length]))")

    def assert_all_drawn(self, *ids):
        found = self.drawn()
        self.assertEqual(sorted(found), sorted(ids))
        self.assertEqual([name for name, marks in found.items() if marks == 0], [])
        self.assertEqual(self.page.problems, [])

    def test_a_pack_has_its_figures(self):
        self.open(self.pack)
        self.assert_all_drawn("learning", "family_optimizer_weight_decay", "bloat", "circuits", "restricted_loss", "evidence",
                              "loss_by_circuits", "neurons", "weight_norms", "columns")

    def test_what_a_logarithmic_axis_has_no_place_for_is_a_gap(self):
        self.open(self.pack)
        steps, values = self.page.evaluate(shown("bloat") + ".plot.data.filter(trace => trace.meta.includes('s_star_test'))"
                                           ".map(trace => [trace.x, trace.y])[0]")
        self.assertEqual(steps, [10, 20, 30, 40])
        self.assertEqual(values, [None, 5, 15, 25])
        self.page.evaluate("document.querySelector('input[value=linear]').click()")
        self.assertEqual(self.page.evaluate(shown("bloat") + ".plot.data[0].x"), [0, 10, 20, 30, 40])

    def test_a_sweep_has_its_families_and_clusters_that_come_and_go(self):
        self.open(self.sweep)
        self.assert_all_drawn("learning", "grok_optimizer_weight_decay", "family_optimizer_weight_decay", "circuits",
                              "restricted_loss", "evidence", "loss_by_circuits", "neurons")
        points, medians = self.page.evaluate(shown("grok_optimizer_weight_decay") + ".plot.data.map(trace => "
                                             "[trace.y, trace.marker.symbol])")
        self.assertEqual(points, [[150] * 3 + [100, 110, 120], ["triangle-up-open"] * 3 + ["circle"] * 3])
        self.assertEqual(medians, [[110, 150], ["square", "triangle-up-open"]])

    def test_images_show_the_evidence_of_their_patches(self):
        self.open(self.images)
        self.assert_all_drawn("learning", "evidence", "loss_by_circuits", "pictures")
        self.assertEqual(self.drawn()["pictures"], 12)  # six images, and patches on each

    def test_theory_stands_beside_what_was_measured(self):
        self.open(self.world)
        self.assertIn("theory", self.drawn())
        names = self.page.evaluate(shown("theory") + ".plot.data.map(trace => trace.name)")
        self.assertEqual(set(names), {"theory", "measured"})

    def test_formulas_have_indices_and_exponents(self):
        self.open(self.pack)
        html = self.page.evaluate("document.querySelector('#loss_by_circuits .formula').innerHTML")
        self.assertIn("Σ<sub>δ≠0</sub> e<sup>−m(δ)</sup>", html)

    def test_texts_of_files_are_texts(self):
        self.open(self.pack)
        self.assertFalse(self.page.evaluate("'hacked' in window"))
        self.assertEqual(self.page.evaluate("document.getElementById('title').textContent"), HOSTILE)
        self.assertEqual(self.page.evaluate("document.title"), HOSTILE)
        options = self.page.evaluate(shown("columns") + ".figure.controls[0].options")
        self.assertIn(COLUMN, options)
        self.page.evaluate(shown("columns") + f".choose(0, {options.index(COLUMN)}).then(() => 'drawn')")
        header = self.page.evaluate(shown("columns") + ".csv()").splitlines()[0]
        self.assertIn(COLUMN, next(csv.reader([header])))
        # Two runs side by side: the path is a name in every legend.
        logodds("report", self.pack, self.images, "-o", "both.html")
        self.page.open(os.path.join(PLACE, "both.html"))
        legend = self.page.evaluate(shown("learning") + ".plot.querySelector('.legend').textContent")
        self.assertIn("<script>", legend)
        self.assertFalse(self.page.evaluate("'hacked' in window"))
        self.assertEqual(self.page.problems, [])

    def test_texts_of_a_sweep_are_texts(self):
        self.open(self.hostile_sweep)
        self.assertEqual(self.page.evaluate("document.title"), self.hostile_sweep)
        self.assertIn(COLUMN, self.page.evaluate("document.getElementById('configuration').textContent"))
        self.assertIn(HOSTILE, self.page.evaluate(shown("columns") + ".figure.controls[0].options"))
        for view in self.drawn():
            self.page.evaluate(f"{shown(view)}.figure.controls.forEach((control, i) => control.options.forEach((_, j) => "
                               f"{shown(view)}.choose(i, j)))")
        self.assertEqual(self.page.evaluate("document.querySelectorAll('img[onerror]').length"), 0)
        self.assertFalse(self.page.evaluate("'hacked' in window"))
        self.assertEqual(self.page.problems, [])

    def test_the_data_of_a_figure_are_those_of_the_table(self):
        self.open(self.pack)
        mine = list(csv.DictReader(io.StringIO(self.page.evaluate(shown("bloat") + ".csv()"))))
        table = list(csv.DictReader(io.StringIO(logodds("table", self.pack))))
        self.assertEqual(len(mine), len(table))
        key = lambda row: (row["step"], row["run"])
        for ours, theirs in zip(sorted(mine, key=key), sorted(table, key=key)):
            for name, value in ours.items():
                self.assertEqual(value, theirs[name], name)

    def test_the_pointer_shows_what_a_point_is(self):
        self.open(self.pack)
        place = self.page.evaluate(
            "(() => { scrollTo(0, 0); const plot = " + shown("learning") + ".plot; plot.scrollIntoView({block: 'center'});"
            "const {left, top} = plot.getBoundingClientRect(), {xaxis: x, yaxis: y} = plot._fullLayout;"
            "const trace = plot.data[0], i = trace.x.length - 1;"
            "return [left + x._offset + x.c2p(trace.x[i]), top + y._offset + y.c2p(trace.y[i]), trace.y[i]]; })()")
        self.page.mouse(place[0] - 30, place[1])
        self.page.mouse(place[0], place[1])
        text = self.page.evaluate(
            "new Promise(async resolve => { const text = () => document.querySelector('.hoverlayer').textContent;"
            "while (!text()) await new Promise(next => setTimeout(next, 20)); resolve(text()); })")
        self.assertIn("weight_decay", text)
        self.assertAlmostEqual(float(text.split(": ")[-1].replace("−", "-")), place[2], delta=2e-3 * abs(place[2]))

    def test_slider_and_choices_change_what_is_drawn(self):
        self.open(self.pack)
        bars = "JSON.stringify(" + shown("evidence") + ".plot.data[0].x)"
        last = self.page.evaluate(bars)
        self.assertEqual(self.page.evaluate(shown("evidence") + ".output.textContent.trim()"), "40")
        self.page.evaluate(shown("evidence") + ".inputs[2].focus()")
        self.page.key("ArrowLeft")
        self.assertEqual(self.page.evaluate(shown("evidence") + ".output.textContent.trim()"), "30")
        earlier = self.page.evaluate(bars)
        self.assertNotEqual(earlier, last)
        self.page.evaluate(shown("evidence") + ".inputs[1].focus()")
        self.page.key("ArrowDown")
        self.assertNotEqual(self.page.evaluate(bars), earlier)
        self.page.evaluate("document.querySelector('input[value=linear]').click()")
        self.assertEqual(self.page.evaluate(shown("learning") + ".plot.layout.xaxis.type ?? 'linear'"), "linear")
        self.assertEqual(self.page.problems, [])

    def test_the_bars_add_up_to_what_inspect_says(self):
        logodds("report", self.pack, "--input", "3,4", "-o", "one.html")
        self.page.open(os.path.join(PLACE, "one.html"))
        said = json.loads(logodds("inspect", self.pack, "--input", "3,4", "--json"))
        values = self.page.evaluate(shown("evidence") + ".plot.data[0].x")
        self.assertAlmostEqual(sum(values), said["margin"], delta=1e-4)
        by_label = {circuit["label"]: circuit["evidence"] for circuit in said["circuits"]}
        places = self.page.evaluate(shown("evidence") + ".plot.layout.yaxis.ticktext")
        for place, value in zip(places, values):
            self.assertAlmostEqual(by_label[place], value, delta=1e-4)

    def test_it_can_be_printed(self):
        self.open(self.pack)
        paper = self.page.pdf()
        self.assertTrue(paper.startswith(b"%PDF"))
        if os.environ.get("LOGODDS_SCREENSHOTS"):
            with open(os.path.join(os.environ["LOGODDS_SCREENSHOTS"], "print.pdf"), "wb") as file:
                file.write(paper)
        widths = self.page.evaluate("window.dispatchEvent(new Event('beforeprint')),"
                                    "window.logodds.views.map(view => view.plot.layout.width)")
        self.assertTrue(all(width <= 703 for width in widths), "wider than A4 without its margins")

    def test_figures_are_files_for_papers(self):
        logodds("report", self.pack, "--figures", "figures")
        names = {name.split(".")[0] for name in os.listdir(os.path.join(PLACE, "figures"))}
        self.open(self.pack)
        self.assertEqual(names, set(self.drawn()))
        for name in names:
            root = xml.etree.ElementTree.parse(os.path.join(PLACE, "figures", name + ".svg")).getroot()
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
            with open(os.path.join(PLACE, "figures", name + ".png"), "rb") as file:
                head = file.read(24)
            self.assertEqual(head[:8], b"\x89PNG\r\n\x1a\n")
            self.assertEqual(int.from_bytes(head[16:20], "big"), math.floor(3 * float(root.get("width"))))

    def test_without_a_browser_figures_are_refused_in_one_sentence(self):
        said = logodds("report", self.pack, "-o", "none.html", "--figures", "none", code=2, PATH="/nowhere",
                       LOGODDS_BROWSER="/nowhere/chromium")
        self.assertEqual(said, "LOGODDS_BROWSER: '/nowhere/chromium' is not a program that can be started\n")
        self.assertFalse(os.path.exists(os.path.join(PLACE, "none.html")))


if __name__ == "__main__":
    PROGRAM, BROWSER = os.path.abspath(sys.argv.pop(1)), browsers.find()
    if BROWSER is None:
        print("skipped: neither Chromium nor Chrome is here to open reports with")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as PLACE:
        unittest.main(verbosity=2)
