#!/bin/sh
# Starts Sallyport from the folder this file lies in, with the Node beside it, from any working directory and by way of any
# symbolic link. NODE_OPTIONS and NODE_PATH are the caller's own programs' matter: they reach what `run` starts, not this Node.
self=$0
while [ -h "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=${self%"${self##*/}"}$target ;;
  esac
done
case $self in
  */*) folder=${self%/*} ;;
  *) folder=. ;;
esac
folder=$(CDPATH='' cd -P "${folder:-/}" && pwd) || exit 2

unset SALLYPORT_CALLER_NODE_OPTIONS SALLYPORT_CALLER_NODE_PATH
if [ -n "${NODE_OPTIONS+set}" ]; then
  export SALLYPORT_CALLER_NODE_OPTIONS="$NODE_OPTIONS"
  unset NODE_OPTIONS
fi
if [ -n "${NODE_PATH+set}" ]; then
  export SALLYPORT_CALLER_NODE_PATH="$NODE_PATH"
  unset NODE_PATH
fi
exec "$folder/runtime/node" "$folder/app/dist/cli/main.js" "$@"
