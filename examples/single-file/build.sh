#!/usr/bin/env bash
# Makes one executable of the greeter's plugin, which needs no Node where it runs: build.sh sea OUT, or build.sh bun OUT
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
plugin=$here/../greeter/plugin.ts
out=$2
case $1 in
  # Node's single executable applications: a script, and a copy of Node that runs it. The script has to be CommonJS, in which
  # an entry has no top-level await; main.ts imports the plugin instead.
  sea)
    work=$(mktemp -d)
    trap 'rm -r "$work"' EXIT
    npx esbuild "$here/main.ts" --bundle --platform=node --target=node20 --format=cjs --outfile="$work/main.cjs" --log-level=error
    echo "{ \"main\": \"$work/main.cjs\", \"output\": \"$work/main.blob\", \"disableExperimentalSEAWarning\": true }" > "$work/sea.json"
    node --experimental-sea-config "$work/sea.json"
    cp "$(node -p process.execPath)" "$out"
    npx postject "$out" NODE_SEA_BLOB "$work/main.blob" --sentinel-fuse NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2
    ;;
  bun)
    bun build --compile "$plugin" --outfile "$out"
    ;;
esac
