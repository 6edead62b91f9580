#!/usr/bin/env bash
# Make sure that the browser tests find a Chromium, a Firefox and what system notifications need (a D-Bus daemon and
# libnotify): installs Debian's where we may, otherwise says how.
set -euo pipefail

found() {
  local name
  for name in "$@"; do
    if [[ -n $name ]] && command -v "$name" >/dev/null; then
      return 0
    fi
  done
  return 1
}

missing=()
found "${BELLHOP_BROWSER:-}" chromium chromium-browser google-chrome google-chrome-stable || missing+=(chromium)
found "${BELLHOP_FIREFOX:-}" firefox-esr firefox || missing+=(firefox-esr)
found dbus-daemon || missing+=(dbus)
[[ $(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null) == *libnotify.so.4* ]] || missing+=(libnotify4)
if [[ ${#missing[@]} == 0 ]]; then
  exit 0
fi

if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  echo "Installing ${missing[*]} for the browser tests …"
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }
  exit 0
fi

echo "The browser tests need Chromium, Firefox, dbus-daemon and libnotify. Install what is missing (Debian, Ubuntu: sudo apt-get install ${missing[*]})," >&2
echo "or name the browsers by their full paths in the environment variables BELLHOP_BROWSER and BELLHOP_FIREFOX." >&2
exit 1
