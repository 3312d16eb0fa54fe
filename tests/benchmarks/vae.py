"""How fast is training? The VAE 784-400-20 beside Lightning, Pyro, bare PyTorch and its matrix products alone."""

import logging
import time
import warnings
from functools import partial

from course_lib.models import VAE
from course_lib.rng import seeded
from course_lib.training import fit, gradient_descent

import torch
from compare import Row, medians
from torch import nn
from torch.nn import functional as F

IMAGES, PIXELS, HIDDEN, LATENTS, LR = 20_000, 784, 400, 20, 1e-3


def ours(x: torch.Tensor, batch: int) -> float:
    model = VAE(PIXELS, LATENTS, hidden=(HIDDEN,), generator=seeded(0))
    process = gradient_descent(model, x, seeded(1), steps=len(x) // batch, batch_size=batch, lr=LR)
    begin = time.perf_counter()
    fit(process, every=len(x))
    return len(x) / (time.perf_counter() - begin)


class Plain(nn.Module):
    """The same network, written with nothing of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(PIXELS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * LATENTS))
        self.decoder = nn.Sequential(nn.Linear(LATENTS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, PIXELS))

    def loss(self, x: torch.Tensor) -> torch.Tensor:
        loc, log_variance = self.encoder(x).chunk(2, -1)
        z = loc + torch.randn_like(loc) * (0.5 * log_variance).exp()
        reconstruction = F.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum")
        kl = 0.5 * (loc.square() + log_variance.exp() - 1 - log_variance).sum()
        return (reconstruction + kl) / len(x)


def lightning(x: torch.Tensor, batch: int) -> float:
    import lightning
    from torch.utils.data import DataLoader, TensorDataset

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = Plain()

        def training_step(self, rows: list[torch.Tensor], index: int) -> torch.Tensor:
            return self.network.loss(rows[0])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), lr=LR)

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    loader = DataLoader(TensorDataset(x), batch_size=batch, shuffle=True, drop_last=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                  # it would like worker processes: they are slower here
        trainer = lightning.Trainer(max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
                                    enable_progress_bar=False, enable_model_summary=False)
        begin = time.perf_counter()
        trainer.fit(Module(), loader)
    return len(x) / (time.perf_counter() - begin)


def pyro(x: torch.Tensor, batch: int) -> float:
    import pyro
    import pyro.distributions as dist
    from pyro.infer import SVI, Trace_ELBO

    pyro.clear_param_store()
    network = Plain()

    def model(rows: torch.Tensor) -> None:
        pyro.module("decoder", network.decoder)
        with pyro.plate("data", len(rows)):
            z = pyro.sample("z", dist.Normal(rows.new_zeros(LATENTS), 1.0).expand([len(rows), LATENTS]).to_event(1))
            likelihood = dist.Bernoulli(logits=network.decoder(z), validate_args=False).to_event(1)
            pyro.sample("x", likelihood, obs=rows)

    def guide(rows: torch.Tensor) -> None:
        pyro.module("encoder", network.encoder)
        with pyro.plate("data", len(rows)):
            loc, log_variance = network.encoder(rows).chunk(2, -1)
            pyro.sample("z", dist.Normal(loc, (0.5 * log_variance).exp()).to_event(1))

    inference = SVI(model, guide, pyro.optim.Adam({"lr": LR}), Trace_ELBO())
    begin = time.perf_counter()
    for rows in torch.randperm(len(x)).split(batch)[: len(x) // batch]:
        inference.step(x[rows])
    return len(x) / (time.perf_counter() - begin)


def bare(x: torch.Tensor, batch: int) -> float:
    """The shortest loop that PyTorch allows: no look at whether the loss is finite, no state to save."""
    network = Plain()
    update = torch.optim.Adam(network.parameters(), lr=LR, fused=True)
    begin = time.perf_counter()
    for rows in torch.randperm(len(x)).split(batch)[: len(x) // batch]:
        loss = network.loss(x.index_select(0, rows))
        update.zero_grad()
        loss.backward()
        update.step()
    return len(x) / (time.perf_counter() - begin)


def products(x: torch.Tensor, batch: int) -> float:
    """The matrix products of one pass forward and backward through the four layers, and nothing else."""
    shapes = [(PIXELS, HIDDEN), (HIDDEN, 2 * LATENTS), (LATENTS, HIDDEN), (HIDDEN, PIXELS)]
    layers = [(torch.randn(batch, a), torch.randn(a, b), torch.randn(batch, b)) for a, b in shapes]
    begin = time.perf_counter()
    for _ in range(len(x) // batch):
        for index, (into, weight, gradient) in enumerate(layers):
            _ = into @ weight, into.mT @ gradient
            if index > 0:                                # nothing flows back into the data
                _ = gradient @ weight.mT
    return len(x) / (time.perf_counter() - begin)


def rows() -> list[Row]:
    x = torch.rand(IMAGES, PIXELS, generator=seeded(0)).round()
    found = []
    for batch, share in ((128, "≥ 0.7"), (512, "≥ 0.8")):
        contestants = {"Lightning": (lightning, "≥ 1.25"), "Pyro's SVI": (pyro, "≥ 1.4"),
                       "a bare PyTorch loop": (bare, "printed"), "its matrix products alone": (products, share)}
        runs = {"ours": partial(ours, x, batch)} | {k: partial(f, x, batch) for k, (f, _) in contestants.items()}
        speed = medians(runs)
        found += [Row(f"VAE {PIXELS}-{HIDDEN}-{LATENTS}, batch {batch}, float32: images/s", f"{speed['ours']:,.0f}",
                      f"{name} {speed[name]:,.0f}", f"{speed['ours'] / speed[name]:.2f}", goal)
                  for name, (_, goal) in contestants.items()]
    return found
