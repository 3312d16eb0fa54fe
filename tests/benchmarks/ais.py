"""What does annealed importance sampling cost? 1,000 images through a decoder 2-256-256-784, 100 temperatures."""

import resource
import subprocess
import sys
import time

from course_lib import datasets
from course_lib.inference.annealing import annealed_importance_sampling, sigmoid_temperatures
from course_lib.models import DeepLatentVariableModel
from course_lib.rng import randn, seeded

from compare import Row

IMAGES, TEMPERATURES, LEAPFROG = 1_000, 100, 5


def once() -> tuple[float, float]:
    """Seconds, and the MiB that the process has held at most: torch, the data and all."""
    x = datasets.binarise(datasets.mnist().x[:IMAGES])
    model = DeepLatentVariableModel(784, 2, generator=seeded(0)).requires_grad_(False)
    start = randn((1, IMAGES, 2), seeded(1), x)                          # one chain for each image
    begin = time.perf_counter()
    process = annealed_importance_sampling(
        model.log_prior, lambda z: model.log_joint(x, z), start, seeded(2),
        temperatures=sigmoid_temperatures(TEMPERATURES), step_size=0.1, leapfrog_steps=LEAPFROG,
    )
    for _ in process:
        pass
    return time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def rows() -> list[Row]:
    """In three processes of their own, for the peak of memory is that of a process."""
    runs = [subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True) for _ in range(3)]
    seconds, mebibytes = sorted(tuple(map(float, run.stdout.split())) for run in runs)[1]
    what = f"AIS, {IMAGES:,} images × {TEMPERATURES} temperatures × {LEAPFROG} leapfrog steps, float32"
    return [Row(what, f"{seconds:.0f} s, {mebibytes:.0f} MiB at most", "–", "–", "printed")]


if __name__ == "__main__":
    print(*once())
