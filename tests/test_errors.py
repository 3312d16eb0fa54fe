"""Messages for arguments that do not fit: each names the argument, what is required, and what came."""

from course_lib import errors

import pytest
import torch

X = torch.zeros(3, 2, dtype=torch.float64)
FAULTS = [
    (lambda: errors.require_rows("x", [1], (2,)), r"`x` must be a tensor of shape \(n, 2\); got list\."),
    (lambda: errors.require_rows("x", X, (3,)), r"`x` must have shape \(n, 3\); got \(3, 2\)\."),
    (lambda: errors.require_rows("x", X[:0], (2,)), r"`x` must have at least one row; got \(0, 2\)\."),
    (lambda: errors.require_rows("x", X.long(), (2,)), r"`x` must hold floating-point numbers; got torch\.int64\."),
    (lambda: errors.require_rows("x", X, (2,), whole=True), r"`x` must hold integers; got torch\.float64\."),
    (lambda: errors.require_rows("x", X > 0, (2,), whole=True), r"`x` must hold integers; got torch\.bool\."),
    (lambda: errors.require_rows("x", X.byte(), (2,), whole=True), r"must hold integers of torch\.int64; got torch\.u"),
    (lambda: errors.require_rows("x", X.float(), (2,), like=X), r"`x` must be torch\.float64, as the model is; got"),
    (lambda: errors.require_rows("x", X.to("meta"), (2,), like=X), r"`x` must be on cpu, where the model is; got"),
    (lambda: errors.require_finite("x", torch.tensor([0.0, torch.inf])), r"got 1 NaN .* the first at \(1,\)\."),
    (lambda: errors.require_vectors("z", X, 1), r"`z` must have shape \(\.\.\., 1\); got \(3, 2\)\."),
    (lambda: errors.require_vectors("z", X[0, 0], 1), r"`z` must have shape \(\.\.\., 1\); got \(\)\."),
    (lambda: errors.require_not_negative("beta", -1.0), r"`beta` must be a finite number >= 0; got -1\.0\."),
    (lambda: errors.require_not_negative("beta", float("nan")), r"`beta` must be a finite number >= 0; got nan\."),
    (lambda: errors.require_positive("lr", 0.0), r"`lr` must be a finite number > 0; got 0\.0\."),
    (lambda: errors.require_positive("lr", float("inf")), r"`lr` must be a finite number > 0; got inf\."),
    (lambda: errors.require_positive("steps", 1.5, whole=True), r"`steps` must be a whole number >= 1; got 1\.5\."),
    (lambda: errors.require_positive("steps", True, whole=True), r"`steps` must be a whole number >= 1; got True\."),
    (lambda: errors.require_choice("kind", "c", ("a", "b")), r"`kind` must be one of 'a', 'b'; got 'c'\."),
    (lambda: errors.require_binary("x", torch.tensor([[0, 1], [0.5, 1]])), r"only 0 and 1; got 0\.5 at \(1, 0\)\."),
    (lambda: errors.require_binary("x", torch.tensor([0, torch.nan])), r"only 0 and 1; got nan at \(1,\)\."),
    (lambda: errors.require_labels("y", torch.tensor([0, 3]), 2, 3), r"2 whole numbers from 0 to 2; .*values 0 to 3\."),
    (lambda: errors.require_labels("y", torch.tensor([-1, 0]), 2, 3), r"from 0 to 2; .*values -1 to 0\."),
    (lambda: errors.require_labels("y", torch.tensor([0]), 2, 3), r"`y` must hold 2 whole numbers .*shape \(1,\)"),
    (lambda: errors.require_counts("x", torch.tensor([1.0, -1.0])), r"whole numbers >= 0; got -1\.0 at \(1,\)\."),
    (lambda: errors.require_counts("x", torch.tensor([0.5])), r"whole numbers >= 0; got 0\.5 at \(0,\)\."),
    (lambda: errors.require_counts("x", torch.tensor([torch.nan])), r"whole numbers >= 0; got nan at \(0,\)\."),
    (lambda: errors.require_probabilities("p", torch.tensor([0.5, 0.6])), r"add up to 1 .* a sum of 1\.1\."),
    (lambda: errors.require_probabilities("p", torch.tensor([-0.5, 1.5])), r"a smallest value of -0\.5"),
]


@pytest.mark.oracle("message pinned", "errors.require_*")
@pytest.mark.parametrize(("fault", "message"), FAULTS)
def test_a_fault_is_named(fault, message):
    with pytest.raises(ValueError, match=message):
        fault()


def test_what_fits_passes():
    errors.require_rows("x", X, (2,), like=X)
    errors.require_rows("x", X.long(), (2,), whole=True, like=X)
    errors.require_finite("x", X)
    errors.require_positive("lr", 1e-3)
    errors.require_positive("steps", 3, whole=True)
    errors.require_choice("kind", "a", ("a", "b"))
    errors.require_binary("x", X)
    errors.require_labels("y", torch.tensor([0, 2]), 2, 3)
    errors.require_counts("x", X)
    errors.require_probabilities("p", torch.tensor([[0.3, 0.7], [1.0, 0.0]]))
