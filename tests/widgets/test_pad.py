"""The pad without a browser: its value, its mask, its messages."""

import pytest
import torch
from latent_specimens import pad


def test_the_value_is_a_tensor():
    value = torch.linspace(0, 1, 48)
    explorer = pad(value=value)
    assert explorer.value.dtype == torch.float64
    assert (explorer.value - value).abs().max() <= 0.5 / 255
    assert explorer.seen.all()
    assert explorer.seen.dtype == torch.bool


def test_state_round_trip():
    one, other = pad(), pad()
    one.set(value=torch.rand(48, generator=torch.Generator().manual_seed(0)), seen=torch.arange(48) < 9, tool="cover")
    other.set(**one.state)
    assert torch.equal(other.value, one.value)
    assert torch.equal(other.seen, one.seen)
    assert other.tool == "cover"


def test_alternative_text_counts_pixels():
    explorer = pad(value=(torch.arange(48) < 12).double())
    explorer.set(seen=torch.arange(48) < 36)
    assert explorer.alt == "Drawing: 25 % of the pixels have ink, 25 % are covered."


def test_a_picture_is_left_where_no_widget_can_be_shown():
    data, _ = pad()._repr_mimebundle_()
    assert data["text/html"].startswith('<img alt="Drawing: 0 % of the pixels have ink, 0 % are covered." src="data:')


@pytest.mark.parametrize(("values", "message"), [
    ({"value": [0.0] * 48}, r"`value` must be a tensor of shape \(48,\); got list\."),
    ({"value": -torch.ones(48)}, r"`value` must hold numbers from 0 to 1; got -1\.0 to -1\.0\."),
    ({"seen": torch.ones(2, dtype=torch.bool)}, r"`seen` must be a boolean tensor of shape \(48,\); got "),
    ({"ink": 1}, r"`ink` must be one of the values \['value', 'seen', 'tool'\]\."),
])
def test_bad_values_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        pad().set(**values)


def test_a_listener_hears_of_every_stroke():
    explorer, heard = pad(), []
    explorer.on_change(lambda state: heard.append(state["value"].sum().item()))
    explorer.set_state({"ink_bytes": memoryview(bytes([255] * 48))})
    assert heard == [48.0]
    assert torch.equal(explorer.value, torch.ones(48))
