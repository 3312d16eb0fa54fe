"""Models: one family a file; a method's name is a promise."""

from .autoregressive import MADE
from .base import Card, Conditional, Density, Generative
from .bayesian import Bayesian
from .compound import BetaBinomial, Compound, NegativeBinomial, StudentT
from .conditional import ConditionalBernoulli, ConditionalCategorical, ConditionalGaussian, ConditionalMixture
from .decoder import BernoulliDecoder, DeepLatentVariableModel
from .discrete_mixture import BernoulliMixture, CategoricalMixture
from .gaussian import Gaussian
from .gaussian_mixture import GaussianMixture
from .mixture import Mixture
from .network import BayesianNetwork
from .pixels import IndependentPixels
from .ppca import ProbabilisticPCA
from .seismology import GutenbergRichter
from .tree import ChowLiuTree
from .vae import VAE, ConditionalVAE, SemiSupervisedVAE
from .weather import WeatherGenerator

__all__ = [
    "MADE",
    "VAE",
    "Bayesian",
    "BayesianNetwork",
    "BernoulliDecoder",
    "BernoulliMixture",
    "BetaBinomial",
    "Card",
    "CategoricalMixture",
    "ChowLiuTree",
    "Compound",
    "Conditional",
    "ConditionalBernoulli",
    "ConditionalCategorical",
    "ConditionalGaussian",
    "ConditionalMixture",
    "ConditionalVAE",
    "DeepLatentVariableModel",
    "Density",
    "Gaussian",
    "GaussianMixture",
    "Generative",
    "GutenbergRichter",
    "IndependentPixels",
    "Mixture",
    "NegativeBinomial",
    "ProbabilisticPCA",
    "SemiSupervisedVAE",
    "StudentT",
    "WeatherGenerator",
]
