#!/bin/sh
# What provisioning does on a Raspberry Pi, as root: one command a call. deploy/pi/provision sends it
# over SSH, the first-boot files carry it on the card. It repeats nothing that is done already and says
# on standard output only what it was asked for.
set -eu
umask 077

agent=/usr/bin/uraiden-agent
user=uraiden-agent
config=/etc/uraiden/agent.yaml
key=/var/lib/uraiden-agent/key.json
password=/var/lib/uraiden-agent/password
credential=/etc/credstore.encrypted/agent-key-password
kept=/var/lib/uraiden-provision

fail() {
  echo "$1" >&2
  exit "${2:-1}"
}

yes_if() {
  if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi
}

package_version() {
  if [ "$(dpkg-query -W -f '${db:Status-Status}' uraiden-agent 2>/dev/null)" = installed ]; then
    dpkg-query -W -f '${Version}' uraiden-agent
  fi
}

systemd_version() {
  systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p'
}

# Credentials are looked for by their name from systemd 252 on.
can_keep_credentials() {
  [ "$(systemd_version)" -ge 252 ] && command -v systemd-creds
}

# What lies in the agent's folder is the agent's own. Root neither reads, writes nor renames there: a link
# that a program of the agent has put in it leads nowhere where that program could not go itself.
as_user() {
  runuser -u "$user" -- "$@" 9>&-
}

# As the user of the service and with the key's password, which nobody else gets to see.
as_agent() {
  if [ -e "$credential" ]; then
    systemd-run --quiet --wait --pipe --collect -p "User=$user" -p UMask=0077 \
      -p LoadCredentialEncrypted=agent-key-password "$@"
  else
    as_user "$@"
  fi
}

facts() {
  echo "architecture $(dpkg --print-architecture)"
  echo "version $(package_version)"
  echo "credentials $(yes_if can_keep_credentials)"
  echo "credential $(yes_if test -e "$credential")"
  echo "password $(yes_if test -e "$password")"
  echo "key $(yes_if test -e "$key")"
  echo "enabled $(yes_if systemctl is-enabled --quiet uraiden-agent)"
  echo "active $(systemctl is-active uraiden-agent 2>/dev/null || true)"
  echo "config $([ -e "$config" ] && base64 -w 0 "$config")"
  for file in "$kept"/*.deb; do
    [ ! -e "$file" ] || echo "kept $(basename "$file")"
  done
}

# A package arrives on standard input; half of one is never taken for a whole one.
receive() {
  mkdir -p "$kept"
  trap 'rm -f "$kept/arriving"' EXIT
  cat >"$kept/arriving"
  echo "$2  $kept/arriving" | sha256sum --check --status || fail "the package $1 arrived damaged"
  sync -f "$kept/arriving"
  mv "$kept/arriving" "$kept/$1"
}

# install FILE VERSION [downgrade]: the configuration that is there stays.
install_package() {
  before=$(package_version)
  if [ -n "$before" ] && [ "${3:-}" != downgrade ] && dpkg --compare-versions "$2" lt "$before"; then
    fail "the package has version $2, older than $before, which is installed" 10
  fi
  apt_install "$kept/$1" || { apt-get -qq update && apt_install "$kept/$1"; } >&2
  [ "$(package_version)" = "$2" ] || fail "after the installation the version is $(package_version), not $2"
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends --allow-downgrades \
    --reinstall -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -o DPkg::Lock::Timeout=300 "$1" >&2
}

# Keeps the packages that are named, which are the present and the former one.
keep() {
  for file in "$kept"/*.deb; do
    case " $* " in *" $(basename "$file") "*) ;; *) rm -f "$file" ;; esac
  done
}

# The new one, from standard input, is looked at before it takes the old one's place.
write_config() {
  new=$config.new
  trap 'rm -f "$new"' EXIT
  mkdir -p -m 755 "$(dirname "$config")"
  cat >"$new"
  chown "root:$user" "$new"
  chmod 640 "$new"
  as_user "$agent" config check "$new" >/dev/null
  sync -f "$new"
  mv "$new" "$config"
}

new_password() {
  head -c 32 /dev/urandom | base64 -w 0
}

# Made here, and never printed.
make_password() {
  if [ "$1" = credential ]; then
    [ ! -e "$credential" ] || return 0
    mkdir -p -m 700 "$(dirname "$credential")"
    new_password | systemd-creds encrypt --name=agent-key-password - "$credential.new" 2>/dev/null
    sync -f "$credential.new"
    mv "$credential.new" "$credential"
  elif [ ! -e "$password" ]; then
    # shellcheck disable=SC2016
    new_password | as_user sh -c 'umask 077; rm -f "$1.new"; set -C
      cat >"$1.new" && sync -f "$1.new" && mv "$1.new" "$1"' - "$password"
  fi
}

password_option() {
  [ -e "$credential" ] || echo "--password-file $password"
}

make_key() {
  # shellcheck disable=SC2046
  [ -e "$key" ] || as_agent "$agent" key new "$key" $(password_option) >/dev/null
}

# On standard input: the old password in the first line (empty for a bare key), then the key file.
import_key() {
  [ ! -e "$key" ] || return 0
  import=$(mktemp -d /run/uraiden-import.XXXXXX)
  trap 'rm -rf "$import"' EXIT
  IFS= read -r URAIDEN_AGENT_KEY_PASSWORD || true
  cat >"$import/from"
  if [ -e "$credential" ]; then
    systemd-creds decrypt --name=agent-key-password "$credential" "$import/new" 2>/dev/null
  else
    as_user cat "$password" >"$import/new"
  fi
  chown -R "$user:$user" "$import"
  export URAIDEN_AGENT_KEY_PASSWORD
  as_user "$agent" key import "$import/from" "$key" --password-file "$import/new" >/dev/null
}

# ACTIVE RESTARTS, as systemd counts them.
service() {
  systemctl show uraiden-agent -p ActiveState -p NRestarts | sort | sed 's/^[^=]*=//' | tr '\n' ' '
}

# logs LINES [SINCE]: of the service, the oldest first, with times that sort.
logs() {
  journalctl --unit=uraiden-agent --no-pager --output=short-iso --utc --lines="$1" ${2:+"--since=$2"}
}

start_service() {
  systemctl reset-failed uraiden-agent 2>/dev/null || true
  systemctl --quiet enable uraiden-agent
  systemctl start uraiden-agent
}

# Everything is gone for good: whoever asks has seen on the chain that there is no money left.
purge() {
  URAIDEN_PURGE_STATE=yes DEBIAN_FRONTEND=noninteractive apt-get -qq purge -y uraiden-agent >&2
  rm -rf "$credential" "$kept"
}

command=$1
shift
# Two runs on one Pi go one after the other. In /run/lock any user of the Pi could hold the lock.
# Whoever only reads the journal waits for nobody.
if [ "$command" != logs ]; then
  exec 9>/run/uraiden-provision.lock
  flock -w 900 9 || fail 'another provisioning of this Raspberry Pi does not end'
fi

case $command in
  facts) facts ;;
  receive) receive "$@" ;;
  install) install_package "$@" ;;
  keep) keep "$@" ;;
  config) write_config ;;
  password) make_password "$@" ;;
  key-new) make_key ;;
  key-import) import_key ;;
  agent) as_agent "$agent" --config "$config" "$@" ;;
  service) service ;;
  logs) logs "$@" ;;
  start) start_service ;;
  reload) systemctl reload uraiden-agent ;;
  disable) systemctl --quiet disable --now uraiden-agent ;;
  purge) purge ;;
  *) fail "host.sh knows no command $command" 2 ;;
esac
