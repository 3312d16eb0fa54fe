"""The library of the course "Generative AI from First Principles".

Import it before torch: the line below must come before torch loads its threads. A waiting thread then sleeps after
a moment; by default it spins for long, and on a machine that others use too a small sum takes ten times as long.
"""

import os

os.environ.setdefault("GOMP_SPINCOUNT", "10000")

__version__ = "0.1.0"
