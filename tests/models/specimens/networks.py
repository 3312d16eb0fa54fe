"""Specimens of Bayesian networks."""

from course_lib.models import BayesianNetwork

import torch

from . import Specimen

SPRINKLER = {  # in an order that is not topological, one variable with three states, one row with a zero
    "wet": {"states": ["dry", "damp", "soaked"], "parents": ["rain", "sprinkler"], "cpt": {
        "no,off": [0.9, 0.1, 0.0], "no,on": [0.1, 0.6, 0.3], "yes,off": [0.1, 0.2, 0.7], "yes,on": [0.05, 0.15, 0.8],
    }},
    "rain": {"states": ["no", "yes"], "parents": [], "cpt": {"": [0.7, 0.3]}},
    "sprinkler": {"states": ["off", "on"], "parents": ["rain"], "cpt": {"no": [0.4, 0.6], "yes": [0.9, 0.1]}},
}


def codes(*levels):
    points = torch.cartesian_prod(*map(torch.arange, levels))
    return points, torch.zeros(len(points))


SPECIMENS = {"network": Specimen(lambda: BayesianNetwork(SPRINKLER), lambda: codes(3, 2, 2))}
