#!/usr/bin/env bash
# Make sure that the browser tests find a Chromium: installs Debian's where we may, otherwise says how.
set -euo pipefail

for name in "${BELLHOP_BROWSER:-}" chromium chromium-browser google-chrome google-chrome-stable; do
  if [[ -n $name ]] && command -v "$name" >/dev/null; then
    exit 0
  fi
done

if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  echo "Installing Chromium for the browser tests …"
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1 ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; }
  exit 0
fi

echo "The browser tests need Chromium. Install it (Debian, Ubuntu: sudo apt-get install chromium)," >&2
echo "or name a Chromium or Chrome by its full path in the environment variable BELLHOP_BROWSER." >&2
exit 1
