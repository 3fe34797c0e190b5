#!/usr/bin/env bash
# Prints the folder of another runtime's program, from the npm registry where it is not there yet: runtime.sh 24 (a line of Node),
# runtime.sh bun, runtime.sh deno, runtime.sh typescript-5.4 (a compiler), runners (of tests), node-types-26 (no program: the types of
# a line of Node).
set -euo pipefail
cd "$(dirname "$0")/.."
folder=.runtimes/$1
case $1 in
  bun | deno)
    package=$1
    programs=$folder/node_modules/.bin
    ;;
  typescript-*)
    package=typescript@${1#typescript-}
    programs=$folder/node_modules/.bin
    ;;
  node-types-*)
    package=@types/node@${1#node-types-}
    programs=$folder/node_modules
    ;;
  runners)
    # Of vitest the last line that runs on Node 20.
    package="vitest@4.1.12 jest@30.5.2 ts-node@10.9.2 typescript@5.9.3 @types/node@20"
    programs=$folder/node_modules/.bin
    ;;
  *)
    system=$(node -p '`${process.platform === "win32" ? "win" : process.platform}-${process.arch}`')
    package=node-$system@$1
    programs=$folder/node_modules/node-$system/bin
    ;;
esac
if [ ! -d "$programs" ]; then
  mkdir -p "$folder"
  echo '{ "private": true }' > "$folder/package.json"
  # The registry may have a bad moment, longer than npm's own tries.
  for pause in 10 30 0; do
    npm install --silent --no-audit --no-fund --prefix "$folder" $package >&2 && break
    [ $pause != 0 ] || exit 1
    sleep $pause
  done
fi
echo "$PWD/$programs"
