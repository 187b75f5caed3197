# shellcheck shell=bash
# The mail server behind Postern in the quickstart: a private Dovecot with two accounts and real messages.
# Sourced by rules/quickstart/start, whose names it uses: QUICKSTART (this folder), listens, fail.
#
# Dovecot runs without privileges: as the caller, or, started by root, as nobody. Its folder is a new one
# in the temporary folder (its sockets need a short path, and nobody may not enter root's home), and goes
# away with it, so that every start begins with the same mail.

readonly ANN=ann@mail.example ANN_PASSWORD=apple-pie
readonly BOB=bob@mail.example BOB_PASSWORD=blueberry
# "Grüße" in modified UTF-7 (RFC 3501 section 5.1.3), as it stands on the wire and in the file system.
readonly FOLDER='Gr&APwA3w-e'
readonly ATTACHMENT_BYTES=2000000

RUN=
BACKEND_PID=
# shellcheck disable=SC2034  # lines.sh promises it
ATTACHMENT_SHA256=

# Makes Dovecot's folder with its accounts and mail.
backend_prepare() {
  RUN=$(mktemp -d "${TMPDIR:-/tmp}/postern-quickstart.XXXXXX") ||
    fail "no folder can be made in ${TMPDIR:-/tmp}, where the quickstart's mail server wants to live."
  mkdir -p "$RUN/base" "$RUN/mail"
  printf '%s:{PLAIN}%s\n' "$ANN" "$ANN_PASSWORD" "$BOB" "$BOB_PASSWORD" >"$RUN/passwords"

  attachment_message >"$RUN/attachment.eml"
  deliver ann '' 1 "$QUICKSTART/mail/plain.eml"
  deliver ann '' 2 "$RUN/attachment.eml"
  deliver ann '' 3 "$QUICKSTART/mail/eightbit.eml"
  deliver ann "$FOLDER" 1 "$QUICKSTART/mail/folder.eml"
  deliver bob '' 1 "$QUICKSTART/mail/bob.eml"
  ATTACHMENT_SHA256=$(attachment | sha256sum | cut -d' ' -f1)
}

# deliver USER FOLDER NUMBER FILE: a Maildir++ delivery; the numbers give the order of the messages.
deliver() {
  local maildir=$RUN/mail/$1
  [[ -z $2 ]] || {
    printf '%s\n' "$2" >>"$maildir/subscriptions"
    maildir=$maildir/.$2
  }
  mkdir -p "$maildir"/{cur,new,tmp}
  cp "$4" "$maildir/new/170000000$3.M${3}P1.quickstart"
}

# Two megabytes that look random and are the same each time: zeros under a fixed key.
attachment() {
  head -c "$ATTACHMENT_BYTES" /dev/zero |
    openssl enc -aes-128-ctr -K 000102030405060708090a0b0c0d0e0f -iv 00000000000000000000000000000000
}

attachment_message() {
  cat "$QUICKSTART/mail/attachment.eml"
  attachment | base64 -w 76
  printf '\n--quickstart-boundary--\n'
}

# backend_start IMAP_PORT POP3_PORT: starts Dovecot and waits until it listens.
# Returns 1 when a port turned out to be taken; any other failure ends the script.
backend_start() {
  local user group as_user=()
  user=$(id -un) group=$(id -gn)
  if ((EUID == 0)); then
    user=nobody group=nogroup
    as_user=(--reuid="$user" --regid="$group" --clear-groups)
  fi
  sed -e "s|@RUN@|$RUN|g; s|@USER@|$user|g; s|@GROUP@|$group|g" \
    -e "s|@IMAP_PORT@|$1|g; s|@POP3_PORT@|$2|g" "$QUICKSTART/dovecot.conf" >"$RUN/dovecot.conf"
  ((EUID != 0)) || chown -R "$user:$group" "$RUN"
  # It must not outlive this script, however that ends.
  setpriv --pdeathsig TERM "${as_user[@]}" "$(dovecot_binary)" -F -c "$RUN/dovecot.conf" \
    >"$RUN/dovecot.out" 2>&1 9>&- &
  BACKEND_PID=$!
  until listens "$1" && listens "$2"; do
    if ! kill -0 "$BACKEND_PID" 2>/dev/null; then
      grep -qs 'Address already in use' "$RUN/dovecot.out" "$RUN/dovecot.log" && return 1
      cat "$RUN/dovecot.out" "$RUN/dovecot.log" >&2 2>/dev/null || true
      fail 'Dovecot ended while starting; its own words are above.'
    fi
    sleep 0.05
  done
}

# An ordinary user's PATH does not name /usr/sbin.
dovecot_binary() {
  PATH=$PATH:/usr/sbin command -v dovecot
}

backend_remove() {
  [[ -z $RUN ]] || rm -rf -- "$RUN"
  RUN=
}
