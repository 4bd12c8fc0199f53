# One image for everything Tongke runs: `docker build -t tongke .`, then compose.yaml.
# Both stages use only what the lock files pin; the web pages are built with the Node.js among them. The C compiler makes
# media/hot.so, which forwards for less CPU; without it the same image comes out, but for that.

FROM python:3.13-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends make gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements-dev.lock .
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements-dev.lock
COPY . .
RUN make setup && .venv/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .

# The font is for slides that name Chinese letters without bringing them.
FROM python:3.13-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends fonts-wqy-microhei && rm -rf /var/lib/apt/lists/*
COPY requirements.lock /tmp/
RUN pip install --no-cache-dir --require-hashes --no-deps -r /tmp/requirements.lock && rm /tmp/requirements.lock
COPY --from=build /wheels /tmp/wheels
RUN pip install --no-cache-dir --no-deps /tmp/wheels/*.whl && rm -r /tmp/wheels \
 && useradd --create-home --uid 10001 tongke \
 && install -d -o tongke -g tongke /data
USER tongke
WORKDIR /home/tongke
ENV TONGKE_DATA=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8080/tcp 8443/tcp 7000/udp 7000/tcp
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/readyz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tongke"]
CMD ["serve"]
