#!/usr/bin/env bash
# Installs the programs that the tests need, on Debian as root; elsewhere names
# what is missing and fails.
set -euo pipefail

declare -A package=(
  [mariadbd]=mariadb-server-core
  [chromium]=chromium
  [node]=nodejs
  [npm]=npm
  [pdftotext]=poppler-utils
)
missing=()
for program in "${!package[@]}"; do
  command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] || missing+=("${package[$program]}")
done
command -v fc-list >/dev/null && fc-list :lang=zh | grep -q . || missing+=(fonts-noto-cjk)

[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}"
else
  echo "The tests need these Debian packages: ${missing[*]}" >&2
  echo "Install them (as root: apt-get install ${missing[*]}) and run make test again." >&2
  exit 1
fi
