#!/usr/bin/env bash
# Run the pinned uv, which is fetched with pip into .uv/ at first: it sets up an environment in a tenth of pip's time.
#
#   scripts/uv.sh ARGUMENTS...
#
# It is told what pip has been told of the index and of certificates; uv itself reads neither.
set -euo pipefail
home=$(cd "$(dirname "$0")/.." && pwd)/.uv
python=${PYTHON:-$(bash "$(dirname "$0")/find_python.sh" 3.11 3.12 3.13)}
pin=$(sed -n 's/^uv==/uv==/p' "$(dirname "$0")/../constraints/build.txt")

if [ ! -x "$home/$pin/bin/uv" ]; then  # several may come here at once: whoever is first puts it there, whole
    mkdir -p "$home"
    "$python" -m pip install -q --disable-pip-version-check --root-user-action ignore --no-deps --target "$home/$$" "$pin" >&2
    mv -n "$home/$$" "$home/$pin"
    rm -rf "${home:?}/$$"
fi

pip_option() { "$python" -m pip config get "global.$1" 2>/dev/null || true; }
index=${PIP_INDEX_URL:-$(pip_option index-url)} certificates=${PIP_CERT:-$(pip_option cert)}
[ -z "$index" ] || export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$index}
[ -z "$certificates" ] || export SSL_CERT_FILE=${SSL_CERT_FILE:-$certificates}
exec "$home/$pin/bin/uv" --no-progress --no-config "$@"
