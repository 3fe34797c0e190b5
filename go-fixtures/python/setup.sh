#!/bin/sh
# Makes .venv, a private virtual environment with requirements.txt, and prints
# the path of its Python on stdout. It does nothing if that is there already, and
# may be run several times at once. PYTHON names another interpreter than python3.
set -eu
cd "$(dirname "$0")"
python="$PWD/.venv/bin/python"

ready() { [ -x "$python" ] && cmp -s requirements.txt .venv/installed.txt; }

install() {
  ready && return 0 # another has made it while this one waited
  rm -rf .venv
  "${PYTHON:-python3}" -m venv .venv
  "$python" -m pip install --quiet --disable-pip-version-check --no-input \
    --only-binary :all: --no-deps -r requirements.txt
  cp requirements.txt .venv/installed.txt
}

if ! ready; then
  # Python's own lock, which every system has that gets this far.
  if [ "${1:-}" = locked ]; then
    install >&2
  else
    "${PYTHON:-python3}" -c '
import fcntl, subprocess, sys
with open(".venv.lock", "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    sys.exit(subprocess.run(["./setup.sh", "locked"], stdout=sys.stderr).returncode)
'
  fi
fi
[ "${1:-}" = locked ] || echo "$python"
