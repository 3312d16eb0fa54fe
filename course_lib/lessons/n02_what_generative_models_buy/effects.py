"""The smokers of lesson 02: what seeing says, what doing would do, and how sure either is."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from ...datasets.health import Smokers
from ...errors import NumericalError

Estimator = Callable[[Tensor, Tensor, Tensor], Tensor]  # covariates (n, P), treatment (n,), outcome (n,) -> ()


def covariates(people: Smokers) -> Tensor:
    """A constant, a column for each category but the first, and each measurement with its square: (n, P)."""
    columns = [torch.ones(len(people.quit))]
    for codes in (people.sex, people.race, people.education, people.exercise, people.activity):
        columns += [(codes == level).to(columns[0]) for level in codes.unique()[1:]]
    for values in (people.age, people.cigarettes, people.years_of_smoking, people.weight):
        standard = (values - values.mean()) / values.std()
        columns += [standard, standard.square()]
    return torch.stack(columns, -1).to(torch.get_default_dtype())


def naive(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    """E[y | t = 1] - E[y | t = 0]: what is seen."""
    return y[t == 1].mean() - y[t == 0].mean()


def standardised(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    """The back-door sum with a linear E[y | t, x] for each t, averaged over everybody's x."""
    means = [(x @ torch.linalg.lstsq(x[t == arm], y[t == arm, None], driver="gelsd").solution).mean() for arm in (0, 1)]
    return means[1] - means[0]


def weighted(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    """Each person weighted with 1 / p(t | x), so that t no longer depends on x: no model of y."""
    chance = propensity(x, t)
    treated, control = t / chance, (1 - t) / (1 - chance)
    return (treated * y).sum() / treated.sum() - (control * y).sum() / control.sum()


def propensity(x: Tensor, t: Tensor, steps: int = 25) -> Tensor:
    """p(t = 1 | x) by logistic regression, with Newton's method: (n,).

    Raises:     NumericalError if the steps do not settle.
    """
    theta, ridge = x.new_zeros(x.shape[1]), 1e-8 * torch.eye(x.shape[1], dtype=x.dtype)
    for _ in range(steps):
        p = (x @ theta).sigmoid()
        step = torch.linalg.solve((x * (p * (1 - p))[:, None]).mT @ x + ridge, x.mT @ (t - p))
        theta = theta + step
        if step.abs().max() < 1e-8:
            return (x @ theta).sigmoid()
    raise NumericalError("Newton's steps did not settle. Remedy: fewer covariates, or more data.")


def bootstrap(estimators: dict[str, Estimator], x: Tensor, t: Tensor, y: Tensor, generator: Generator,
              draws: int = 200) -> dict[str, Tensor]:
    """Each estimate on the same `draws` resamples of the people: (draws,) each."""
    rows = torch.randint(len(t), (draws, len(t)), generator=generator)
    return {
        name: torch.stack([estimate(x[row], t[row], y[row]) for row in rows]) for name, estimate in estimators.items()
    }
