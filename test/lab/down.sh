#!/bin/bash
# Ends the lab: only processes recorded by pid and start time. The state stays for the next up.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./env.sh
. ./parts/processes.sh
. ./parts/hosts.sh

recorded_names() {
  local file
  for file in "$PID_DIR"/*.pid; do
    [ -e "$file" ] && basename "$file" .pid
  done
}

mapfile -t clients_of_samba < <(recorded_names | grep -vx samba)
stop "${clients_of_samba[@]}"
stop samba
down_hosts
say 'lab is down'
