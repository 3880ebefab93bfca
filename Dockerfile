# SEA with all its plugins. For a CPU:
#   docker build --tag sea .
#   docker run --rm sea doctor
# For a GPU (an NVIDIA driver and its container toolkit are needed):
#   docker build --tag sea --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu128 .
#   docker run --rm --gpus all --volume "$PWD:/work" sea optimize data.jsonl --plugin llava --model /work/llava-1.5-7b
FROM python:3.11-slim-bookworm

ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

# A compiler: on a GPU, torch.compile builds kernels (`-o compile=auto`). Debian removes old versions: none is pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/sea
COPY constraints.txt ./
RUN pip install --no-cache-dir --constraint constraints.txt --index-url "$TORCH_INDEX" \
        --extra-index-url https://pypi.org/simple torch
COPY . .
RUN pip install --no-cache-dir --constraint constraints.txt . \
        ./plugins/auto ./plugins/bench ./plugins/llava ./plugins/qwen2_audio ./plugins/qwen2_vl ./plugins/toy \
    && useradd --create-home --uid 1000 sea

USER 1000
WORKDIR /work
ENTRYPOINT ["sea"]
CMD []
