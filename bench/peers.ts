// ./scripts/bench peers: what a payment costs with ours and with others, in one run on one machine. What cannot
// run here is said with its reason. Their packages are in bench/peers, which the product knows nothing of.
import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { addressOfKey, balanceProofDigest, fromHex, signDigest, toHex } from '../protocol/index.ts'
import { installOwnPackages } from '../scripts/lib/shared/own-packages.ts'
import { startEmbeddedChain } from '../test/lab/chains/embedded-chain.ts'
import { asked, measurePair, type PairCost, said } from './lib/bound/pair.ts'
import { contractKey, keys } from './lib/bound/parties.ts'
import { deployDollar } from './lib/dialects/dollar.ts'
import { cell, markdownTable } from './lib/table.ts'

const options = new Command('peers')
  .description('what a payment costs with ours, x402, mppx and the original, in one run')
  .option('--json', 'print one JSON object')
  .option('--payments <number>', 'with ours; with x402, which waits for blocks, a tenth', '500')
  .parse()
  .opts<{ readonly json?: true; readonly payments: string }>()

const peers = fileURLToPath(new URL('peers', import.meta.url))

/** What is undefined was not measured, or is not there. */
interface Row extends Partial<PairCost> {
  readonly system: string
  readonly note: string
}

type Kind = 'unbound' | 'bound' | 'ticks'

const names: Readonly<Record<Kind, string>> = {
  unbound: 'ours, signed, unbound',
  bound: 'ours, signed, bound',
  ticks: 'ours, ticks',
}

async function ours(kind: Kind, folder: string, payments: number): Promise<Row> {
  const program = (name: string) => fileURLToPath(new URL(`lib/bound/${name}`, import.meta.url))
  const state = join(folder, kind)
  const version = kind === 'ticks' ? '0.4.0' : '0.3.0'
  const { signatures, ...cost } = await measurePair(
    {
      receiver: () => {
        return fork(program('receiver-process.ts'), [join(state, 'receiver'), contractKey, version])
      },
      agent: (base) =>
        fork(program('agent-process.ts'), [kind, base, join(state, 'agent'), `${payments}`]),
    },
    payments,
  )
  if (kind === 'ticks' && signatures > 0.1) throw new Error(`${signatures} signatures a payment`)
  return { system: names[kind], ...cost, note: 'proof on disk before the answer' }
}

/** Stock client, server and facilitator; each payment is a transaction, in a block at once. */
async function x402(payments: number): Promise<Row> {
  const chain = await startEmbeddedChain()
  const [, settling, payTo, paying] = chain.accounts.map(({ privateKey }) => privateKey)
  if (settling === undefined || payTo === undefined || paying === undefined) throw new Error('keys')
  const tokenAddress = await deployDollar(chain, addressOfKey(fromHex(paying)))
  const facilitator = fork(join(peers, 'x402-facilitator.js'), [chain.rpcUrl, settling])
  try {
    const url = await said<string>(facilitator)
    const seller = addressOfKey(fromHex(payTo))
    const before = await asked<number>(facilitator)
    const cost = await measurePair(
      {
        receiver: () =>
          fork(join(peers, 'x402-receiver.js'), [url, tokenAddress, seller, 'Test Dollar', '2']),
        agent: (base) => fork(join(peers, 'x402-agent.js'), [paying, base, `${payments}`]),
      },
      payments,
    )
    const settled = ((await asked<number>(facilitator)) - before) / (payments + 10)
    const note = `and ${settled.toFixed(0)} µs of its facilitator, and a transaction each; the chain not counted`
    return { system: 'x402 exact', ...cost, note }
  } finally {
    facilitator.kill()
    await chain.close()
  }
}

/** The check alone, on the original's form of proof. */
async function original(): Promise<Row> {
  const contract = addressOfKey(fromHex(contractKey))
  const receiver = addressOfKey(fromHex(keys.receiver))
  const secret = fromHex(keys.sender)
  const digestOf = balanceProofDigest('seed', { contract, chainId: 31337n }, receiver)
  const proofs = Array.from({ length: 50 }, (_, index) => {
    const digest = digestOf(7, BigInt(index + 1))
    const signature = signDigest(digest, secret)
    return { digest: toHex(digest), signature, sender: addressOfKey(secret).toLowerCase() }
  })
  const child = fork(join(peers, 'original.js'))
  const answer = said<number>(child)
  child.send({ proofs, rounds: 10 })
  const note = 'ethereumjs-util alone, no HTTP, no books, without its hashing of the proof'
  return { system: 'the original, check', receiver: await answer, note }
}

/** Its sessions need a precompile of Tempo's chain. */
async function mppx(): Promise<Row> {
  const child = fork(join(peers, 'mppx.js'), [keys.sender, '200'])
  const cost = await said<Pick<PairCost, 'agent' | 'receiver'>>(child)
  const note =
    'the signature alone, no HTTP, no books: its stock server opens a session only through a precompile of Tempo’s chain'
  return { system: 'mppx session, voucher', ...cost, note }
}

/** A peer that does not run is a row that says why. */
async function row(system: string, run: () => Promise<Row>): Promise<Row> {
  try {
    return await run()
  } catch (error) {
    return { system, note: `NOT MEASURED: ${error instanceof Error ? error.message : error}` }
  }
}

function table(rows: readonly Row[]): string {
  const head = [
    ...['a payment', 'a second, one after the other', 'agent CPU µs', 'receiver CPU µs'],
    ...['bytes sent', 'bytes back', 'round trips', ''],
  ]
  return markdownTable(
    head,
    rows.map((each) => {
      const { system, agent, receiver, sent, received, roundTrips, perSecond, note } = each
      const figures = [perSecond, agent, receiver, sent, received].map((value) => cell(value))
      return [system, ...figures, cell(roundTrips, 2), note]
    }),
  )
}

installOwnPackages(peers)
const payments = Number(options.payments)
const folder = await mkdtemp(join(tmpdir(), 'uraiden-bench-peers-'))
try {
  const rows = [
    await row(names.unbound, () => ours('unbound', folder, payments)),
    await row(names.bound, () => ours('bound', folder, payments)),
    await row(names.ticks, () => ours('ticks', folder, payments)),
    await row('x402 exact', () => x402(Math.ceil(payments / 10))),
    await row('mppx session', mppx),
    await row('the original', original),
  ]
  process.stdout.write(
    options.json ? `${JSON.stringify({ node: process.version, payments, rows })}\n` : table(rows),
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}
