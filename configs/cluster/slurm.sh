#!/bin/bash
# A search on whole nodes of a Slurm cluster, from the project's folder on the shared file system:
#
#   sbatch configs/cluster/slurm.sh --model mgru --storage $SCRATCH/runs
#
# Everything after the script's name goes to search.run. Run the same command again to resume the
# study; Slurm does so itself after it has requeued the job. Edit the lines marked CHANGE; each says
# what happens if you do not.

#SBATCH --job-name=copytask
#SBATCH --output=%x-%j.log
#SBATCH --nodes=2               # CHANGE: number of nodes for this search
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16      # CHANGE: CPUs of a node; trials use only this many
#SBATCH --exclusive
#SBATCH --time=02:00:00         # CHANGE: the search is cut off then; run the command again
#SBATCH --requeue

set -euo pipefail
. .venv/bin/activate            # CHANGE: if your environment is elsewhere; else the job fails

# A token for this job, which the nodes read from this folder. Without a token, anybody on a shared
# network could run code here.
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$PWD/.token-$SLURM_JOB_ID"
trap 'rm -f "$RAY_AUTH_TOKEN_PATH"' EXIT
(umask 077; python -c 'import secrets; print(secrets.token_hex(32))' > "$RAY_AUTH_TOKEN_PATH")

# This starts Ray on every node, and the search on the first. The job ends if Ray fails to start on
# any of them.
export RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=120
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
srun --kill-on-bad-exit=1 \
    ray symmetric-run --address "$head:6379" --min-nodes "$SLURM_JOB_NUM_NODES" \
    --num-cpus "$SLURM_CPUS_PER_TASK" --object-store-memory 200000000 -- \
    configs/cluster/search-or-resume.sh --address auto "$@"
