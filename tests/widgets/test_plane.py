"""The latent plane without a browser: what it sends, its state, its messages, what is left where nothing is alive."""

import re
import time

from course_lib.models.mlp import mlp
from course_lib.rng import layers_from, seeded
from course_lib.widgets import LatentPlane
from course_lib.widgets.decoder import described, quantised

import numpy as np
import pytest
import torch
from drive import drive
from latent_specimens import SHAPE, decoder, labelled, many, pad, pictures, plane
from torch import nn


def test_all_weights_are_sent_once_as_float32():
    net = decoder()
    sent = np.frombuffer(plane().weights, np.float32)
    own = torch.cat([parameter.detach().flatten() for parameter in net.parameters()])
    assert np.array_equal(sent, own.float().numpy())
    assert plane().face["layers"] == [
        {"inputs": 2, "outputs": 16, "activation": "tanh"}, {"inputs": 16, "outputs": 12, "activation": "tanh"},
        {"inputs": 12, "outputs": 48, "activation": "identity"},
    ]


def test_a_missing_bias_is_zero():
    with layers_from(seeded(0)):
        _, numbers = described(nn.Sequential(nn.Linear(2, 3, bias=False)))
    assert np.array_equal(numbers[-3:], np.zeros(3))


def test_half_the_bytes_change_probabilities_by_less_than_a_grey_level():
    net = decoder()
    layers, numbers = described(net)
    small, whole = quantised(layers, numbers)
    assert 2 * whole.nbytes == numbers.nbytes
    copy, begin = decoder(), 0
    with torch.no_grad():
        for linear, layer in zip(copy[::2], small):
            for parameter in (linear.weight, linear.bias):
                part = whole[begin:begin + parameter.numel()] * layer["unit"]
                parameter.copy_(torch.from_numpy(part).reshape(parameter.shape))
                begin += parameter.numel()
        z = torch.cartesian_prod(*[torch.linspace(-3, 3, 15)] * 2)
        assert (net(z).sigmoid() - copy(z).sigmoid()).abs().max() < 1 / 255


@pytest.mark.parametrize("make", [plane, labelled, many])
def test_state_round_trip(make):
    one, other = make(), make()
    values = {"z": [0.5, -1.0, 2.0, 0.25][:len(one.z)], "label": 2, "to": 1, "share": 0.5, "image": 1, "axes": [2, 0],
              "seen": torch.arange(48) > 10, "tool": "cover", "value": torch.linspace(0, 1, 48)}
    one.set(**{name: value for name, value in values.items() if name in one.state})
    other.set(**one.state)
    assert [torch.as_tensor(value).tolist() if name != "tool" and value is not None else value
            for name, value in one.state.items()] == [
        torch.as_tensor(value).tolist() if name != "tool" and value is not None else value
        for name, value in other.state.items()]
    assert other.ink_bytes == one.ink_bytes
    assert other.alt == one.alt


def test_an_image_is_a_picture_until_it_is_drawn_upon():
    explorer = plane()
    explorer.set(image=2)
    assert torch.equal(explorer.state["value"], pictures(4)[2])
    explorer.set(seen=torch.arange(48) > 10)
    assert explorer.state["image"] == 2
    explorer.set(value=pictures(4)[1])
    assert explorer.state["image"] is None
    assert "a drawn picture" in explorer.alt


@pytest.mark.parametrize(("values", "message"), [
    ({"z": [0.0]}, r"`z` must have 2 coordinates; got \[0\.0\]\."),
    ({"z": [0.0, 4.0]}, r"`z` must be a number from -3 to 3; got 4\.0\."),
    ({"z": [0.0, float("nan")]}, r"`z` must be a number from -3 to 3; got nan\."),
    ({"image": 4}, r"`image` must be a whole number from 0 to 3; got 4\."),
    ({"share": 1.5}, r"`share` must be a number from 0 to 1; got 1\.5\."),
    ({"label": 0}, r"`label` must be one of the values \['z', .*\]\."),
    ({"value": torch.zeros(3)}, r"`value` must be a tensor of shape \(48,\); got \(3,\)\."),
    ({"value": torch.full((48,), 2.0)}, r"`value` must hold numbers from 0 to 1; got 2\.0 to 2\.0\."),
    ({"seen": torch.ones(48)}, r"`seen` must be a boolean tensor of shape \(48,\); got "),
    ({"tool": "paint"}, r"`tool` must be one of 'draw', 'erase', 'cover', 'uncover'; got 'paint'\."),
])
def test_bad_values_are_refused_and_change_nothing(values, message):
    explorer = plane()
    before = str(explorer.state)
    with pytest.raises(ValueError, match=message):
        explorer.set(**{"share": 0.25} | values)
    assert str(explorer.state) == before


@pytest.mark.parametrize("axes", [[0, 0], [0], [0, 1, 2], [0, 4]])
def test_the_axes_are_two_coordinates(axes):
    with pytest.raises(ValueError, match="`axes` must be "):
        many().set(axes=axes)


@pytest.mark.parametrize(("net", "message"), [
    (nn.Linear(2, 48), r"`decoder` must be an nn\.Sequential that begins with a Linear; got Linear\("),
    (nn.Sequential(nn.ReLU(), nn.Linear(2, 48)), "that begins with a Linear"),
    (nn.Sequential(nn.Linear(2, 48), nn.Dropout()), r"`decoder` must be made of Linear, .*ReLU.*; got Dropout\("),
    (nn.Sequential(nn.Linear(2, 48), nn.GELU("tanh")), r"GELU exact.*; got GELU\(approximate='tanh'\)\."),
    (nn.Sequential(nn.Linear(2, 48), nn.Softplus(2)), r"Softplus with beta 1\); got Softplus\(beta=2"),
    (nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Tanh()), r"a Linear between two activations; got Tanh\(\)"),
    (nn.Sequential(nn.Linear(1, 48)), r"`decoder` must take 2 or more latents and 0 labels; got 1 inputs\."),
    (nn.Sequential(nn.Linear(2, 47)), r"`decoder` must give 48 logits, one a pixel; got 47\."),
])
def test_a_decoder_that_the_browser_cannot_compute_is_refused(net, message):
    with pytest.raises(ValueError, match=message):
        LatentPlane(net, shape=SHAPE)


def test_images_must_be_pictures():
    with pytest.raises(ValueError, match=r"`images` must be a tensor of shape \(2, 48\); got \(2, 47\)\."):
        plane(images=torch.zeros(2, 47))


def test_the_grid_is_that_of_the_oracle():
    """With a blank decoder all pictures are equally likely wherever z is: the posterior is the prior."""
    blank = mlp((2, 48), seeded(0))
    nn.init.zeros_(blank[0].weight)
    nn.init.zeros_(blank[0].bias)
    explorer = LatentPlane(blank, shape=SHAPE, images=pictures(1), draw=True, limit=6.0, cells=60)
    assert explorer.exact().log_evidence.item() == pytest.approx(-48 * np.log(2), abs=1e-6)
    explorer.set(seen=torch.arange(48) < 10)
    assert explorer.exact().log_evidence.item() == pytest.approx(-10 * np.log(2), abs=1e-6)


def test_alternative_text_is_made_from_the_state():
    explorer = labelled()
    explorer.set(z=[1.0, -2.0], label=1, image=3)
    assert re.fullmatch(
        r"Latent plane with the point z = \(1\.00, -2\.00\), log p\(z\) = -4\.34 nats; \d+ % of the pixels decoded "
        r"there and label b are more likely ink than paper; posterior of image 3\.", explorer.alt)
    assert LatentPlane(decoder(), shape=SHAPE).alt.endswith("ink than paper.")


@pytest.mark.parametrize("make", [plane, labelled, many, lambda: LatentPlane(decoder(), shape=SHAPE)])
def test_a_picture_is_left_where_no_widget_can_be_shown(make):
    explorer = make()
    data, _ = explorer._repr_mimebundle_()
    assert data["text/html"].startswith(f'<img alt="{explorer.alt}" src="data:image/png;base64,')
    assert data["text/plain"] == explorer.alt


def test_python_is_told_only_if_it_listens():
    explorer, heard = plane(), []
    assert not explorer.listening
    explorer.on_change(lambda state: heard.append(state["z"]))
    assert explorer.listening
    explorer.set_state({"z": [1.0, 2.0]})
    assert heard == [[1.0, 2.0]]


def test_a_listener_sees_all_of_a_new_state():
    explorer, heard = plane(), []
    explorer.on_change(lambda state: heard.append(torch.equal(state["value"], pictures(4)[state["image"]])))
    explorer.set(image=2)
    assert set(heard) == {True}


def test_an_exception_of_a_listener_is_shown_and_survived():
    explorer = plane()
    heard = []
    explorer.on_change(lambda state: 1 / state["z"][0])
    explorer.on_change(heard.append)
    explorer.set_state({"z": [0.0, 1.0]})
    assert explorer.error.startswith("ZeroDivisionError")
    explorer.set_state({"z": [1.0, 1.0]})
    assert explorer.error == ""
    assert len(heard) == 2


def test_a_plane_is_made_quickly():
    begin = time.process_time()
    plane()._repr_mimebundle_()
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("make", [plane, labelled, many, pad])
def test_it_can_be_driven_without_a_browser(make):
    drive(make())


def test_the_drive_finds_a_value_that_changes_nothing():
    deaf = plane(draw=False)
    deaf._checked_point = lambda value: [0.0, 0.0]
    with pytest.raises(AssertionError, match="`z` never changed the picture"):
        drive(deaf)
