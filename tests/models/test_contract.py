"""The contract: what every model promises, checked for all of them alike."""

import math

from course_lib import models
from course_lib.models import Conditional, Density, Generative
from course_lib.rng import seeded
from tests.models.specimens import Specimen, collect

import pytest
import torch

SPECIMENS = collect()
DENSITIES = {name: specimen for name, specimen in SPECIMENS.items() if isinstance(specimen.make(), Density)}
CONDITIONALS = [name for name, specimen in SPECIMENS.items() if isinstance(specimen.make(), Conditional)]
DRAWS = 20_000


@pytest.fixture(params=SPECIMENS)
def specimen(request) -> Specimen:
    return SPECIMENS[request.param]


@pytest.fixture(params=DENSITIES)
def density(request) -> Specimen:
    return DENSITIES[request.param]


def data(specimen, model, n):
    """`n` rows to learn from, drawn from the model itself: (x,), or (x, y) for what is given a context."""
    generator = seeded(0)
    if specimen.inputs is None:
        return (model.sample(n, generator),)
    context = _cycle(specimen.inputs(), n).to(next(model.parameters()).device)
    if isinstance(model, Conditional):
        return context, model.sample(context, generator)
    return model.sample(n, generator, context), context


def _cycle(rows, n):
    return rows[torch.arange(n) % len(rows)]


def _shapes(model):
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


def test_every_model_has_a_specimen():
    families = {type(specimen.make()) for specimen in SPECIMENS.values()}
    public = {getattr(models, name) for name in models.__all__}
    kinds = (Generative, Conditional)
    concrete = {family for family in public if issubclass(family, kinds) and not family.__abstractmethods__}
    assert families == concrete


def test_samples_have_the_event_shape_and_no_gradient(specimen, device):
    model = specimen.model(device)
    x = data(specimen, model, 7)[1 if isinstance(model, Conditional) else 0]
    assert x.shape == (7, *model.event_shape)
    assert not x.requires_grad
    assert x.device.type == device.type


def test_every_parameter_gets_a_gradient(specimen, device):
    model = specimen.model(device)
    loss = model.loss(*data(specimen, model, 200), seeded(0))
    assert loss.shape == (200,)
    loss.mean().backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None and parameter.grad.isfinite().all(), name
            assert parameter.grad.abs().sum() > 0, name


@pytest.mark.oracle("minus log_prob", "models.Density.loss", "models.Conditional.loss")
def test_the_loss_is_minus_the_log_likelihood(specimen):
    model = specimen.model()
    rows = data(specimen, model, 20)
    if isinstance(model, Density | Conditional):
        torch.testing.assert_close(model.loss(*rows, seeded(0)), -model.log_prob(*reversed(rows)))


def test_its_own_samples_pass_the_look_at_the_data(specimen):
    model = specimen.model()
    model.require_data(*data(specimen, model, 50))


def test_same_seed_same_draws(specimen, device):
    model = specimen.model(device)
    context = () if specimen.inputs is None else (_cycle(specimen.inputs(), 50).to(device),)

    def draw(seed):
        if isinstance(model, Conditional):
            return model.sample(*context, seeded(seed))
        return model.sample(50, seeded(seed), *context)

    assert torch.equal(draw(3), draw(3))
    assert not torch.equal(draw(3), draw(4))


def test_global_generator_is_not_touched(specimen):
    before = torch.get_rng_state()
    model = specimen.model()
    model.loss(*data(specimen, model, 5), seeded(0))
    assert torch.equal(before, torch.get_rng_state())


def test_state_dict_goes_round(specimen):
    model = specimen.model()
    rows = data(specimen, model, 20)
    other = specimen.make()
    assert _shapes(other) == _shapes(model)
    assert not torch.allclose(other.loss(*rows, seeded(0)), model.loss(*rows, seeded(0)))
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.loss(*rows, seeded(0)), model.loss(*rows, seeded(0)))


def test_loss_works_in_single_precision(specimen):
    model = specimen.model()
    rows = [row.float() if row.is_floating_point() else row for row in data(specimen, model, 20)]
    assert model.float().loss(*rows, seeded(0)).dtype == torch.float32


def _table(specimen, model):
    """The support, its log weights and the log-density on it."""
    points, log_weights = specimen.support()
    with torch.no_grad():
        return points, log_weights, model.log_prob(points.to(next(model.parameters()).device)).cpu()


@pytest.mark.oracle("sum or integral over every value", "models.*.log_prob")
def test_density_adds_up_to_one(density, device):
    _, log_weights, log_p = _table(density, density.model(device))
    assert (log_p + log_weights).logsumexp(0).exp().item() == pytest.approx(1, abs=1e-3)


@pytest.mark.oracle("moments over every value, within 5 standard errors", "models.Gaussian.sample",
                    "models.Mixture.sample", "models.IndependentPixels.sample", "models.ChowLiuTree.sample",
                    "models.BayesianNetwork.sample", "models.MADE.sample", "models.ProbabilisticPCA.sample",
                    "models.StudentT.sample", "models.*Binomial.sample", "models.GutenbergRichter.sample",
                    "models.WeatherGenerator.sample")
def test_samples_follow_the_density(density, device):
    """The mean of log p over samples is minus the entropy, which the support knows."""
    model = density.model(device)
    _, log_weights, log_p = _table(density, model)
    mass = (log_p + log_weights).exp()
    finite = log_p.clamp_min(-1e6)                                           # 0 log 0 = 0
    mean, square = (mass * finite).sum(), (mass * finite.square()).sum()
    with torch.no_grad():
        drawn = model.log_prob(model.sample(DRAWS, seeded(1))).mean().cpu()
    assert abs(((drawn - mean) / ((square - mean**2) / DRAWS).sqrt()).item()) < 5


def test_samples_have_the_moments_of_the_density(density, device):
    """The entropy alone would not see a sampler that shifts or mirrors."""
    model = density.model(device)
    points, log_weights, log_p = _table(density, model)
    points, mass = points.flatten(1).to(log_p.dtype), (log_p + log_weights).exp()[:, None]
    x = model.sample(DRAWS, seeded(2)).cpu().flatten(1).to(log_p.dtype)
    mean = (mass * points).sum(0)
    variance = (mass * (points - mean).square()).sum(0)
    assert ((x.mean(0) - mean) / (variance / DRAWS).sqrt().clamp_min(1e-12)).abs().max() < 5
    if x.shape[1] > 1:
        product, exact = (x - mean)[:, :2].prod(1), (mass * (points - mean)[:, :2].prod(1, keepdim=True)).sum()
        assert abs((product.mean() - exact) / (product.std() / math.sqrt(DRAWS))) < 5


@pytest.mark.oracle("sum or integral over every value", "models.Conditional*.log_prob", "models.Conditional*.sample")
@pytest.mark.parametrize("name", CONDITIONALS)
def test_conditional_adds_up_to_one_and_samples_follow_it(name, device):
    model = SPECIMENS[name].model(device)
    points, log_weights = SPECIMENS[name].support()
    for row in SPECIMENS[name].inputs()[:3].to(device):
        x = row.expand(len(points), *row.shape)
        with torch.no_grad():
            log_p = model.log_prob(points.to(device), x).cpu()
            assert (log_p + log_weights).logsumexp(0).exp().item() == pytest.approx(1, abs=1e-3)
            mass = (log_p + log_weights).exp()
            mean, square = (mass * log_p).sum(), (mass * log_p.square()).sum()
            many = row.expand(DRAWS, *row.shape)
            drawn = model.log_prob(model.sample(many, seeded(1)), many).mean().cpu()
            assert abs(((drawn - mean) / ((square - mean**2) / DRAWS).sqrt()).item()) < 5


def test_runs_on_the_meta_device(specimen):
    """Mixing devices raises there, with no accelerator needed."""
    model = specimen.model()
    rows = [row.to("meta") for row in data(specimen, model, 4)]
    assert model.to("meta").loss(*rows, seeded(0)).device.type == "meta"


def _wrong(x, event_shape):
    shape = ", ".join(map(str, ("n", *event_shape))) + ("," if not event_shape else "")
    yield torch.zeros(3, *event_shape, 5, dtype=x.dtype), rf"must have shape \({shape}\); got \(3, "
    yield x[:0], r"must have at least one row; got \(0"
    kind = "floating-point numbers" if x.is_floating_point() else "integers"
    yield x.to(torch.long if x.is_floating_point() else torch.float64), rf"must hold {kind}; got torch\."
    yield x.tolist(), rf"must be a tensor of shape \({shape}\); got list\."
    yield x.to("meta"), r"must be on cpu, where the model is; got meta"
    if x.is_floating_point():
        yield x.float(), r"must be torch\.float64, as the model is; got torch\.float32"


@pytest.mark.oracle("message pinned", "models.*.require_shape")
def test_bad_data_are_named(specimen):
    model = specimen.model()
    rows = list(data(specimen, model, 3))
    at = 1 if isinstance(model, Conditional) else 0
    for wrong, message in _wrong(rows[at], model.event_shape):
        with pytest.raises(ValueError, match=message):
            model.loss(*rows[:at], wrong, *rows[at + 1:], seeded(0))


@pytest.mark.oracle("message pinned", "models.*.require_data")
def test_data_that_are_not_finite_are_named(specimen):
    model = specimen.model()
    rows = list(data(specimen, model, 3))
    floating = [index for index, row in enumerate(rows) if row.is_floating_point()]
    for index in floating:
        bad = [row.clone() for row in rows]
        bad[index].view(-1)[0] = float("nan")
        with pytest.raises(ValueError, match=r"got (1 NaN|nan)"):
            model.require_data(*bad)


def test_every_model_has_a_card(specimen):
    assert "$p(x)$" in specimen.make().card._repr_markdown_()
