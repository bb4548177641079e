# The router as an image: `docker build -t graphway:0.1.0 .`; docs/kubernetes.md says how to run it.
# A drop-in for the image of KServe's router: the same arguments, port, probe and environment.
#
# Nothing is compiled and nothing is installed that a lock file does not name with its hash, the
# tools that make our own wheel included. BASE is an argument for mirrors and pinned digests.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src

# pip and hatchling stay in an environment that the image does not get.
COPY requirements-build.lock ./
RUN python3 -m venv /tools \
 && /tools/bin/pip install --require-hashes --only-binary :all: -r requirements-build.lock \
 && python3 -m venv --without-pip /opt/graphway

# Before the sources: they change daily, these do not.
COPY requirements.lock ./
RUN /tools/bin/pip --python /opt/graphway/bin/python install --no-compile \
    --require-hashes --only-binary :all: -r requirements.lock

COPY pyproject.toml README.md LICENSE graphway.py ./
COPY graph ./graph
COPY router ./router
COPY controller ./controller
COPY cli ./cli
COPY configs ./configs
RUN /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /tools/bin/pip --python /opt/graphway/bin/python install --no-compile --no-deps --no-index \
    /wheels/*.whl

# The root is read-only later, so bytecode is made now; unchecked, because layers change file times.
RUN /opt/graphway/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/graphway/lib


FROM ${BASE}
LABEL org.opencontainers.image.title="graphway" \
      org.opencontainers.image.description="Inference graph router: KServe InferenceGraph manifests, served" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"

# The slim base comes without bytecode of the standard library; each start would compile it again.
RUN python3 -c "import sysconfig; print(sysconfig.get_path('stdlib'))" \
  | xargs python3 -m compileall -q -j 0 -x 'site-packages|dist-packages|idlelib|lib2to3|tkinter|turtle'

COPY --from=build /opt/graphway /opt/graphway

# GRAPHWAY_DRAIN_SECONDS: KServe leaves its router pods Kubernetes' grace of 30 s, after which
# everything is killed; requests in flight need the last ten of them.
ENV PATH=/opt/graphway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    GRAPHWAY_DRAIN_SECONDS=20

# A number, for runAsNonRoot to believe it. Nothing belongs to this user, nothing is written.
USER 65532:65532
EXPOSE 8080 8081 9902
ENTRYPOINT ["graphway", "serve"]
