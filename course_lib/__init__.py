"""The library of the course "Generative AI from First Principles".

Import it before torch: the line below must come before torch loads its threads. A waiting thread then sleeps;
by default it spins, and on a machine that others use too a small sum takes up to twenty times as long.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
