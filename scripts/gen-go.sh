#!/usr/bin/env bash
# Writes the examples' definitions anew from Go source. With --check only where the same release of Go and the Go modules are at hand:
# another release's standard library has other types.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v go > /dev/null || { echo "no Go: definitions made of Go source are left as they are"; exit 0; }

# generate MODULE-FOLDER OUT ARGUMENTS...
generate() {
  local module=$1 out=$2
  shift 2
  if [ "${check:-}" ] && ! grep -q "^// From .*, $(cd "$module" && go env GOVERSION)\.$" "$out"; then
    echo "$out is of another release of Go: left as it is"
    return
  fi
  if [ "${check:-}" ] && ! (cd "$module" && go mod download > /dev/null 2>&1); then
    echo "$out: its Go modules cannot be had: left as it is"
    return
  fi
  node --import tsx src/cli/main.ts gen -C "$module" "$@" --out "$out"
}

[ "${1:-}" = --check ] && check=1
generate go-fixtures examples/goatkit/gen/definitions.ts ./goatkit/gkplugin --no-docs
generate go-fixtures/mattermost examples/mattermost/gen/definitions.ts \
  github.com/mattermost/mattermost/server/public/plugin --int64 number --no-docs --optional
