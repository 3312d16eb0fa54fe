"""Figures: what the artists hold, and that no figure is shown without an alternative text."""

import math

from course_lib import datasets, plots
from course_lib.models import GaussianMixture
from course_lib.rng import seeded
from course_lib.training import expectation_maximisation, fit

import pytest
import torch
from matplotlib.colors import to_rgb


@pytest.fixture
def mixture():
    x = datasets.galaxies()
    model = GaussianMixture(3, 1).start_at(x, seeded(0))
    fit(expectation_maximisation(model, x, steps=20, variance_floor=0.01))
    return model


def test_show_puts_the_alternative_text_into_the_page(monkeypatch):
    shown = []
    monkeypatch.setattr(plots, "display", shown.append)
    made, ax = plots.figure()
    ax.plot([0, 1])
    plots.show(made, alt='a line from 0 to 1, "rising" & straight')
    assert 'alt="a line from 0 to 1, &quot;rising&quot; &amp; straight"' in shown[0].data
    assert "data:image/png;base64," in shown[0].data


@pytest.mark.parametrize("alt", ["", "   ", None])
def test_show_refuses_an_empty_alternative_text(alt):
    with pytest.raises(ValueError, match="`alt` must say in words what the figure shows"):
        plots.show(plots.figure()[0], alt=alt)


def test_histogram_has_area_one():
    _, ax = plots.figure()
    bars = plots.histogram(ax, datasets.galaxies()[:, 0], bins=20)
    assert sum(bar.get_height() * bar.get_width() for bar in bars) == pytest.approx(1)


def test_components_add_up_to_the_density(mixture, device):
    _, ax = plots.figure()
    mixture.to(device)
    terms = plots.component_curves(ax, mixture, 5, 38)
    total = plots.density_curve(ax, mixture, 5, 38)
    assert sum(torch.tensor(term.get_ydata()) for term in terms).numpy() == pytest.approx(total.get_ydata())


def test_curves_are_computed_where_the_model_is(mixture, monkeypatch):
    _, ax = plots.figure()
    asked = []
    monkeypatch.setattr(mixture.to("meta"), "log_joint", lambda x: asked.append(x.device) or torch.zeros(len(x), 3))
    monkeypatch.setattr(mixture, "log_prob", lambda x: asked.append(x.device) or torch.zeros(len(x)))
    plots.component_curves(ax, mixture, 5, 38)
    plots.density_curve(ax, mixture, 5, 38)
    assert asked == [torch.device("meta")] * 2


def test_ellipses_lie_at_two_standard_deviations():
    model = GaussianMixture(1, 2, covariance="full")
    with torch.no_grad():
        model.lower[0, 1, 0] = 0.8
    _, ax = plots.figure()
    (ellipse,) = plots.ellipses(ax, model)
    corner = torch.tensor(ellipse.get_co_vertices()[0])  # a point of the outline
    distance = torch.linalg.solve_triangular(model.scale_tril[0], corner[:, None].to(model.loc), upper=False).norm()
    assert distance.item() == pytest.approx(2)
    assert not math.isclose(ellipse.angle % 90, 0)


def test_a_larger_style_makes_larger_type():
    small = plots.figure()[1].title.get_fontsize()
    plots.style(1.5)
    large = plots.figure()[1].title.get_fontsize()
    plots.style()
    assert large == pytest.approx(1.5 * small)


def test_tiles_stand_row_after_row():
    pictures = torch.arange(6.0)[:, None].expand(6, 784)
    shown = plots.tiles(pictures, 3)
    assert shown.shape == (56, 84)
    assert shown[::28, ::28].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_every_row_of_pictures_has_its_name_and_shows_what_is_not_seen():
    seen = torch.ones(4, 784)
    made = plots.rows_of_pictures({"seen": seen, "covered": seen * torch.nan})
    assert [ax.get_ylabel() for ax in made.axes] == ["seen", "covered"]
    colours = [ax.images[0].to_rgba(ax.images[0].get_array())[0, 0, :3] for ax in made.axes]
    assert colours[0] == pytest.approx([0, 0, 0])
    assert colours[1] == pytest.approx(to_rgb(plots.COVERED))


def test_graph_shades_what_is_observed():
    _, ax = plots.figure()
    plate = (-0.6, -0.6, 2.7, 1.2)
    plots.graph(ax, {"z": (0, 0), "x": (1.5, 0)}, [("z", "x")], observed=["x"], plate=plate, repeats="n")
    faces = {patch.get_facecolor()[:3] for patch in ax.patches if type(patch).__name__ == "Circle"}
    assert len(faces) == 2
