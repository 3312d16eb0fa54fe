#!/usr/bin/env bash
# Sets The Littlest JupyterHub up for the course. Clone the course from the address that learners can read, and in the clone:
#   sudo bash binder/hub/tljh.sh
# Run it again whenever the course has changed.
set -euo pipefail
cd "$(dirname "$0")/../.."
tljh=${TLJH:-/opt/tljh}
repository=$(git remote get-url origin)
case $repository in
    https://*) ;;
    *) echo "Learners fetch the course by https without a password; got $repository" >&2; exit 1 ;;
esac

# Into the environment that all learners share. torch comes first: its CPU build is a tenth of the size.
pip=("$tljh/user/bin/python" -m pip install --constraint constraints.txt)
"${pip[@]}" --no-deps --index-url https://download.pytorch.org/whl/cpu torch
"${pip[@]}" . nbgitpuller

sed "s|^REPOSITORY = \"[^\"]*\"|REPOSITORY = \"$repository\"|" binder/hub/tljh_config.py \
    > "$tljh/config/jupyterhub_config.d/course.py"

config() { "$tljh/hub/bin/tljh-config" "$@"; }
config set user_environment.default_app jupyterlab
config set limits.memory 2G            # a server and two open notebooks, the largest ones
config set limits.cpu 2                # the kernel computes on one core, the server answers beside it
config set services.cull.every 600
config set services.cull.timeout 3600  # an idle hour: longer than any break
config reload hub
