FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin limosa

FROM debian:bookworm-slim
# `limosa replay` checks the certificates of https targets.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/release/limosa /usr/local/bin/limosa
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/limosa/
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin limosa \
    && install -d -o limosa -g limosa /data
USER limosa
WORKDIR /data
VOLUME /data
ENV LIMOSA_LISTEN=0.0.0.0:5001 LIMOSA_DATABASE=sqlite:/data/limosa.db LIMOSA_LOG_FORMAT=json
EXPOSE 5001
# bash speaks HTTP well enough for this, so the image needs no client.
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/5001 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["limosa"]
CMD ["serve"]
