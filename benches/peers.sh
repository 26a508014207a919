#!/bin/sh
# What a request costs limosa, wrk and oha, interleaved on one target; or how late limosa sends.
#
#     benches/peers.sh [ROUNDS [REQUESTS]]     # 5 rounds of 400,000 requests a pass: a table
#     benches/peers.sh open                    # 20,000 requests a second for 10 s: lateness
set -eu
cd "$(dirname "$0")/.."

missing=0
need() {
    command -v "$1" >/dev/null || { echo "peers.sh: $1 is missing: $2" >&2; missing=1; }
}
if [ "${1-}" != open ]; then
    need wrk 'apt-get install wrk'
    need oha 'cargo install --locked oha --no-default-features --features rustls'
fi
need time 'apt-get install time'
need taskset 'apt-get install util-linux'
if [ "$(nproc)" -lt 2 ]; then
    echo "peers.sh: target and generator each need a core of their own, and here is one" >&2
    missing=1
fi
[ "$missing" -eq 0 ] || exit 2

exec cargo bench --quiet -p limosa-benches --bench peers -- "$@"
