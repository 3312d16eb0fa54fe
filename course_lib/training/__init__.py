"""Processes that fit a model to data: each yields one Step after another, and `fit` drains one into a History."""

from .descent import GradientDescent, Minibatches, gradient_descent
from .maximisation import expectation_maximisation
from .process import History, Step, fit

__all__ = [
    "GradientDescent", "History", "Minibatches", "Step", "expectation_maximisation", "fit", "gradient_descent",
]
