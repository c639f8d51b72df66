// What a usual start finds, for the making of V8's code: a configuration, a sealed key, a channel.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openLedger } from '../../../agent/channels/ledger.ts'
import { addressOfPrivateKey } from '../../../platform/keys/address.ts'
import { machineClock } from '../../../platform/time/machine-clock.ts'
import { parseAddress } from '../../../protocol/index.ts'

export interface UsualState {
  /** The configuration, in the folder. */
  readonly file: string
  /** Of the agent, in the folder: where the daemon listens. */
  readonly state: string
  /** As systemd sets them. */
  readonly environment: NodeJS.ProcessEnv
}

const receiver = parseAddress('0x70997970C51812dc3A010C7d01b50e0d17dc79C8')
const contract = parseAddress('0x74434527b8E6C8296506D61d0faF3D18c9e4649A')

/** Nobody listens there, and nothing is asked: all of the chain that a start wants to know is in the state. */
const configuration = `rpc: http://127.0.0.1:9
contract: '${contract}'
key: key
state: state
budget: { day: 1 TKN }
receivers: { shop: { url: http://127.0.0.1:9, address: '${receiver}' } }
proxy: { listen: 127.0.0.1:0 }
jobs: { reading: { get: shop/reading, every: '0 0 1 1 *', sinks: [{ file: readings.jsonl }] } }
`

/** Writes it into the folder. */
export async function writeUsualState(folder: string): Promise<UsualState> {
  const inside = (name: string) => join(folder, name)
  const digit = '1'
  const key = digit.repeat(64)
  for (const each of ['state', 'run', 'service', 'credentials']) {
    await mkdir(inside(each), { mode: 0o700 })
  }
  await writeFile(inside('agent.yaml'), configuration)
  await writeFile(inside('key'), key, { mode: 0o600 })
  await writeFile(inside('credentials/agent-key'), key, { mode: 0o600 })
  const facts = { contract, chainId: '1', symbol: 'TKN', decimals: 18, periodWarning: '' }
  await writeFile(inside('state/chain.json'), JSON.stringify(facts))
  const account = addressOfPrivateKey(Buffer.from(key, 'hex'))
  await openChannel(inside('state/ledger'), { chainId: 1n, contract, account })
  return {
    file: 'agent.yaml',
    state: 'state',
    environment: {
      STATE_DIRECTORY: inside('service'),
      RUNTIME_DIRECTORY: inside('run'),
      CREDENTIALS_DIRECTORY: inside('credentials'),
      JOURNAL_STREAM: '8:1',
    },
  }
}

/** An agent without one asks the chain, with all that it takes. */
async function openChannel(
  folder: string,
  owner: Parameters<typeof openLedger>[0]['owner'],
): Promise<void> {
  const readClock = machineClock('auto')
  const ledger = await openLedger({ folder, owner, reservation: 1, budget: {}, readClock })
  await ledger.add({
    ...{ receiver, openBlock: 1, deposit: 50n, bound: 0n, signed: 0n, exact: true, free: [] },
    ...{ state: 'open', openTransaction: '0x' },
  })
  await ledger.close()
}
