#!/usr/bin/env bash
# Install Debian's Chromium, in which the pages are tested, where it is missing and may be installed.
#
# Without it the tests that need it are skipped and say so.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "SKIPPED: there is no Chromium here, and only root can install it (apt-get install chromium)"
    exit 0
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
