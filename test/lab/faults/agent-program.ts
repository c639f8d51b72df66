// The agent of the fault lab: buys as much as it can, several readings at once.
import { appendFileSync } from 'node:fs'
import {
  type Agent,
  createAgent,
  createKeySigner,
  type RequestOptions,
} from '../../../agent/index.ts'
import { fromHex, isUraidenError } from '../../../protocol/index.ts'
import { type AgentOrders, type FromProgram, isGoodEnd, type ToAgent } from './orders.ts'

const orders: AgentOrders = JSON.parse(process.argv[2] ?? '{}')
const { key, rpcUrl, chainId, contract, state, receiverUrl, answersFile } = orders
const { atOnce, reservation, total, clockTrust } = orders

const agent = await createAgent({
  signer: createKeySigner(fromHex(key)),
  rpcUrl,
  chainId: BigInt(chainId),
  contract,
  store: state,
  reservation,
  budget: { total: BigInt(total), hour: BigInt(total) },
  clock: clockTrust,
  deposit: {
    open: () => 60n,
    topUp: () => 40n,
    most: BigInt(orders.mostDeposit),
    mostInAll: BigInt(orders.mostDeposits),
  },
  funding: orders.funding,
  retryInterval: 30,
  timeout: 1500,
  confirmTimeout: 3000,
})
let stopping = false
let bought = 0

const ready: FromProgram = { ready: true }
process.send?.(ready)
const buyers = Array.from({ length: atOnce }, async () => {
  while (!stopping) if ((await buy()) !== '200') await pause(30)
})

process.on('message', async (message: ToAgent) => {
  if (message === 'close') await close(agent)
  if (message === 'finish') await finish()
  if (message === 'stop') {
    await agent.stop()
    process.exit(0)
  }
})

async function buy(options: RequestOptions = {}): Promise<string> {
  const name = `${process.pid}-${bought++}`
  const outcome = await agent.get(`${receiverUrl}/reading?request=${name}`, options).then(
    ({ status }) => `${status}`,
    (error) => (isUraidenError(error) ? `${error.code} ${error.message}` : `unexpected ${error}`),
  )
  appendFileSync(answersFile, `${name} ${outcome.replaceAll('\n', ' ')}\n`)
  return outcome
}

/** Refused where nothing was paid yet, and where the receiver is away. */
async function close(from: Agent): Promise<void> {
  const open = from.channels().find(({ state: channel }) => channel === 'open')
  if (open === undefined) return
  await from.closeChannel(`${open.receiver}/${open.openBlock}`, receiverUrl).catch((error) => {
    if (!isUraidenError(error)) throw error
  })
}

/**
 * Everything is mended: a purchase has to go well, or a cap is reached. What is stuck stays stuck, so a
 * long wait hides nothing; a machine with much else to do needs one.
 */
async function finish(): Promise<void> {
  stopping = true
  await Promise.all(buyers)
  const giveUp = performance.now() + 180_000
  const patient = { timeout: 30_000 }
  let outcome = await buy(patient)
  while (!isGoodEnd(outcome) && performance.now() < giveUp) {
    await pause(100)
    outcome = await buy(patient)
  }
  const finished: FromProgram = { finished: outcome }
  process.send?.(finished)
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
