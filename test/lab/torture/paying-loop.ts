// The program that is killed: pays for one request after the other until it is told to stop. Says on
// standard output, line by line in JSON, what its parent needs to know.
import { createInterface } from 'node:readline'
import { createAgent, createKeySigner } from '../../../agent/index.ts'
import { fromHex, parseAddress } from '../../../protocol/index.ts'
import type { LoopOrders, LoopReport } from './reports.ts'

const orders: LoopOrders = JSON.parse(process.argv[2] ?? '{}')
let stopping = false
createInterface({ input: process.stdin }).once('line', () => {
  stopping = true
})

const agent = await createAgent({
  signer: createKeySigner(fromHex(orders.key)),
  rpcUrl: orders.rpcUrl,
  chainId: BigInt(orders.chainId),
  contract: parseAddress(orders.contract),
  store: orders.store,
  spool: orders.spool,
  reservation: orders.reservation,
  deposit: { open: () => BigInt(orders.deposit) },
  retryInterval: 20,
})

report('started')
for (let request = 0; !stopping; request++) {
  const { status } = await agent.get(`${orders.url}?request=${process.pid}-${request}`)
  if (status !== 200) throw new Error(`the receiver answered ${status}`)
  if (request === 0) report('paying')
}
report('stopping')
await agent.stop()
process.exit(0)

function report(event: LoopReport['event']): void {
  const channels = agent.channels()
  const sum = (of: (channel: (typeof channels)[number]) => bigint): string =>
    channels.reduce((all, channel) => all + of(channel), 0n).toString()
  const said: LoopReport = {
    event,
    signed: sum(({ balance }) => balance),
    reserved: sum(({ bound }) => bound),
  }
  process.stdout.write(`${JSON.stringify(said)}\n`)
}
