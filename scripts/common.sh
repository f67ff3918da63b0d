# What the scripts share; sourced by them, after which they stand in the project's root.
# shellcheck shell=bash
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." || exit

# Debian installs nats-server here, and leaves the folder out of the PATH of ordinary users.
export PATH="$PATH:/usr/sbin"

jobs=$(nproc)

# Runs a command whose output matters only when it fails; all of it goes to standard error.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  ((status == 0)) || cat "$log" >&2
  rm -f "$log"
  return "$status"
}

# configure PRESET [cmake argument...]
configure() { quietly cmake --preset "$@"; }

# build PRESET: progress, warnings and errors are shown.
build() { cmake --build --preset "$1" --parallel "$jobs" </dev/null; }
