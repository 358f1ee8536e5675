# shellcheck shell=bash
# Starts, recognises and ends the lab's processes. A process is ours only while its pid is alive and
# its start time is the recorded one: a pid used again after a crash or a reset is left alone.
readonly PID_DIR=$SALLYPORT_LAB_DIR/pids
readonly LAB_STARTED_AT=$SECONDS

say() {
  printf '[%3ds] %s\n' "$((SECONDS - LAB_STARTED_AT))" "$*" >&2
}

# start_time PID: clock ticks since boot (field 22 of stat); nothing for a zombie or no process.
start_time() {
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  read -ra fields <<<"${stat##*) }" # the name in field 2 may hold blanks: cut behind its bracket
  [ "${fields[0]}" = Z ] || echo "${fields[19]}"
}

# recorded_pid NAME: the pid of a recorded process that still runs, else fails.
recorded_pid() {
  local pid='' started=''
  [ -e "$PID_DIR/$1.pid" ] || return 1
  read -r pid started <"$PID_DIR/$1.pid" || true
  [ -n "$pid" ] && [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ] || return 1
  echo "$pid"
}

is_running() {
  recorded_pid "$1" >/dev/null
}

# start NAME LOGFILE COMMAND...: in a session of its own, so that its group can be ended with it.
start() {
  local name=$1 log=$2 pid
  shift 2
  (
    close_inherited
    exec setsid "$@" >>"$log" 2>&1 </dev/null
  ) &
  pid=$!
  echo "$pid $(start_time "$pid")" >"$PID_DIR/$name.pid"
  disown "$pid"
}

# What the caller has open is not the service's: it would hold up.sh's lock, and any flock(1) around up.sh, for good.
close_inherited() {
  local fd
  for fd in /proc/self/fd/*; do
    fd=${fd##*/}
    if ((fd > 2 && fd != 255)); then exec {fd}>&-; fi # 255 is this script, which bash closes itself
  done
}

# stop NAME...: all are told first and then waited for (squid lingers after SIGTERM); a process
# that is still there after 5 s is killed with its group.
stop() {
  local name pid
  for name in "$@"; do
    if pid=$(recorded_pid "$name"); then
      kill -TERM "$pid" || true
    fi
  done
  for name in "$@"; do
    wait_until 50 not_running "$name" 2>/dev/null || true
    if pid=$(recorded_pid "$name"); then
      kill -KILL -- "-$pid" || true
    fi
    rm -f "$PID_DIR/$name.pid"
  done
}

not_running() {
  ! is_running "$1"
}

is_open() {
  (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}

# wait_until TENTHS COMMAND...: polls the command, fails with a message when the time is over.
wait_until() {
  local tenths=$1 i
  shift
  for ((i = 0; i < tenths; i++)); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.1
  done
  echo "lab: gave up waiting for: $*" >&2
  return 1
}

wait_for_port() {
  wait_until 150 is_open "$1" "$2"
}
