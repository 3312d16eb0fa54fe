"""Small Bayesian networks from textbooks and papers."""

import json
from importlib.resources import files

from ..errors import require_choice

NETWORKS = ("asia", "cancer", "earthquake", "survey")


def bayesian_network(name: str = "asia") -> dict[str, dict]:
    """The tables of a network: variable -> {"states": [...], "parents": [...], "cpt": {...}}.

    In "cpt" a key holds the parents' states, in the order of "parents", joined by commas ("" without parents);
    its value holds one probability for each of "states".

    Raises:     ValueError for another `name` than asia, cancer, earthquake and survey.
    Reference:  asia: Lauritzen and Spiegelhalter, Local computations with probabilities on graphical structures and
                their application to expert systems, Journal of the Royal Statistical Society B 50 (1988);
                cancer, earthquake: Korb and Nicholson, Bayesian Artificial Intelligence (2010);
                survey: Scutari and Denis, Bayesian Networks: With Examples in R (2014).
    """
    require_choice("name", name, NETWORKS)
    return json.loads((files("course_lib.datasets") / "data" / "bayes_nets.json").read_text(encoding="utf-8"))[name]
