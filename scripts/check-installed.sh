#!/usr/bin/env bash
# Usage: scripts/check-installed.sh
# Packs the package, installs it into an empty folder and downloads a page with `npx sallyport get` through the
# embedded proxy of that installed copy. Prints what it proved; any failure ends it.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack --silent --ignore-scripts --pack-destination "$folder" >/dev/null
cp scripts/installed-smoke.mjs "$folder/"
cd "$folder"
export SALLYPORT_STATE_DIR=$folder/state
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund ./sallyport-*.tgz
node installed-smoke.mjs
