# One image for every process; `scripts/process NAME` runs a line of the Procfile. Every package is installed from the lock.
FROM python:3.11-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements-pip.txt requirements.txt /src/
RUN python -m venv /venv \
 && /venv/bin/pip install -q --no-cache-dir --no-deps --only-binary :all: --require-hashes -r /src/requirements-pip.txt \
 && /venv/bin/pip install -q --no-cache-dir --no-deps --only-binary :all: --require-hashes -r /src/requirements.txt

# The guides at /docs: one file, so that the image below needs nothing of what builds it.
FROM python:3.11-slim AS docs
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements-docs.txt /src/
RUN pip install -q --no-cache-dir --no-deps --only-binary :all: --require-hashes -r /src/requirements-docs.txt
COPY scripts/build_docs.py /src/scripts/
COPY docs /src/docs
RUN python /src/scripts/build_docs.py

FROM python:3.11-slim
# State that is not in Postgres or R2: local blobs in development, backups. Owned by the one user that runs everything.
RUN useradd --system --uid 10001 --home-dir /var/lib/bitloot --create-home bitloot
COPY --from=packages /venv /venv
WORKDIR /app
COPY piccolo_conf.py Procfile ./
COPY app app
COPY actors actors
COPY dev dev
COPY templates templates
COPY static static
COPY locale locale
COPY examples examples
COPY --from=docs /src/app/docs app/docs
COPY scripts/process scripts/bitloot scripts/healthy /usr/local/bin/
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    BITLOOT_VAR=/var/lib/bitloot PROCFILE=/app/Procfile PORT=8000
USER bitloot
EXPOSE 8000
# What `web` answers; the other processes switch it off, since they listen nowhere.
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["healthy", "/readyz"]
# The processes drain on SIGTERM within 25 seconds.
STOPSIGNAL SIGTERM
CMD ["process", "web"]
