"""Few labels in lesson 15: notebook 02's EM, a classifier alone, and a VAE that sums the label out."""

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from tqdm.auto import tqdm

from ... import rng
from ...metrics import Estimate, estimate
from ...models import SemiSupervisedVAE
from ..n02_what_generative_models_buy import digits

LATENTS, HIDDEN, STEPS, BATCH, RATE = 4, (64,), 250, 40, 2e-2
LABELLED = 20  # of a minibatch, at most


def train(x: Tensor, known: Tensor, seed: int, *, unlabelled: bool = True) -> SemiSupervisedVAE:
    """Learn from labels (known >= 0) and, if asked, from digits without (known == -1); else the classifier alone."""
    model = SemiSupervisedVAE(64, LATENTS, 10, hidden=HIDDEN, alpha=10.0, generator=rng.seeded(seed)).float()
    update = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    schedule, generator = CosineAnnealingLR(update, STEPS), rng.seeded(seed)
    labelled, others = (asked.nonzero()[:, 0] for asked in (known >= 0, known == -1))
    for _ in range(STEPS):
        rows = labelled[rng.rows(len(labelled), min(LABELLED, len(labelled)), generator)]
        if unlabelled:
            both = torch.cat([others[rng.rows(len(others), BATCH, generator)], rows])
            losses = model.loss(x[both], known[both], generator)
            loss = losses[:BATCH].mean() + losses[BATCH:].mean()
        else:
            loss = nn.functional.cross_entropy(model.classifier(x[rows]), known[rows])
        update.zero_grad()
        loss.backward()
        update.step()
        schedule.step()
    return model.requires_grad_(False)


def accuracy(model: SemiSupervisedVAE, x: Tensor, y: Tensor) -> Tensor:
    """The share of right answers of q(y | x)."""
    return (model.probabilities(x).argmax(-1) == y).double().mean()


def curve(counts: list[int], deals: int = 3) -> dict[str, list[Estimate]]:
    """Right answers with `counts` labels a class, and what 4,000 digits without label add: in points, over deals."""
    x, y = digits.pictures()
    found: dict[str, list[Estimate]] = {}
    bar = tqdm(total=len(counts) * deals, desc="deals", leave=False)
    for labels in counts:
        known, test = digits.deal(y, labels, deals, rng.seeded(labels))
        few = digits.learn(x, known.where(known >= 0, -2), steps=0)
        values = {"naive Bayes": digits.accuracy(x, y, test, few),
                  "naive Bayes + unlabelled (EM)": digits.accuracy(x, y, test, digits.learn(x, known, steps=12))}
        for name, unlabelled in (("network", False), ("network + unlabelled (VAE)", True)):
            made = []
            for seed, (row, asked) in enumerate(zip(known, test)):
                made.append(accuracy(train(x, row, seed, unlabelled=unlabelled), x[asked], y[asked]))
                bar.update(unlabelled)
            values[name] = torch.stack(made)
        values["gain of EM"] = values["naive Bayes + unlabelled (EM)"] - values["naive Bayes"]
        values["gain of the VAE"] = values["network + unlabelled (VAE)"] - values["network"]
        values["VAE minus EM"] = values["network + unlabelled (VAE)"] - values["naive Bayes + unlabelled (EM)"]
        for name, shares in values.items():
            found.setdefault(name, []).append(estimate(100 * shares))
    bar.close()
    return found
