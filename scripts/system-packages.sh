#!/usr/bin/env bash
# The Debian packages that napari's window needs: installed as root, named otherwise.
set -euo pipefail
packages=(xvfb xauth libgl1 libgl1-mesa-dri libegl1 libopengl0 libdbus-1-3 libxkbcommon-x11-0 libfontconfig1 libglib2.0-0
  libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxcb-image0 libxcb-render-util0 libxcb-xinerama0
  fonts-dejavu-core)
python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
command -v dpkg-query >/dev/null || { echo "Not a Debian system: make sure that these are there: ${packages[*]}"; exit 0; }

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
missing=()
for package in "${packages[@]}"; do
  # Since Ubuntu 24.04 and Debian 13 the names of some end with t64.
  installed "$package" || installed "${package}t64" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo "These Debian packages are missing. Install them, then run this again:" >&2
  echo "  sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends "${missing[@]}"
