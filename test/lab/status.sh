#!/bin/bash
# One line a service: up or down, process, address, what it offers. Exits 0 only when all are up.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./env.sh
. ./parts/processes.sh
. ./parts/services.sh

exit_code=0
while IFS='|' read -r process address port offer; do
  state=down
  if is_running "$process" && is_open "$address" "$port"; then state=up; else exit_code=1; fi
  printf '%-4s %-16s %-17s %s\n' "$state" "$process" "$address:$port" "$offer"
done < <(lab_services)
exit "$exit_code"
