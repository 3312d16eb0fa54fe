"""The exercises of lesson 07: reference, wrong answers by name, hints."""

import torch
from torch import Tensor

from ... import rng
from ...classroom import Checks, Exercise, Mistake
from . import experiments, sprites
from .symmetry import SAME_PICTURE, TURNED

# 1 · the orientation ------------------------------------------------------------------------------------------------


def orientation(x):
    """The long axis of pictures x (n, H, W), with no negative pixel, in radians from the right, clockwise: (n,)."""
    mass = x / x.sum((1, 2), keepdim=True)
    right, down = torch.arange(x.shape[2]).to(x), torch.arange(x.shape[1]).to(x)[:, None]
    across = right - (mass * right).sum((1, 2), keepdim=True)  # (n, 1, W)
    along = down - (mass * down).sum((1, 2), keepdim=True)  # (n, H, 1)
    mixed = (mass * across * along).sum((1, 2))
    return torch.atan2(2 * mixed, (mass * (across**2 - along**2)).sum((1, 2))) / 2


def _orientation_cases():
    for seed in (3, 4):
        causes = sprites.sample_causes(6, rng.seeded(seed), shapes=[1])
        yield (sprites.render(*causes).unflatten(-1, (20, 20))[:, :, : 20 - seed],)


def _second(x: Tensor, centred: bool | str = True) -> tuple[Tensor, Tensor, Tensor]:
    """Second moments across, down and mixed, (n,) each."""
    mass = x / x.sum((1, 2), keepdim=True)
    right, down = torch.arange(x.shape[2]).to(x).expand_as(x), torch.arange(x.shape[1]).to(x)[:, None].expand_as(x)
    if centred == "picture":
        right, down = right - (x.shape[2] - 1) / 2, down - (x.shape[1] - 1) / 2
    elif centred:
        right, down = (axis - (mass * axis).sum((1, 2), keepdim=True) for axis in (right, down))
    return tuple((mass * product).sum((1, 2)) for product in (right**2, down**2, right * down))


def _wrong_axis(form, centred=True):
    return lambda x: form(*_second(x, centred))


def _eigenvector(column: int):
    def form(across, upright, mixed):
        matrix = torch.stack([across, mixed, mixed, upright], -1).unflatten(-1, (2, 2))
        right, down = torch.linalg.eigh(matrix).eigenvectors[..., column].unbind(-1)
        return torch.atan2(down, right)

    return _wrong_axis(form)


ORIENTATION = Exercise(
    orientation,
    _orientation_cases,
    mistakes=(
        Mistake(_wrong_axis(lambda a, d, m: torch.atan2(2 * m, a - d) / 2, centred=False),
                "**Not centred**: moments around pixel (0, 0) see where the sprite is, not how it lies. Subtract the "
                "centre first."),
        Mistake(_wrong_axis(lambda a, d, m: torch.atan2(2 * m, a - d) / 2, centred="picture"),
                "Centred on the **middle of the picture**: subtract the centre of the sprite's own mass."),
        Mistake(_wrong_axis(lambda a, d, m: torch.atan2(2 * m, a - d)),
                "This is **twice the angle**: an axis lies on itself after half a turn, so moments know $2\\alpha$."),
        Mistake(_wrong_axis(lambda a, d, m: torch.atan(2 * m / (a - d))),
                "**Not halved**, and `atan` forgets the sign of $\\mu_{xx} - \\mu_{yy}$: take half of `atan2`."),
        Mistake(_wrong_axis(lambda a, d, m: (torch.atan2(2 * m, a - d) / 2).remainder(torch.pi)),
                "The right axes, but named **from 0 to $\\pi$**: an axis has two ends; take the one between "
                "$-\\pi/2$ and $\\pi/2$."),
        Mistake(_eigenvector(1),
                "The right axes, but an eigenvector may point to **either end**: bring the angle between $-\\pi/2$ and "
                "$\\pi/2$, by half a turn."),
        Mistake(_eigenvector(0), "This is the **short** axis: the long one has the largest eigenvalue."),
        Mistake(_wrong_axis(lambda a, d, m: torch.atan2(-2 * m, d - a) / 2),
                "This is the **short** axis: both signs are exchanged, which turns the answer by a quarter."),
        Mistake(_wrong_axis(lambda a, d, m: torch.atan2(m, a - d) / 2),
                "The **2 of the mixed moment** is missing: $\\tan 2\\alpha = 2\\mu_{xy} / (\\mu_{xx} - \\mu_{yy})$."),
        Mistake(_wrong_axis(lambda a, d, m: torch.atan2(a - d, 2 * m) / 2),
                "The **arguments of atan2** are exchanged: the sine's part comes first."),
        Mistake(_wrong_axis(lambda a, d, m: torch.atan2(2 * m, d - a) / 2),
                "This is measured **from the vertical**; from the right is asked for."),
        Mistake(_wrong_axis(lambda a, d, m: -torch.atan2(2 * m, a - d) / 2),
                "**Anticlockwise**: rows count downwards, so with down as the second axis angles run clockwise."),
        Mistake(_wrong_axis(lambda a, d, m: torch.atan(2 * m / (a - d)) / 2),
                "`atan` of a quotient **cannot tell long from short**: it forgets the sign of $\\mu_{xx} - \\mu_{yy}$. "
                "Use `atan2`."),
        Mistake(_wrong_axis(lambda a, d, m: torch.rad2deg(torch.atan2(2 * m, a - d) / 2)),
                "These are **degrees**; radians were asked for."),
        Mistake(_wrong_axis(lambda a, d, m: torch.atan2(d.sqrt(), a.sqrt())),
                "Two spreads alone **cannot tell a slant from its mirror image**: the mixed moment is missing."),
    ),
    hints=(
        "Let the pixels be masses: centre, then $\\mu_{xx}, \\mu_{yy}, \\mu_{xy}$ around it, with x to the right and y "
        "down. A stick at angle $\\alpha$ has $\\mu_{xx} - \\mu_{yy} \\propto \\cos 2\\alpha$ and $2\\mu_{xy} \\propto "
        "\\sin 2\\alpha$.",
        "`torch.atan2(2 * mixed, across - upright) / 2`, with all three moments centred, one for each picture.",
    ),
    minutes=10,
    difficulty=2,
)

# 2 · the light ------------------------------------------------------------------------------------------------------


def light_of(x, mask):
    """The most likely light, (n,), from pictures x (n, D) and the same sprites at full light, mask (n, D)."""
    return (x * mask).sum(-1) / mask.square().sum(-1)


def _light_cases():
    for seed in (1, 2):
        causes, x = experiments.pictures_of(5, seed)
        full = causes.numbers.clone()
        full[:, 4] = 1.0
        yield x, sprites.render(causes.shape, full)


LIGHT_OF = Exercise(
    light_of,
    _light_cases,
    mistakes=(
        Mistake(lambda x, mask: x.sum(-1) / mask.sum(-1),
                "Ink divided by ink: right on average, but **every pixel of noise counts in full**, also where the "
                "sprite is not. Least squares weighs a pixel with its mask."),
        Mistake(lambda x, mask: (x * mask).sum(-1) / mask.sum(-1),
                "Nearly: you divided by the sum of the mask, **not by the sum of its squares**. At the soft edges the "
                "mask is below one."),
        Mistake(lambda x, mask: (x * (mask > 0.5)).sum(-1) / (mask > 0.5).sum(-1),
                "The mean **inside** the sprite: its soft edge is darker than the light and pulls the mean down."),
        Mistake(lambda x, mask: (x * mask).sum(-1) / (x.norm(dim=-1) * mask.norm(dim=-1)),
                "This is the **cosine** between picture and mask: it hardly changes when the light does."),
        Mistake(lambda x, mask: x.mean(-1), "A mean over **all** pixels, most of which are dark sky."),
        Mistake(lambda x, mask: (x * mask).sum(-1), "**Not divided**: this grows with the size of the sprite."),
        Mistake(lambda x, mask: (x * mask).mean(-1),
                "Divided by the **number of pixels**, dark sky included; by the mask's squares is right."),
        Mistake(lambda x, mask: (x * mask).sum() / mask.square().sum(),
                "**One light for all pictures**: sum over the last axis only."),
        Mistake(lambda x, mask: (x * mask).sum(0) / mask.square().sum(0),
                "Summed over the **pictures**: each has a light of its own. Sum over the pixels, the last axis."),
        Mistake(lambda x, mask: (x * mask).sum(-1) / x.square().sum(-1),
                "You explained **the mask by the picture**; it is the other way round: $x \\approx a\\,m$."),
        Mistake(lambda x, mask: (x * mask).sum(-1) / mask.square().sum(-1).sqrt(),
                "Divided by the **length** of the mask; by its *square* is right."),
        Mistake(lambda x, mask: (x / mask).mean(-1),
                "Pixel by pixel, $x_d / m_d$ **divides noise by almost nothing** outside the sprite."),
        Mistake(lambda x, mask: x.max(-1).values,
                "The **brightest pixel** is the luckiest one: light plus the largest noise."),
    ),
    hints=(
        "With everything else known, $\\log p(x \\mid a) = -\\sum_d (x_d - a\\,m_d)^2 / 2\\sigma^2 + \\text{const}$. "
        "Set its derivative with respect to $a$ to zero.",
        "$\\sum_d m_d (x_d - a\\,m_d) = 0$; solve for $a$. Sums over the last axis.",
    ),
    minutes=6,
    difficulty=1,
)

# 5 · what a code has recovered --------------------------------------------------------------------------------------


def r_squared(z, y, z_new, y_new):
    """R squared on new rows of the best linear map from z (n, k) to y (n,), with an intercept: ()."""
    design, new = (torch.cat([part, torch.ones(len(part), 1)], 1) for part in (z, z_new))
    fitted = torch.linalg.lstsq(design, y[:, None]).solution
    rest = y_new - (new @ fitted)[:, 0]
    return 1 - rest.square().sum() / (y_new - y_new.mean()).square().sum()


def _r_squared_cases():
    for seed in (7, 8):
        g = rng.seeded(seed)
        z = torch.randn(40, 3, generator=g) + 1
        y = 5 + z @ torch.tensor([1.0, -2.0, 0.5]) + torch.randn(40, generator=g)
        yield z[:15], y[:15], z[15:], y[15:]


def _fitted(z: Tensor, y: Tensor, z_new: Tensor, intercept: bool = True) -> Tensor:
    ones = [torch.ones(len(part), int(intercept)) for part in (z, z_new)]
    design, new = torch.cat([z, ones[0]], 1), torch.cat([z_new, ones[1]], 1)
    return (new @ torch.linalg.lstsq(design, y[:, None]).solution)[:, 0]


def _score(prediction: Tensor, y: Tensor, centre: Tensor | float | None = None) -> Tensor:
    centre = y.mean() if centre is None else centre
    return 1 - (y - prediction).square().sum() / (y - centre).square().sum()


R_SQUARED = Exercise(
    r_squared,
    _r_squared_cases,
    mistakes=(
        Mistake(lambda z, y, z_new, y_new: _score(_fitted(z, y, z), y),
                "Scored on **the rows that it was fitted to**: with enough columns that is 1 for pure noise."),
        Mistake(lambda z, y, z_new, y_new: _score(_fitted(z_new, y_new, z_new), y_new),
                "**Fitted on the new rows**: they are for judging only."),
        Mistake(lambda z, y, z_new, y_new: _score(_fitted(z, y, z_new, intercept=False), y_new),
                "The **intercept is missing**: the map is forced through zero. Put a column of ones beside `z`."),
        Mistake(lambda z, y, z_new, y_new: _score(_fitted(z, y, z_new), y_new, 0.0),
                "Compared with **zero**, not with the mean of `y_new`: any far-off mean then looks well explained."),
        Mistake(lambda z, y, z_new, y_new: _score(_fitted(z, y, z_new), y_new, y.mean()),
                "Compared with the mean of the **old** rows; by convention it is that of the new ones."),
        Mistake(lambda z, y, z_new, y_new: torch.corrcoef(torch.stack([_fitted(z, y, z_new), y_new]))[0, 1] ** 2,
                "A **squared correlation** forgives every wrong offset and scale; R² on new rows does not."),
        Mistake(lambda z, y, z_new, y_new: torch.corrcoef(torch.stack([_fitted(z, y, z_new), y_new]))[0, 1],
                "This is the **correlation**; $R^2$ compares squared errors: see its formula."),
        Mistake(lambda z, y, z_new, y_new: 1 - (y_new - _fitted(z, y, z_new)).var() / y_new.var(),
                "The **variance** of the errors forgives a prediction that is off by a constant; sum their squares."),
        Mistake(lambda z, y, z_new, y_new: 1 - (y_new - _fitted(z, y, z_new)).square().mean() / y_new.var(),
                "Nearly: `mean` divides by $n$, but **`var` by $n - 1$**. Use sums above and below."),
        Mistake(lambda z, y, z_new, y_new: _score(_fitted(z, y, z_new)[:, None], y_new),
                "A column $(n, 1)$ minus a row $(n,)$ is **a table $(n, n)$**: give both the shape $(n,)$ first."),
        Mistake(lambda z, y, z_new, y_new: 1 - _score(_fitted(z, y, z_new), y_new),
                "This is the share that is **left over**; 1 minus it is the share that is told."),
        Mistake(lambda z, y, z_new, y_new: (y_new - _fitted(z, y, z_new)).square().mean(),
                "This is the **mean squared error**; divide by the variance of `y_new`, and subtract from 1."),
        Mistake(lambda z, y, z_new, y_new: _fitted(z, y, z_new), "These are the **predictions**; score them."),
    ),
    hints=(
        "Fit on `z, y` (with a column of ones), predict `y_new` from `z_new`, compare with the variance of `y_new`.",
        "`torch.linalg.lstsq(design, y[:, None]).solution`, then `1 - rest.square().sum() / (y_new - "
        "y_new.mean()).square().sum()`.",
    ),
    minutes=8,
    difficulty=2,
)

check = Checks("07", ORIENTATION, LIGHT_OF, SAME_PICTURE, TURNED, R_SQUARED)
