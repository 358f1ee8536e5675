#!/bin/bash
# Brings the lab up: `up.sh [--fresh]`. What runs already is left alone; --fresh ends it and starts
# from nothing. Needs root on Debian; installs the packages that are missing.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./env.sh
for part in parts/*.sh; do
  # shellcheck source=/dev/null
  . "./$part"
done

readonly STATE_FOLDERS=(krb pki origin ad apache squid cntlm home-alice)

if [ "$(id -u)" != 0 ] || [ ! -e /etc/debian_version ]; then
  echo 'lab: needs root on Debian' >&2
  exit 1
fi

umask 022 # squid and apache read the state under other users
mkdir -p "$SALLYPORT_LAB_DIR" "$PID_DIR"
exec 9>"$SALLYPORT_LAB_DIR/up.lock" # two suites may start at once
flock 9

if [ "${1:-}" = --fresh ]; then
  ./down.sh
  for folder in "${STATE_FOLDERS[@]}"; do rm -rf "${SALLYPORT_LAB_DIR:?}/$folder"; done
fi
for folder in "${STATE_FOLDERS[@]}"; do mkdir -p "$SALLYPORT_LAB_DIR/$folder"; done

for part in packages hosts kerberos pki origin ad apache squid cntlm sign_on wine clients; do
  trap 'echo "lab: part $part failed, see $SALLYPORT_LAB_DIR or try up.sh --fresh" >&2' ERR
  "up_$part"
done
say 'lab is up'
