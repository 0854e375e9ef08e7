# One image for every process of the service; docker-compose.yml says which command each of them runs.
FROM python:3.13-slim-trixie AS build
WORKDIR /app
COPY locks/run.txt locks/
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --quiet --no-cache-dir --require-hashes --only-binary :all: -r locks/run.txt
COPY manage.py ./
COPY config config
COPY jobs jobs
COPY access access
COPY sessions_app sessions_app
COPY reservations reservations
COPY external_apis external_apis
COPY maintenance maintenance
COPY monitoring monitoring
# Settings demand these values; collecting files uses none of them, and they stay in this stage.
RUN SECRET_KEY=unused CREDENTIAL_KEYS=unused DATABASE_URL=postgresql:///unused REDIS_URL=redis://unused/0 \
    /opt/venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
 && /opt/venv/bin/python -m compileall -q /app

FROM python:3.13-slim-trixie
# pg_dump and pg_restore of PostgreSQL 17, as the server in docker-compose.yml; a fresh volume takes over who owns /backups.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client-17 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin cron \
 && install -d -o cron -m 0700 /backups
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER cron
CMD ["gunicorn", "config.wsgi:application", "--bind", "0.0.0.0:8000"]
