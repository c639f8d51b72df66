#!/usr/bin/with-contenv sh
# Writes the configuration, makes a key at the first start, and becomes the agent, as a user who is not root.
set -eu
umask 077
home=/data/agent

as_agent() {
  setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --inh-caps=-all "$@"
}

# put FILE: the agent's own, from standard input; half of it is never there.
put() {
  # shellcheck disable=SC2016
  as_agent sh -c 'umask 077; cat >"$1.new" && sync "$1.new" && mv "$1.new" "$1"' - "$home/$1"
}

options() {
  NODE_OPTIONS='' /usr/lib/uraiden-agent/node /options.mjs "$1"
}

mkdir -p "$home"
chown 10001:10001 "$home"
# Root reads the options; what they come to goes to the agent by a pipe.
config=$(options config)
printf '%s\n' "$config" | put agent.yaml
password=$(options broker-password 2>/dev/null)
printf '%s\n' "$password" | put broker-password
[ -e "$home/password" ] || head -c 32 /dev/urandom | base64 -w 0 | put password
[ -e "$home/key.json" ] || as_agent uraiden-agent key new "$home/key.json" --password-file "$home/password"
echo "account $(as_agent uraiden-agent key address "$home/key.json" --password-file "$home/password")"
# The Supervisor's token is root's, not the agent's.
unset SUPERVISOR_TOKEN HASSIO_TOKEN
exec setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --inh-caps=-all \
  env HOME="$home" uraiden-agent --config "$home/agent.yaml" run
