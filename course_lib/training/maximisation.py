"""Expectation-maximisation, for any model that can take its two steps exactly."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..errors import NumericalError, require_not_negative, require_positive
from ..models.base import Generative
from ..models.mixture import Mixture
from .process import Step


def expectation_maximisation(
    model: Generative,
    x: Tensor,
    *,
    steps: int,
    y: Tensor | None = None,
    unlabelled_weight: float = 1.0,
    **options: float,
) -> Iterator[Step]:
    r"""Alternate the E-step, q = p(z | x), and the M-step, which maximises the bound that q makes.

    .. math:: q_i = p_\theta(z \mid x_i), \qquad
              \theta \leftarrow \arg\max_\theta \sum_i \mathbb{E}_{z \sim q_i} \log p_\theta(x_i, z)

    The log-likelihood never goes down; with a `variance_floor` it climbs once the variances obey it, from the
    second step on, and with a `smoothing` it may go down: what climbs is its sum with the logarithm of the prior that
    the pseudo-counts stand for. It ends at a stationary point, which need not be the highest.

    Needs:      model.expectation(x) -> (log p(x), q) and model.maximise(x, q, **options).
    Shapes:     x (n, *event_shape); y (n,): for a Mixture, the choices that are known, or -1, whose rows count with
                `unlabelled_weight`; the option `variance_floor` is in squared units of the data.
    Raises:     ValueError for bad arguments or data; NumericalError if a component collapses: the model
                keeps its last good parameters.
    Reference:  Dempster, Laird and Rubin, Maximum likelihood from incomplete data via the EM algorithm,
                Journal of the Royal Statistical Society B 39 (1977).
    """
    require_not_negative("variance_floor", options.get("variance_floor", 0.0))
    require_positive("steps", steps, whole=True)
    if not hasattr(model, "expectation"):
        raise ValueError(f"`model` must have the methods `expectation` and `maximise`; got {type(model).__name__}.")
    model.require_data(x)
    if isinstance(model, Mixture) and len(x) < len(model.logits):
        raise ValueError(f"`x` must have at least K = {len(model.logits)} rows; got {len(x)}.")
    given = {} if y is None else {"y": y, "unlabelled_weight": unlabelled_weight}
    return (_step(model, x, index, given, options) for index in range(1, steps + 1))


@torch.no_grad()
def _step(model: Generative, x: Tensor, index: int, given: dict[str, object], options: dict[str, float]) -> Step:
    log_evidence, q = model.expectation(x, **given)
    if not log_evidence.isfinite().all():
        raise NumericalError(
            f"Step {index}: log p(x) is not finite for row {int((~log_evidence.isfinite()).nonzero()[0, 0])}: it lies "
            "too far from all that the model expects, for this dtype. Remedy: start closer to the data, or use float64."
        )
    model.maximise(x, q, **options)
    return Step(index, -log_evidence.mean())
