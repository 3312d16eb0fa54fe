"""How fast are the chains? HMC on Bayesian logistic regression (wdbc, 569 × 30), in effective draws a second.

Everybody gets the same model, trajectories of ten leapfrog steps, the same warm-up, and is judged by the same
effective sample size: that of the worst of the 31 parameters, in bulk or tail.
"""

import math
import time
import warnings

from course_lib.inference.chains import collect, hamiltonian
from course_lib.inference.diagnostics import effective_sample_size
from course_lib.models import Bayesian, ConditionalBernoulli
from course_lib.rng import seeded

import torch
from compare import Row, medians
from sklearn.datasets import load_breast_cancer

CHAINS, WARM_UP, DRAWS, LEAPFROG = 4, 300, 500, 10


def data() -> tuple[torch.Tensor, torch.Tensor]:
    x, y = (torch.tensor(part, dtype=torch.float64) for part in load_breast_cancer(return_X_y=True))
    return (x - x.mean(0)) / x.std(0), y


def rate(draws: torch.Tensor, begin: float) -> float:
    """Effective draws a second: draws (draws, chains, parameters)."""
    seconds = time.perf_counter() - begin
    return min(effective_sample_size(draws, kind).min().item() for kind in ("bulk", "tail")) / seconds


def ours() -> float:
    x, y = data()
    posterior = Bayesian(ConditionalBernoulli(30, generator=seeded(0)).double(), prior_scale=1.0)
    start = torch.zeros(CHAINS, posterior.dimensions, dtype=torch.float64)
    begin = time.perf_counter()
    process = hamiltonian(lambda w: posterior.log_joint(w, x, y), start, seeded(1), step_size=0.1,
                          leapfrog_steps=LEAPFROG, warm_up=WARM_UP)
    return rate(collect(process, DRAWS).z, begin)


def pyro() -> float:
    import pyro
    import pyro.distributions as dist
    from pyro.infer import HMC, MCMC

    x, y = data()

    def model() -> None:
        w = pyro.sample("w", dist.Normal(x.new_zeros(30), 1.0).to_event(1))
        b = pyro.sample("b", dist.Normal(x.new_zeros(()), 1.0))
        with pyro.plate("data", len(x)):
            pyro.sample("y", dist.Bernoulli(logits=x @ w + b), obs=y)

    pyro.set_rng_seed(1)
    kernel = HMC(model, step_size=0.1, num_steps=LEAPFROG, target_accept_prob=0.8)
    begin = time.perf_counter()
    chain = MCMC(kernel, num_samples=DRAWS, warmup_steps=WARM_UP, disable_progbar=True)     # one chain: they queue up
    chain.run()
    draws = chain.get_samples()
    return rate(torch.cat([draws["w"], draws["b"][:, None]], 1)[:, None], begin)


def numpyro() -> float:
    import jax
    import numpyro
    import numpyro.distributions as dist
    from numpyro.infer import HMC, MCMC

    jax.config.update("jax_enable_x64", True)
    x, y = (part.numpy() for part in data())

    def model() -> None:
        w = numpyro.sample("w", dist.Normal(0.0, 1.0).expand([30]).to_event(1))
        b = numpyro.sample("b", dist.Normal(0.0, 1.0))
        numpyro.sample("y", dist.Bernoulli(logits=x @ w + b), obs=y)

    begin = time.perf_counter()
    kernel = HMC(model, step_size=0.1, num_steps=LEAPFROG, trajectory_length=None, target_accept_prob=0.8)
    chain = MCMC(kernel, num_warmup=WARM_UP, num_samples=DRAWS, num_chains=CHAINS, chain_method="vectorized",
                 progress_bar=False)
    chain.run(jax.random.PRNGKey(1))
    draws = {name: torch.tensor(part.tolist()) for name, part in chain.get_samples(group_by_chain=True).items()}
    return rate(torch.cat([draws["w"], draws["b"][..., None]], -1).movedim(0, 1), begin)


def rows() -> list[Row]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        speed = medians({"ours": ours, "Pyro": pyro, "NumPyro": numpyro}, repeats=3)
    what = f"HMC, logistic regression (wdbc 569 × 30), {CHAINS} chains, float64: effective draws/s"
    assert all(math.isfinite(value) for value in speed.values())
    return [Row(what, f"{speed['ours']:,.0f}", f"{peer} {speed[peer]:,.0f}", f"{speed['ours'] / speed[peer]:.2f}", goal)
            for peer, goal in (("Pyro", "≥ 1"), ("NumPyro", "printed"))]
