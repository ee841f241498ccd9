# docker build -t meru_nb . && docker run --rm -it --ipc=host --gpus all -v "$PWD:/data" -w /data meru_nb meru-train
# --ipc=host: loaders hand batches over in shared memory; no card: leave out --gpus all
FROM python:3.11-slim
# Triton builds its launchers with a C compiler: for --compile and --loss-kernel
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
COPY . /opt/meru_nb
RUN pip install --no-cache-dir /opt/meru_nb
CMD ["meru-train", "--help"]
