// The package on the Pi as the documents say: installed, given a key whose password only systemd knows,
// configured, and left to itself. Beside it a program that buys through its proxy as fast as it can.
import { readFile } from 'node:fs/promises'
import { type Address, parseAddress } from '../../../protocol/index.ts'
import type { Shop } from '../torture/shop.ts'
import type { Guest } from './guest.ts'
import { guestNetwork } from './guest-files.ts'

/** Where systemd keeps what the agent may not lose. */
export const stateFolder = '/var/lib/uraiden-agent'
export const readingsFile = `${stateFolder}/readings.jsonl`
/** Its job's requests have this name; those of the buying program have one each. */
export const jobRequest = 'job'
export const reservation = 16

const deposit = 10n ** 8n

/** Copies the package in, and installs it with what the machine has: there is no way to a mirror. */
export async function installPackage(guest: Guest, deb: string): Promise<void> {
  await guest.run('cat > /root/uraiden-agent.deb', await readFile(deb))
  await guest.run(
    'DEBIAN_FRONTEND=noninteractive apt-get install -y /root/uraiden-agent.deb && rm /root/uraiden-agent.deb',
  )
}

/** Resolves with the address of the key, which never leaves the machine. */
export async function makeKey(guest: Guest): Promise<Address> {
  const said = await guest.run(`set -eu
umask 077
head -c 24 /dev/urandom | base64 > /run/password
mkdir -p /etc/credstore.encrypted
systemd-creds encrypt --name=agent-key-password /run/password /etc/credstore.encrypted/agent-key-password
chown uraiden-agent /run/password
runuser -u uraiden-agent -- uraiden-agent --json key new ${stateFolder}/key.json --password-file /run/password
rm /run/password`)
  return parseAddress(JSON.parse(said).address)
}

/** How the agent treats the card, as `agent.yaml` has it. */
export type Card = 'careful' | 'gentle'

/** `every`: when the job runs. The service starts now, and whenever the machine does. */
export async function configure(
  guest: Guest,
  shop: Shop,
  every: string,
  card: Card = 'careful',
): Promise<void> {
  await guest.run('cat > /etc/uraiden/agent.yaml', configuration(shop, every, card))
  await guest.run('systemctl enable --now uraiden-agent.service')
}

/** A program that does nothing but buy; it is a service `buyer`, which is not started here. */
export async function installBuyer(guest: Guest): Promise<void> {
  await guest.run('cat > /usr/local/lib/buyer.mjs', buyer)
  await guest.run('cat > /etc/systemd/system/buyer.service && systemctl daemon-reload', buyerUnit)
}

/** The address under which the guest reaches what listens on this machine's loopback. */
function fromGuest(url: string): string {
  return url.replace('127.0.0.1', guestNetwork.host)
}

function configuration(shop: Shop, every: string, card: Card): string {
  return `rpc: ${fromGuest(shop.rpcUrl)}
contract: '${shop.contract}'
key: ${stateFolder}/key.json
state: ${stateFolder}
card: ${card}
control:
  socket: /run/uraiden-agent/control.sock
reservation: ${reservation}
deposit:
  open: ${deposit} units
receivers:
  shop:
    url: ${fromGuest(new URL(shop.url).origin)}
    address: '${shop.receiver}'
proxy:
  listen: 127.0.0.1:8402
jobs:
  reading:
    get: shop/reading?request=${jobRequest}
    every: '${every}'
    sinks:
      - file: ${readingsFile}
`
}

const buyerUnit = `[Service]
ExecStart=/usr/lib/uraiden-agent/node /usr/local/lib/buyer.mjs
Restart=always
DynamicUser=yes

[Install]
WantedBy=multi-user.target
`

// Repeats what failed under the same key, so that it may be served once only.
const buyer = `import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'

const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
const agent = new Agent({ keepAlive: true })

function buy(name) {
  const headers = { 'Idempotency-Key': name }
  const path = 'http://shop/reading?request=' + name
  return new Promise((resolve) => {
    get({ agent, host: '127.0.0.1', port: 8402, path, headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode))
    }).once('error', () => resolve(undefined))
  })
}

for (let number = 0; ; number++) {
  while ((await buy(boot + '-' + number)) !== 200) {
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}
`
