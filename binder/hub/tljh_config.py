"""Settings of The Littlest JupyterHub for the course; `tljh.sh` puts them into jupyterhub_config.d."""

from urllib.parse import urlencode

REPOSITORY = "https://git.example.org/course.git"  # where learners fetch the notebooks; `tljh.sh` fills it in

c = get_config()  # noqa: F821  JupyterHub defines it

# Every start fetches what is new, keeps what the learner wrote, and opens the map.
MAP = {"repo": REPOSITORY, "branch": "main", "targetPath": "course",
       "urlpath": "lab/tree/course/notebooks/00_start_here.ipynb"}
c.Spawner.default_url = f"/git-pull?{urlencode(MAP)}"

# PyTorch counts the cores of the whole machine; without this, each learner's kernel would take them all.
c.Spawner.environment = {"OMP_NUM_THREADS": "1"}
