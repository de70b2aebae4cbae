#!/bin/bash
# A search on whole nodes of a Slurm cluster, from the project's folder on the shared file system:
#
#   sbatch configs/cluster/slurm.sh --model mgru --storage $SCRATCH/runs
#
# Everything after the script's name goes to search.run. The same command again goes on with the
# study, and so does Slurm itself after it has taken nodes away. Lines marked CHANGE are yours to
# adapt; what it costs to leave them stands beside.

#SBATCH --job-name=copytask
#SBATCH --output=%x-%j.log
#SBATCH --nodes=2               # CHANGE: nodes that search together
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16      # CHANGE: processors that are left out run no trials
#SBATCH --exclusive
#SBATCH --time=02:00:00         # CHANGE: the search is cut off then, and goes on when asked again
#SBATCH --requeue

set -euo pipefail
. .venv/bin/activate            # CHANGE: if `make search` has put the project elsewhere

# A token for this job: whoever has none is refused, while on a shared network anybody could run
# code otherwise. The nodes read it from this folder.
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$PWD/.token-$SLURM_JOB_ID"
trap 'rm -f "$RAY_AUTH_TOKEN_PATH"' EXIT
(umask 077; python -c 'import secrets; print(secrets.token_hex(32))' > "$RAY_AUTH_TOKEN_PATH")

# The same on every node: starts Ray there; the search runs on the first. If Ray does not start on
# one of them, the job ends.
export RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=120
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
srun --kill-on-bad-exit=1 \
    ray symmetric-run --address "$head:6379" --min-nodes "$SLURM_JOB_NUM_NODES" \
    --num-cpus "$SLURM_CPUS_PER_TASK" --object-store-memory 200000000 -- \
    configs/cluster/search-or-resume.sh --address auto "$@"
