// ./scripts/torture receiver: kills a receiver under load at random moments, starts it again, and
// checks that no request was served whose proof is not on disk, and that no balance paid twice.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectChain, createTransactionSender } from '../../platform/chain/index.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { fromHex, type SignatureDomain } from '../../protocol/index.ts'
import {
  deployTestContracts,
  type EmbeddedChain,
  startEmbeddedChain,
} from './chains/embedded-chain.ts'
import type { ProcessOptions, Started } from './processes/receiver-process.ts'
import { seededRandom } from './random/random.ts'
import { tortureArguments } from './torture/arguments.ts'
import { countProofs, describeProofs, judgeProofs, type ProofCounts } from './torture/paid-by.ts'
import { createPayer, type Payer } from './torture/payer.ts'
import { readDisk } from './torture/receiver-disk.ts'
import { tortureShared } from './torture/shared.ts'

const price = 5n
/** What names the requests of each channel, and proves them; without a name some answers are lost. */
const ways = [
  { named: 'by key', proving: 'signatures' },
  { named: 'by binding', proving: 'signatures' },
  { named: 'not at all', proving: 'signatures' },
  { named: 'by binding', proving: 'ticks' },
  { named: 'by binding', proving: 'in turn' },
] as const
const program = fileURLToPath(new URL('processes/receiver-process.ts', import.meta.url))

interface Result extends ProofCounts {
  readonly kills: number
  readonly seed: number
  /** What was served, at its price. */
  readonly served: number
  /** What has paid, by what is on disk. */
  readonly claimed: number
  /** Paid, by a request without a name, for an answer that a kill kept from arriving. */
  readonly lost: number
  /** The same of requests that have one: by their `Idempotency-Key`, or bound. */
  readonly lostWithName: number
  /** Served requests whose proof was not on disk after a kill. */
  readonly unproven: number
  /** Balances that were served more than once. */
  readonly paidTwice: number
}

const { kills, seed, json, store } = tortureArguments('receiver')
process.exitCode = await (store === 'postgres' ? tortureShared({ kills, seed, json }) : torture())

async function torture(): Promise<number> {
  const chain = await startEmbeddedChain()
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-torture-'))
  try {
    const { options, domain, payers } = await setUp(chain, join(folder, 'receiver'))
    const { result, troubles } = await run(options, domain, payers)
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : describe(result))
    const all = [...troubles, ...judge(result)]
    for (const trouble of all) process.stderr.write(`torture receiver: ${trouble}\n`)
    return all.length === 0 ? 0 : 1
  } finally {
    await chain.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function setUp(chain: EmbeddedChain, state: string) {
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const [, receiver, sender] = chain.accounts
  if (!receiver || !sender) throw new Error('the chain has no accounts')
  const options: ProcessOptions = {
    key: receiver.privateKey,
    rpcUrl: chain.rpcUrl,
    contract,
    state,
    price,
  }
  // Of channels older than its state EIP-712 proofs are taken bound only.
  await liveOnce(options)
  const deposit = 10n ** 9n
  const tokens = deposit * BigInt(ways.length)
  await (await token.getFunction('transfer(address,uint256)')(sender.address, tokens)).wait()
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  const signer = createKeySigner(fromHex(sender.privateKey))
  const transactions = createTransactionSender({ chain: client, signer, pollInterval: 10 })
  const parties = { sender: sender.address, receiver: receiver.address }
  const { token: tokenAddress } = await client.contractFacts()
  const domain = { contract, chainId: chain.chainId }
  const payers: Payer[] = []
  for (const way of ways) {
    const call = client.calls.openErc223(tokenAddress, { ...parties, deposit })
    const { contractBlock: openBlock } = await transactions.send(call)
    const key = sender.privateKey
    payers.push(createPayer({ domain, ...parties, openBlock, key, price, ...way }))
  }
  client.close()
  return { options, domain, payers }
}

async function run(options: ProcessOptions, domain: SignatureDomain, payers: readonly Payer[]) {
  const random = seededRandom(seed)
  const troubles: string[] = []
  let unproven = 0
  let claimed = 0n
  const look = async () => {
    const disk = await readDisk(options.state, domain, payers)
    unproven += disk.unproven
    if (disk.claimed < claimed) troubles.push(`${disk.claimed} claimed, after ${claimed}`)
    claimed = disk.claimed
    troubles.push(...disk.troubles)
  }
  await bindAll(options, payers)
  for (let kill = 0; kill < kills; kill++) {
    const { child, url } = await start(options)
    await Promise.all(payers.map((payer) => payer.retry(url, someOf(payer.served, random))))
    setTimeout(() => child.kill('SIGKILL'), random() * 150)
    await Promise.all(payers.map((payer) => payer.payUntilGone(url)))
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    await look()
  }
  // The last life settles what the last kill left open.
  const { child, url } = await start(options)
  await Promise.all(payers.map((payer) => payer.retry(url, someOf(payer.served, random))))
  child.send('stop')
  await once(child, 'exit')
  await look()
  const result = resultOf(payers, { claimed: Number(claimed), unproven })
  return { result, troubles: [...troubles, ...payers.flatMap((payer) => payer.troubles)] }
}

/** In a life of its own: the keys are on disk when it ends. */
async function bindAll(options: ProcessOptions, payers: readonly Payer[]): Promise<void> {
  await liveOnce(options, async (url) => {
    for (const payer of payers) await payer.bind(url)
  })
}

async function liveOnce(
  options: ProcessOptions,
  use: (url: string) => Promise<void> = async () => undefined,
): Promise<void> {
  const { child, url } = await start(options)
  await use(url)
  child.send('stop')
  await once(child, 'exit')
}

function resultOf(payers: readonly Payer[], found: Pick<Result, 'claimed' | 'unproven'>): Result {
  const count = (of: (payer: Payer) => number) =>
    payers.reduce((total, payer) => total + of(payer), 0)
  const lost = (isNamed: boolean) =>
    count((payer) => ((payer.channel.named !== 'not at all') === isNamed ? payer.lost.size : 0))
  return {
    kills,
    seed,
    served: count(({ served }) => served.size) * Number(price),
    lost: lost(false) * Number(price),
    lostWithName: lost(true) * Number(price),
    ...found,
    paidTwice: count(({ servedTwice }) => servedTwice.size),
    ...countProofs(payers.flatMap(({ ways }) => ways)),
  }
}

async function start(
  options: ProcessOptions,
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = fork(program, { serialization: 'advanced' })
  child.send(options)
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('the receiver did not start'))),
  ])
  return { child, url: `${(message as Started).base}/paid` }
}

function someOf(served: ReadonlySet<bigint>, random: () => number): readonly bigint[] {
  const all = [...served]
  return Array.from({ length: 3 }, () => all[Math.floor(random() * all.length)]).filter(
    (balance) => balance !== undefined,
  )
}

function judge(result: Result): readonly string[] {
  const { served, claimed, lost, lostWithName, unproven, paidTwice } = result
  return [
    ...judgeProofs(result),
    ...(unproven === 0 ? [] : [`${unproven} requests were served without their proof on disk`]),
    ...(paidTwice === 0 ? [] : [`${paidTwice} balances paid twice`]),
    ...(lostWithName === 0 ? [] : [`${lostWithName} lost by requests that have a name`]),
    ...(served + lost + lostWithName === claimed
      ? []
      : [`${served} served, ${lost + lostWithName} lost, but ${claimed} claimed`]),
    ...(served > 0 ? [] : ['nothing was served']),
  ]
}

function describe(result: Result): string {
  const { served, claimed, lost, lostWithName, unproven, paidTwice } = result
  return [
    `${kills} kills, seed ${seed}`,
    `served ${served}, claimed ${claimed}, lost answers ${lost}; of bound or keyed requests ${lostWithName}`,
    `without proof ${unproven}, paid twice ${paidTwice}; ${describeProofs(result)}`,
    '',
  ].join('\n')
}
