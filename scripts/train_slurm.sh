#!/usr/bin/env bash
# Phase 2 on the nodes of a Slurm job: one launcher a node, one process a GPU.
#   sbatch --nodes 2 --gpus-per-node 8 scripts/train_slurm.sh run_dir=runs/tuned model=HUB_ID data=train.jsonl
#   ACCELERATE_CONFIG=fsdp2 sbatch --nodes 2 --gpus-per-node 8 scripts/train_slurm.sh ...   # the model in parts over all GPUs
# Submit it from the repository, its .venv made by `make setup` on a disk that all nodes see. A job that was stopped
# continues from its last checkpoint when it is submitted again with the same words (--requeue does it by itself).
#SBATCH --job-name=selfinstruct-train
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --requeue
set -euo pipefail
if [ $# -lt 1 ]; then
    echo "usage: sbatch --nodes N --gpus-per-node G $0 run_dir=... model=... data=...   (keys: configs/train.yaml)" >&2
    exit 2
fi
if [ -z "${SLURM_JOB_ID:-}" ]; then
    echo "error: not in a Slurm job; submit it with sbatch (without Slurm: accelerate launch, docs/finetuning.md)" >&2
    exit 2
fi
cd "${SLURM_SUBMIT_DIR:-.}"
config=configs/accelerate/${ACCELERATE_CONFIG:-several_nodes}.yaml
if [ ! -f "$config" ] || [ ! -f finetune/train.py ]; then
    echo "error: $PWD: no $config or no finetune/train.py here; submit from the repository" >&2
    exit 2
fi
gpus=${SLURM_GPUS_ON_NODE:-$(nvidia-smi --list-gpus | wc -l)}
nodes=${SLURM_JOB_NUM_NODES:-1}
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n 1p) # sed reads to the end: head would break the pipe
port=$((20000 + SLURM_JOB_ID % 20000)) # two jobs on a node do not meet
export PATH="$PWD/.venv/bin:$PATH" OMP_NUM_THREADS="${OMP_NUM_THREADS:-2}"
# shellcheck disable=SC2016  # each node knows its own number, this one not yet
exec srun --kill-on-bad-exit=1 bash -c 'exec accelerate launch --machine_rank "$SLURM_NODEID" "$@"' launch \
    --config_file "$config" --num_machines "$nodes" --num_processes $((nodes * gpus)) \
    --main_process_ip "$first" --main_process_port "$port" finetune/train.py "$@"
