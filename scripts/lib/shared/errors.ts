// What can go wrong in what a person runs (scripts, packaging, provisioning, the lab): every code, once.
import { platformErrors } from '../../../platform/errors/index.ts'
import { type ErrorCatalogue, errorMaker, protocolErrors } from '../../../protocol/errors.ts'

export const toolErrors = {
  account_changed: { kind: 'failed' },
  account_unknown: { kind: 'failed' },
  accounts_invalid: {
    kind: 'failed',
    hint: 'Correct it, or move it away: "provision apply" enters the accounts of all hosts again.',
  },
  base_failed: { kind: 'failed', hint: 'Its console is above. --mirror names another mirror.' },
  block_time_unknown: {
    kind: 'chain',
    hint: 'Nothing was sent. Say the period in blocks: --challenge-period.',
  },
  build_differs: {
    kind: 'failed',
    hint: 'diffoscope shows where; a time, an order or a folder of this machine has got into it.',
  },
  build_node_hash: {
    kind: 'failed',
    hint: 'The registry gave another file than the one that is pinned. Nothing was built from it.',
  },
  build_tool_failed: { kind: 'failed' },
  build_tool_missing: {
    kind: 'failed',
    hint: 'On Debian: apt-get install dpkg binutils binutils-aarch64-linux-gnu binutils-arm-linux-gnueabihf',
  },
  card_unreadable: {
    kind: 'failed',
    hint: 'The file system has lost more than its journal can mend.',
  },
  challenge_period_runs: {
    kind: 'failed',
    hint: 'The service stays disabled, and nothing is lost. Run it again later.',
  },
  channels_not_closed: { kind: 'failed' },
  compiler_differs: {
    kind: 'failed',
    hint: 'Verify it from the checkout that deployed it, whose package-lock.json has that compiler.',
  },
  ether_short: { kind: 'chain', hint: 'Nothing was sent. Send it ether first.' },
  first_boot_key: {
    kind: 'failed',
    hint: 'Anybody with the card could read it. Leave importKey out, or bring it over SSH.',
  },
  former_package_missing: {
    kind: 'failed',
    hint: 'Nothing was done: there would be no way back. Put it into the folder of packages.',
  },
  funds_short: {
    kind: 'failed',
    hint: 'Nothing was sent. Give it more, lower the targets, or name only some of the hosts.',
  },
  geth_missing: {
    kind: 'failed',
    hint: 'Install Go 1.24 or later (https://go.dev/dl), put a geth on the path, or name one in URAIDEN_GETH.',
  },
  geth_not_built: {
    kind: 'failed',
    hint: 'Check the network and that Go is 1.24 or later, or name a geth in URAIDEN_GETH.',
  },
  geth_not_started: { kind: 'failed', hint: 'Its own words are above; the port may be in use.' },
  guest_command_failed: { kind: 'failed' },
  guest_ended: { kind: 'failed', hint: 'Its console says why.' },
  host_command_failed: { kind: 'refused' },
  host_malformed: {
    kind: 'refused',
    hint: 'It should be a Debian or a Raspberry Pi OS, with nothing printed at login of a shell.',
  },
  host_not_provisioned: { kind: 'refused' },
  host_unhealthy: {
    kind: 'refused',
    hint: 'On the Pi: journalctl -u uraiden-agent; uraiden-agent doctor.',
  },
  host_unknown: { kind: 'refused' },
  licence_missing: {
    kind: 'failed',
    hint: 'What is shipped needs its notice: find it in the sources, or leave the library out.',
  },
  money_left: { kind: 'failed', hint: 'Nothing was removed. Run it again.' },
  never_paid: { kind: 'failed' },
  package_ambiguous: {
    kind: 'failed',
    hint: 'Name a version with --to, or leave only one of them in the folder.',
  },
  package_missing: { kind: 'failed' },
  package_older: { kind: 'failed' },
  packages_missing: {
    kind: 'failed',
    hint: 'Make them with ./scripts/build-pi, or name another folder under "packages".',
  },
  pi_system_needs: { kind: 'failed' },
  port_in_use: {
    kind: 'usage',
    hint: 'Nothing is left running. End what listens there, or choose another port.',
  },
  program_ended: { kind: 'failed', hint: 'Its own words are above. Nothing is left running.' },
  record_differs: {
    kind: 'failed',
    hint: 'Correct the record, or name the one of this contract. Explorers take what the chain says.',
  },
  release_empty: {
    kind: 'failed',
    hint: 'A release says what changed: write it there first.',
  },
  release_folder_full: {
    kind: 'usage',
    hint: 'Nothing was built. Name a new folder with --out, so that only what belongs to the release is in it.',
  },
  release_key_missing: {
    kind: 'usage',
    hint: 'Nothing was published. docs/guides/releasing.md says how to make one, and gpg lists those that there are.',
  },
  release_nothing: {
    kind: 'usage',
    hint: 'Build them with ./scripts/release build, or name their folder with --packages.',
  },
  release_published: {
    kind: 'refused',
    hint: 'Machines that have it would never get the other one. Give what changed a new version.',
  },
  release_tool_failed: { kind: 'failed', hint: 'Its own words are above.' },
  release_tool_missing: {
    kind: 'failed',
    hint: 'Nothing was built. docs/guides/releasing.md has the line that installs all of them.',
  },
  release_uncommitted: {
    kind: 'failed',
    hint: 'A release is built from a commit. Commit them, or take them back.',
  },
  release_version_differs: {
    kind: 'failed',
    hint: './scripts/release version sets all of them at once.',
  },
  release_version_malformed: {
    kind: 'usage',
    hint: 'Write three numbers, such as 0.2.0; npm and Debian sort suffixes in different ways.',
  },
  release_version_older: {
    kind: 'usage',
    hint: 'apt and npm offer only what is newer. Nothing was changed.',
  },
  site_failed: {
    kind: 'failed',
    hint: 'Mend what it names. A page needs a line in docs/README.md; links lead to files of the repository.',
  },
  site_tools_missing: { kind: 'failed', hint: 'Run ./scripts/site, which installs it.' },
  source_differs: {
    kind: 'failed',
    hint: 'Verify it from the checkout that deployed it: git log contracts/src says which that is.',
  },
  ssh_denied: { kind: 'failed' },
  ssh_failed: { kind: 'failed', hint: 'Try it by hand with ssh.' },
  ssh_host_key: { kind: 'failed' },
  ssh_missing: { kind: 'failed', hint: 'On Debian: apt-get install openssh-client' },
  ssh_unreachable: {
    kind: 'failed',
    hint: 'Check that it is on, its address and port, and that ssh is enabled there.',
  },
  sudo_denied: { kind: 'failed' },
  template_missing: {
    kind: 'failed',
    hint: 'Name one under "template" in the inventory. docs/guides/provisioning.md has one to begin with.',
  },
  template_value_missing: { kind: 'failed' },
  token_missing: { kind: 'failed', hint: 'Nothing was sent. Check --token-address and --rpc.' },
  update_left_alone: { kind: 'failed', hint: 'Nothing was done to it.' },
  update_rolled_back: {
    kind: 'failed',
    hint: 'Look at its log: journalctl -u uraiden-agent. No state was lost.',
  },
  update_stuck: {
    kind: 'failed',
    hint: 'Look at the host: journalctl -u uraiden-agent; uraiden-agent doctor. Nothing is lost that was on its disk.',
  },
  usage_host: {
    kind: 'usage',
    hint: 'For example: provision apply --host pi@192.168.1.21 --rpc http://192.168.1.104:8545 --contract 0x… --template agent.yaml',
  },
  usage_named: {
    kind: 'usage',
    hint: 'A name has lower-case letters, digits and hyphens. For example: --host kitchen=192.168.1.21',
  },
  wifi_password_invalid: {
    kind: 'failed',
    hint: 'Correct the first line of the file that firstBoot.wifi.passwordFile names.',
  },
} as const satisfies ErrorCatalogue

/** An error of this room or of those below it; a code that is in no catalogue does not compile. */
export const toolError = errorMaker({ ...protocolErrors, ...platformErrors, ...toolErrors })
