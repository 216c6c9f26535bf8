"""Writes arviz_reference.safetensors: draws, and what ArviZ says of how well they mixed.

    pip install arviz==0.22.0 numpy safetensors && python arviz_reference.py
"""
import arviz
import numpy as np
from safetensors.numpy import save_file

random = np.random.default_rng(0)


def autoregressive(chains, draws, correlation, offsets=0.0):
    x = np.zeros((chains, draws))
    for t in range(1, draws):
        x[:, t] = correlation * x[:, t - 1] + random.standard_normal(chains)
    return x + offsets


cases = {
    "independent": random.standard_normal((4, 250)),
    "autoregressive": autoregressive(6, 401, 0.9),
    "antithetic": autoregressive(4, 300, -0.5),
    "apart": autoregressive(4, 200, 0.5, np.array([[0.0], [0.0], [1.0], [3.0]])),
    "heavy_tails": random.standard_cauchy((3, 500)),
    "unequal_widths": random.standard_normal((4, 200)) * np.array([[1.0], [1.0], [2.0], [5.0]]),
    "ties": np.round(autoregressive(4, 150, 0.3)),
    "drift": random.standard_normal((4, 200)) + np.linspace(0, 3, 200),
}
tensors = {}
for name, draws in cases.items():
    tensors[name + ".draws"] = draws
    tensors[name + ".figures"] = np.array(
        [arviz.rhat(draws, method="rank"), arviz.ess(draws, method="bulk"), arviz.ess(draws, method="tail")]
    )
    print(name, tensors[name + ".figures"])
save_file(tensors, "arviz_reference.safetensors", {"arviz": arviz.__version__, "numpy": np.__version__})
