"""How long does `import course_lib` take beyond torch, and the floors that compute?"""

import subprocess
import sys

from compare import Row, medians

FLOORS = "course_lib.inference, course_lib.models, course_lib.datasets, course_lib.training, course_lib.checkpoint"


def seconds(modules: str) -> float:
    code = f"import time, torch; begin = time.perf_counter(); import {modules}; print(time.perf_counter() - begin)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def rows() -> list[Row]:
    found = medians({"course_lib": lambda: seconds("course_lib"), "floors": lambda: seconds(FLOORS)})
    return [Row("`import course_lib`, seconds beyond torch", f"{found['course_lib']:.3f} s", "–", "–", "≤ 0.1 s"),
            Row("its floors 0 to 3, seconds beyond torch", f"{found['floors']:.3f} s", "–", "–", "≤ 0.1 s")]
