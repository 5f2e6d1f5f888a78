#!/usr/bin/env bash
# Serves a model with vLLM, on one GPU or many, for llm=openai:
#   scripts/serve_vllm.sh MODEL [options of vllm serve]
#   TENSOR_PARALLEL=2 DATA_PARALLEL=4 scripts/serve_vllm.sh MODEL          # 8 GPUs of one node: 4 copies over 2 each
#   RAY=1 DATA_PARALLEL=16 scripts/serve_vllm.sh MODEL                     # several nodes; before, on the first:
#                            ray start --head --port=6379    and on the others: ray start --address=FIRST_NODE:6379
# Then: python scripts/generate.py llm=vllm llm.model=MODEL llm.max_concurrency=256  (elsewhere: llm.base_url=http://HOST:8000/v1)
# A model that fits one GPU gains most from data parallel copies. PORT and HOST change where it listens.
set -euo pipefail
if [ $# -lt 1 ] || [ "${1#-}" != "$1" ]; then
    echo "usage: [TENSOR_PARALLEL=1] [DATA_PARALLEL=1] [RAY=1] [HOST=127.0.0.1] [PORT=8000] $0 MODEL [OPTION...]" >&2
    exit 2
fi
if ! command -v vllm >/dev/null; then
    echo "error: vllm is not installed; pip install vllm (a machine with GPUs), then call this again" >&2
    exit 2
fi
model=$1
shift
options=(
    --host "${HOST:-127.0.0.1}" --port "${PORT:-8000}" --served-model-name "$model"
    --tensor-parallel-size "${TENSOR_PARALLEL:-1}" --data-parallel-size "${DATA_PARALLEL:-1}"
)
if [ -n "${RAY:-}" ]; then
    options+=(--distributed-executor-backend ray --data-parallel-backend ray)
fi
exec vllm serve "$model" "${options[@]}" "$@"
