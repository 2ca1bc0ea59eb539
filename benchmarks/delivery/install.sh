#!/usr/bin/env bash
# Installs the programs that hookctl's deliveries are compared with: nginx, Redis and Alertmanager as Debian packages, and
# Celery, pgqueuer and procrastinate in virtual environments of their own. Where npm is installed, also PostgreSQL,
# graphile-worker and BullMQ.
# May be run again at any time. Starts no service, and enables none that was not there before.
set -euo pipefail

cache="${XDG_CACHE_HOME:-$HOME/.cache}/hookctl-benchmarks"
policy=/usr/sbin/policy-rc.d
declare -A programs=([nginx]=nginx [redis-server]=redis-server [prometheus-alertmanager]=prometheus-alertmanager)

missing=()
for package in "${!programs[@]}"; do
  PATH="$PATH:/usr/sbin" command -v "${programs[$package]}" >/dev/null || missing+=("$package")
done

if command -v npm >/dev/null && ! ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then
  missing+=(postgresql)
fi

if ((${#missing[@]})); then
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "Needs root and apt-get to install: ${missing[*]}" >&2
    exit 1
  fi
  # While this file forbids it, no package starts its service.
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get -qq install --yes --no-install-recommends "${missing[@]}" >/dev/null
  for package in "${missing[@]}"; do
    deb-systemd-helper disable "$package.service" >/dev/null 2>&1 || true # there may be no systemd
    update-rc.d "$package" disable >/dev/null 2>&1 || true                # or no start scripts
  done
fi

if ! "$cache/celery/bin/python" -c 'import celery, kombu.transport.redis, requests' 2>/dev/null; then
  mkdir -p "$cache"
  "${PYTHON:-python3}" -m venv "$cache/celery"
  "$cache/celery/bin/python" -m pip install --quiet --disable-pip-version-check celery redis packaging requests # kombu imports packaging, and does not ask for it
fi

if ! "$cache/python-workers/bin/python" -c 'import aiohttp, asyncpg, pgqueuer, procrastinate, uvloop' 2>/dev/null; then
  "${PYTHON:-python3}" -m venv "$cache/python-workers"
  "$cache/python-workers/bin/python" -m pip install --quiet --disable-pip-version-check \
    'pgqueuer[asyncpg]' procrastinate 'psycopg[binary,pool]' aiohttp uvloop
fi

if ! command -v npm >/dev/null; then
  echo "npm is not installed, so graphile-worker and BullMQ will be skipped." >&2
elif [ ! -e "$cache/node/node_modules/ioredis" ]; then
  mkdir -p "$cache/node"
  npm install --prefix "$cache/node" --silent --no-audit --no-fund --ignore-scripts \
    graphile-worker bullmq ioredis undici # BullMQ does not ask for ioredis, its client of Redis
fi
