# syntax=docker/dockerfile:1
# Three stages: the web app, the Python packages, and what runs (no compiler, no Node, no root).

FROM node:24-bookworm-slim AS web
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM python:3.11-slim-bookworm AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.txt ./
RUN /venv/bin/pip install --require-hashes -r requirements.txt

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /state --create-home --shell /usr/sbin/nologin base-ops
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BASE_OPS_STATE_DIR=/state \
    BASE_OPS_LOG_JSON=1
WORKDIR /app
COPY --from=packages /venv /venv
COPY manage.py ./
COPY base_ops base_ops
COPY booking booking
COPY devices devices
COPY billing billing
COPY --from=web /src/frontend/dist frontend/dist
USER base-ops
VOLUME /state
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-m", "base_ops.supervisor.health", "http://127.0.0.1:8000"]
CMD ["python", "manage.py", "run_web", "--host", "0.0.0.0", "--port", "8000"]
