# One image; docker-compose.yml says what each container of it runs.
FROM python:3.13-slim-bookworm AS build
WORKDIR /build
COPY requirements-uv.txt requirements.txt ./
RUN python -m venv /uv && /uv/bin/pip install --no-cache-dir --require-hashes -r requirements-uv.txt
RUN python -m venv --without-pip /venv \
    && /uv/bin/uv pip sync --no-cache --python /venv/bin/python --require-hashes requirements.txt

FROM python:3.13-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings DATA_DIR=/tmp/clinic HOST=0.0.0.0 PORT=8000
# Letters are set with Pango; without a font of its own the image would draw boxes.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core fonts-liberation \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin clinic
COPY --from=build /venv /venv
WORKDIR /app
COPY manage.py ./
COPY config ./config
COPY clinic ./clinic
COPY patients ./patients
COPY programs ./programs
# The addresses and secrets stand for nothing: collecting static files connects nowhere.
RUN SECRET_KEY=collectstatic-reads-the-settings-but-signs-nothing-at-all \
    ENCRYPTION_KEYS=b25seS1mb3ItY29sbGVjdGluZy1zdGF0aWMtZmlsZXM= \
    DATABASE_URL=postgres://nobody:nobody-connects@nowhere.invalid/none REDIS_URL=redis://nowhere.invalid \
    SITE_URL=https://nowhere.invalid ALLOWED_HOSTS=nowhere.invalid SMTP_HOST=nowhere.invalid \
    DEFAULT_FROM_EMAIL=nobody@nowhere.invalid \
    python manage.py collectstatic --noinput
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["python", "-m", "clinic.probe", "web"]
CMD ["gunicorn", "--config", "python:config.gunicorn"]
