# shellcheck shell=bash disable=SC2034  # the lists are for those who source this
# The Debian packages that building, running and testing Postern needs, and how they are installed.
# Sourced by rules/quickstart/start and tests/run; nothing else in the tree installs anything.
#
# What it promises to the machine it runs on:
#   - a package that is there is left alone (asked with dpkg-query, not with apt);
#   - no service is started by an installation, nor at the next boot: Dovecot and its like are only
#     ever run by our scripts, from a private configuration, on the loopback;
#   - /usr/sbin/policy-rc.d, by which they are kept from it, is afterwards what
#     it was before, also after Ctrl-C.

# What the binary is made of (tzdata: the hours of a rule are those of a place).
readonly PACKAGES_BUILD=(
  g++ cmake ninja-build pkg-config ccache
  libuv1-dev android-libboringssl-dev libfmt-dev libtomlplusplus-dev libcli11-dev
  prometheus-cpp-dev libboost-dev
  libre2-dev libhowardhinnant-date-dev libc-ares-dev libhiredis-dev tzdata
)
# What stands behind it and talks to it in the quickstart.
readonly PACKAGES_QUICKSTART=(dovecot-imapd dovecot-pop3d openssl curl ca-certificates)
# What tests/run needs beyond the two lists above (of prometheus only promtool; of systemd only its analysers of units
# and accounts, whose filter libseccomp2 then enforces; groff-base judges the manual pages, testssl.sh the TLS; libfaketime makes
# the wall clock jump; nginx answers the questions of http lookups, redis-server those of redis lookups).
readonly PACKAGES_TESTS=(
  catch2 python3 isync fetchmail prometheus clang-format-14 shellcheck git
  systemd libseccomp2 groff-base testssl.sh libfaketime
  nginx redis-server
)
# libFuzzer comes with clang.
readonly PACKAGES_FUZZ=(catch2 clang-14 libclang-rt-14-dev)
# The proxies that tests/bench/run measures beside Postern; strace and valgrind count what an operation costs.
readonly PACKAGES_BENCH=(libbenchmark-dev haproxy nginx libnginx-mod-mail python3 openssl strace valgrind)

readonly POLICY_RC=/usr/sbin/policy-rc.d
readonly POLICY_RC_ASIDE=/usr/sbin/policy-rc.d.before-postern
readonly POLICY_RC_MARK='# Written by Postern while it installs packages; removed afterwards.'

packages_fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Prints those of its arguments that are not installed, one a line.
packages_missing() {
  local package
  for package in "$@"; do
    if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      printf '%s\n' "$package"
    fi
  done
}

# Installs those of its arguments that are missing, or ends the script with one sentence.
packages_require() {
  command -v dpkg-query >/dev/null ||
    packages_fail 'this script installs what it needs with apt and knows Debian 12; here is no dpkg-query.'
  local missing
  mapfile -t missing < <(packages_missing "$@")
  ((${#missing[@]} == 0)) && return 0
  if ((EUID != 0)); then
    packages_fail "some packages are missing and only root may install them; run" \
      "'sudo apt-get install -y --no-install-recommends ${missing[*]}'," \
      "or 'sudo $0 --install', which also keeps the services among them from starting."
  fi
  packages_install "${missing[@]}"
}

packages_install() {
  printf 'Installing %d packages: %s\n' "$#" "$*"
  local links_before outcome=0
  links_before=$(packages_boot_links)
  packages_forbid_service_starts
  packages_apt_install "$@" || outcome=$?
  packages_allow_service_starts
  packages_unlink_services "$links_before"
  ((outcome == 0)) ||
    packages_fail 'apt could not install the packages, its own words are above;' \
      'is there a network, and does it reach the mirrors that /etc/apt names?'
}

# Switches off what would start at the next boot and did not before the installation.
packages_unlink_services() {
  local added
  while read -r added; do
    [[ -n $added ]] || continue
    update-rc.d "$added" disable >/dev/null 2>&1 || true
    printf '%s stays switched off as a service of this machine\n' "$added"
  done < <(comm -13 <(service_names "$1") <(service_names "$(packages_boot_links)"))
}

# The services that boot links (one a line) belong to: /etc/rc2.d/S01dovecot is dovecot's.
service_names() {
  sed -E 's|.*/||; s/^S[0-9]+//; s/\.[a-z]+$//' <<<"$1" | LC_ALL=C sort -u
}

# The package lists of a fresh machine are empty and those of an old one are stale, so a first failure
# is answered by fetching them; a machine whose lists are good is spared the fetching.
packages_apt_install() {
  local apt=(apt-get -o DPkg::Lock::Timeout=300 -o APT::Update::Error-Mode=any -q)
  local install=("${apt[@]}" install -y --no-install-recommends "$@")
  if "${install[@]}" --simulate >/dev/null 2>&1 && packages_run "${install[@]}"; then
    return 0
  fi
  printf 'Fetching the package lists\n'
  # A third-party mirror of this machine may be broken without being needed: the installation decides.
  packages_run "${apt[@]}" update || printf 'Some package lists could not be fetched; going on.\n'
  packages_run "${install[@]}"
}

# apt is never interrupted half-way: a broken package database is worse than a wait. So it runs beside
# this shell, whose signals reach it no more.
packages_run() {
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 setsid --wait "$@" </dev/null
}

# The links by which systemd and System V init start services at boot.
packages_boot_links() {
  find /etc/systemd/system /etc/rc[2-5S].d -type l \
    \( -path '*.wants/*' -o -path '*.requires/*' -o -path '/etc/rc*' \) -name '[!K]*' 2>/dev/null |
    { grep -E "/(S[0-9]+)?($(packages_service_names))(\.[a-z]+)?$" || true; } | LC_ALL=C sort
}

# Services that our packages bring; what dependencies bring for the system itself is not ours to judge.
packages_service_names() {
  printf 'dovecot|fetchmail|haproxy|nginx|prometheus|redis|redis-server'
}

packages_forbid_service_starts() {
  if [[ -e $POLICY_RC || -L $POLICY_RC ]] && ! grep -qF "$POLICY_RC_MARK" "$POLICY_RC" 2>/dev/null; then
    mv -f "$POLICY_RC" "$POLICY_RC_ASIDE"
  fi
  # 101: "action forbidden by policy" (invoke-rc.d's interface for package installations).
  printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_RC_MARK" >"$POLICY_RC"
  chmod 755 "$POLICY_RC"
}

# Also called by the exit traps of the scripts that source this file; does nothing when nothing is to be done.
packages_allow_service_starts() {
  if grep -qsF "$POLICY_RC_MARK" "$POLICY_RC"; then
    rm -f "$POLICY_RC"
  fi
  if [[ -e $POLICY_RC_ASIDE || -L $POLICY_RC_ASIDE ]]; then
    mv -f "$POLICY_RC_ASIDE" "$POLICY_RC"
  fi
}
