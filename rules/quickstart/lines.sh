# shellcheck shell=bash
# The lines to paste: what each shows, the line itself, and what must be in its output. The very same lines
# are printed for people (lines_print) and run by --check (lines_check), so that none can go stale.
# Sourced by rules/quickstart/start, whose names it uses.

LINE_TITLES=()
LINE_COMMANDS=()
LINE_EXPECTATIONS=()

# line TITLE COMMAND EXPECTATION (an extended regular expression that some line of the output matches)
line() {
  LINE_TITLES+=("$1")
  LINE_COMMANDS+=("$2")
  LINE_EXPECTATIONS+=("$3")
}

lines_make() {
  local ca ann bob curl=curl imaps=imaps://127.0.0.1:$IMAPS_PORT pop3s=pop3s://127.0.0.1:$POP3S_PORT
  # Whoever works behind a proxy would send even loopback connections there.
  [[ -z ${http_proxy-}${HTTP_PROXY-}${all_proxy-}${ALL_PROXY-} ]] || curl="curl --noproxy '*'"
  ca=$(printf '%q' "$STATE/chain.pem")
  ann="$curl -sS --cacert $ca -u $ANN:$ANN_PASSWORD"
  bob="$curl -sS --cacert $ca -u $BOB:$BOB_PASSWORD"
  local folder=${FOLDER//&/%26}

  line "Ann's folders (the second is Grüße in IMAP's own spelling)" \
    "$ann $imaps/" '"?Gr&APwA3w-e"?'
  line 'A message over IMAP' \
    "$ann '$imaps/INBOX;UID=1'" '^Subject: Lunch on Thursday'
  line 'An 8-bit message' \
    "$ann '$imaps/INBOX;UID=3'" 'schöne Grüße aus Århus'
  line 'The message in Grüße' \
    "$ann '$imaps/$folder;UID=1'" 'the folder with the umlaut'
  line "The 2 MB attachment, decoded (the sum must begin with ${ATTACHMENT_SHA256:0:8})" \
    "$ann '$imaps/INBOX;UID=2;SECTION=2' | base64 -di | sha256sum" "^$ATTACHMENT_SHA256 "
  line "Ann's messages over POP3, with their sizes" \
    "$ann $pop3s/" '^2 2[0-9]{6}'
  line 'A message over POP3' \
    "$ann $pop3s/1" '^\.\. A line that begins with dots'
  line "Bob's mail" \
    "$bob '$imaps/INBOX;UID=1'" '^With pleasure'
  line 'A wrong password (67 is how curl says "login denied")' \
    "$curl -s --cacert $ca -u $BOB:wrong $imaps/; echo \$?" '^67$'
  line 'The TLS side' \
    "openssl s_client -connect 127.0.0.1:$IMAPS_PORT -CAfile $ca -verify_return_error -alpn imap -brief </dev/null 2>&1" \
    '^Protocol version: TLSv1\.3'
  line 'IMAP by hand, pipelined' \
    "printf '%s\\n' 'a LOGIN $ANN $ANN_PASSWORD' 'b SELECT INBOX' 'c FETCH 1:* (FLAGS RFC822.SIZE)' 'd LOGOUT' | openssl s_client -quiet -crlf -connect 127.0.0.1:$IMAPS_PORT -CAfile $ca -verify_return_error 2>/dev/null" \
    '^c OK'
  line 'POP3 by hand, pipelined' \
    "printf '%s\\n' 'USER $BOB' 'PASS $BOB_PASSWORD' STAT 'RETR 1' QUIT | openssl s_client -quiet -crlf -connect 127.0.0.1:$POP3S_PORT -CAfile $ca -verify_return_error 2>/dev/null" \
    '^Subject: Re: Lunch'
  line 'How many commands of each kind, and with what result' \
    "$curl -sS http://127.0.0.1:$ADMIN_PORT/metrics | grep ^postern_commands_total" \
    '^postern_commands_total\{.*command="FETCH".*\} [1-9]'
  line 'All metrics' \
    "$curl -sS http://127.0.0.1:$ADMIN_PORT/metrics" '^postern_build_info'
  line 'Alive?' "$curl -sSi http://127.0.0.1:$ADMIN_PORT/healthz" '^HTTP/1\.1 200'
  line 'Ready for sessions?' "$curl -sSi http://127.0.0.1:$ADMIN_PORT/readyz" '^HTTP/1\.1 200'
}

lines_print() {
  local i
  for i in "${!LINE_COMMANDS[@]}"; do
    printf '\n# %s\n%s\n' "${LINE_TITLES[i]}" "${LINE_COMMANDS[i]}"
  done
}

# Runs every line as if it were pasted; says of each whether it did what it promises. Returns 1 if one did not.
lines_check() {
  local i passed=0 failed=0 outcome
  for i in "${!LINE_COMMANDS[@]}"; do
    outcome=0
    line_run "$i" || outcome=$?
    if ((outcome == 0)) && LC_ALL=C grep -aqE "${LINE_EXPECTATIONS[i]}" "$STATE/line.out"; then
      passed=$((passed + 1))
      printf 'ok      %s\n' "${LINE_TITLES[i]}"
    else
      failed=$((failed + 1))
      line_complain "$i" "$outcome"
    fi
  done
  rm -f "$STATE/line.out"
  printf '%d passed, %d failed\n' "$passed" "$failed"
  ((failed == 0))
}

# A line that hangs does not work. It is awaited in the background, so that signals are heard meanwhile.
line_run() {
  timeout 30 bash -o pipefail -c "${LINE_COMMANDS[$1]}" >"$STATE/line.out" 2>&1 </dev/null 9>&- &
  wait $!
}

line_complain() {
  printf 'FAILED  %s\n        %s\n' "${LINE_TITLES[$1]}" "${LINE_COMMANDS[$1]}"
  printf '        exit code %d; some line of the output should match: %s\n' "$2" "${LINE_EXPECTATIONS[$1]}"
  head -c 1500 "$STATE/line.out" | sed 's/^/        | /'
  printf '\n'
}
