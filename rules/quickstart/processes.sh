# shellcheck shell=bash
# Programs that a script starts and must not leave behind. Sourced by rules/quickstart/start and tests/run.

# The process group of the long command that runs just now, for the exit trap.
CHILD=

# Runs a long command so that a signal to the script ends it and all that it started: in a process group of
# its own, awaited in the background, because bash hears no signal while it waits in the foreground.
run_child() {
  setsid "$@" 9>&- &
  CHILD=$!
  local outcome=0
  wait "$CHILD" || outcome=$?
  CHILD=
  return "$outcome"
}

# run_logged LOG COMMAND...: the same, with the output in a file and, as it comes, on the terminal.
# Not through a pipe: whoever inherits its end would keep us waiting.
run_logged() {
  local log=$1 outcome=0 shower
  shift
  setsid "$@" >"$log" 2>&1 9>&- &
  CHILD=$!
  tail -n +1 -s 0.2 -f --pid="$CHILD" "$log" 9>&- &
  shower=$!
  wait "$CHILD" || outcome=$?
  CHILD=
  wait "$shower" || true
  return "$outcome"
}

end_child() {
  [[ -z $CHILD ]] || kill -TERM -- "-$CHILD" 2>/dev/null || true
}

# end PID: asks, waits up to five seconds, insists.
end() {
  [[ -n $1 ]] || return 0
  kill -TERM "$1" 2>/dev/null || return 0
  local tenths
  for ((tenths = 0; tenths < 50; tenths++)); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
}
