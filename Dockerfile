# docker build -t meru_nb . && docker run --rm -it --gpus all -v "$PWD:/work" -w /work meru_nb meru-train   (leave out --gpus all where there is none)
FROM python:3.11-slim
COPY . /opt/meru_nb
RUN pip install --no-cache-dir /opt/meru_nb
CMD ["meru-train", "--help"]
