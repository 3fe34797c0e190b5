#!/usr/bin/env bash
# Prints the folder of a Node of another line, from the npm registry where it is not there yet: node.sh 24
set -euo pipefail
cd "$(dirname "$0")/.."
line=$1
system=$(node -p '`${process.platform === "win32" ? "win" : process.platform}-${process.arch}`')
folder=.node/$line
if [ ! -x "$folder/node_modules/node-$system/bin/node" ]; then
  mkdir -p "$folder"
  echo '{ "private": true }' > "$folder/package.json"
  npm install --silent --no-audit --no-fund --prefix "$folder" "node-$system@$line" >&2
fi
echo "$PWD/$folder/node_modules/node-$system/bin"
