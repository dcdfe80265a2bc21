# One image for every process: `hub up`, `hub serve`, `hub worker` and the administrative commands.
FROM python:3.12-slim

# An init reaps what is orphaned and passes signals on. The wheels with the engines need glibc: no Alpine.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

COPY pyproject.toml ./
COPY hub hub
COPY schema schema
COPY connectors connectors
COPY workers workers
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --editable . \
    && useradd --uid 10001 --create-home crossdock \
    && install --directory --owner crossdock --mode 0700 /data

USER crossdock
ENV PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "hub"]
CMD ["up", "--host", "0.0.0.0", "--data", "/data"]
