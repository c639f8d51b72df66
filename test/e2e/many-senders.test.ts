// Three whole receivers, each in a process of its own, on one PostgreSQL and one chain, and agents that buy from all
// of them at once: no interval of a channel is sold twice, and none is lost.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import type { ClientRequest, OutgoingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { type Agent, createAgent, depositsFor } from '../../agent/index.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { fromHex, parseAddress } from '../../protocol/index.ts'
import { connectDatabase, type Sql } from '../../receiver/postgres/connection.ts'
import { deployTestContracts, startEmbeddedChain } from '../lab/chains/embedded-chain.ts'
import { type Forked, startForked } from '../lab/processes/forked.ts'
import type { ProcessOptions } from '../lab/processes/receiver-process.ts'
import { claimedInAll, countedInAll } from '../lab/processes/shared-paywall.ts'
import { emptyDatabase, sharedPostgres, withPostgres } from '../support/postgres.ts'
import { patience } from '../support/until.ts'

const onPostgres = withPostgres(test)
const server = sharedPostgres(test)
const program = fileURLToPath(new URL('../lab/processes/receiver-process.ts', import.meta.url))
const price = 5n
const senders = 100

async function given(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-e2e-'))
  const chain = await startEmbeddedChain({ accounts: senders + 3 })
  const settings = await emptyDatabase(await server())
  const database = await connectDatabase(settings)
  const [, receiver, ...accounts] = chain.accounts
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const transfer = token.getFunction('transfer(address,uint256)')
  for (const { address } of accounts) await (await transfer(address, 1000n)).wait()
  const processes: Forked[] = []
  const agents: Agent[] = []
  t.teardown(async () => {
    for (const each of agents) await each.stop()
    for (const each of processes) await each.stop()
    await database.close()
    await chain.close()
    await rm(folder, { recursive: true })
  })
  for (let at = 0; at < 3; at++) {
    const state = join(folder, `receiver-${at}`)
    await mkdir(state, { mode: 0o700 })
    // All answer bound requests.
    if (at > 0)
      await copyFile(join(folder, 'receiver-0', 'request-key'), join(state, 'request-key'))
    const options: ProcessOptions = {
      ...{ key: receiver?.privateKey ?? '', rpcUrl: chain.rpcUrl, contract, price },
      ...{ state, database: settings, pollInterval: 50 },
    }
    processes.push(await startForked(program, options, 'the receiver'))
  }
  const bases = processes.map(({ base }) => base)
  const baseOf = (at: number) => bases[at % bases.length] ?? ''
  return {
    database,
    baseOf,
    /** With a channel that all three know. */
    buyer: async (at: number, bound: 'require' | 'off') => {
      const agent = await createAgent({
        signer: createKeySigner(fromHex(accounts[at]?.privateKey ?? '0x')),
        ...{ rpcUrl: chain.rpcUrl, chainId: chain.chainId, contract, timeout: patience },
        ...{
          store: join(folder, `agent-${at}`),
          retryInterval: 20,
          deposit: depositsFor(0),
          bound,
        },
      })
      agents.push(agent)
      await agent.openChannel(parseAddress(receiver?.address ?? ''), 400n, baseOf(at))
      return agent
    },
  }
}

/** What was sent with a payment, as anybody on the way can read it. */
function overhear(t: ExecutionContext): readonly OutgoingHttpHeaders[] {
  const heard: OutgoingHttpHeaders[] = []
  const hear = (message: unknown) => {
    const { request } = message as { readonly request: ClientRequest }
    if (request.hasHeader('rdn-balance')) heard.push(request.getHeaders())
  }
  subscribe('http.client.request.start', hear)
  t.teardown(() => unsubscribe('http.client.request.start', hear))
  return heard
}

/** Without the name under which its reply is kept, and without what says that it is its sender's own. */
function proofOf({ host, ...headers }: OutgoingHttpHeaders): Record<string, string> {
  const named = Object.entries(headers).filter(([name]) => /^rdn-(?!origin)/i.test(name))
  return Object.fromEntries(named.map(([name, value]) => [name, `${value}`]))
}

async function gapsIn({ query }: Sql): Promise<number> {
  const rows = await query(`SELECT FROM ledger WHERE gaps <> '{}'`)
  return rows.length
}

onPostgres(
  '64 requests at once of one agent and one of each of 100 others pay at three receivers once each',
  async (t) => {
    const { database, baseOf, buyer } = await given(t)
    const one = await buyer(0, 'require')
    const others: Agent[] = []
    for (let at = 1; at <= senders; at++) others.push(await buyer(at, 'off'))
    const heard = overhear(t)
    const answers = await Promise.all([
      ...Array.from({ length: 64 }, (_, at) => one.get(`${baseOf(at)}/paid`)),
      ...others.map((agent, at) => agent.get(`${baseOf(at)}/paid`)),
    ])
    t.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    t.deepEqual([...new Set(answers.map(({ payment }) => payment?.cost))], [price])
    const balances = answers.slice(0, 64).map(({ payment }) => payment?.balance ?? 0n)
    t.deepEqual(
      balances.toSorted((a, b) => Number(a - b)),
      Array.from({ length: 64 }, (_, at) => price * BigInt(at + 1)),
    )
    const sold = BigInt(answers.length) * price
    t.is(await claimedInAll(database), sold)
    t.is(await countedInAll(database), sold)
    t.is(await gapsIn(database), 0)

    // Whoever has heard the proofs buys nothing with them, at none of the three.
    const unbound = heard.filter((headers) => headers.signature === undefined)
    // One that an agent has not been answered at once it has sent again.
    t.true(unbound.length >= senders && heard.length - unbound.length >= answers.length - senders)
    const replay = async (headers: OutgoingHttpHeaders, at: number) => {
      const answer = await fetch(`${baseOf(at)}/paid`, {
        headers: { ...proofOf(headers), accept: 'application/json' },
      })
      const { code } = (await answer.json()) as { readonly code?: string }
      return `${answer.status} ${code}`
    }
    const replays = (of: readonly OutgoingHttpHeaders[]) =>
      Promise.all(of.flatMap((headers) => [0, 1, 2].map((at) => replay(headers, at))))
    t.deepEqual([...new Set(await replays(unbound))], ['402 balance_spent'])
    const bound = heard.filter((headers) => headers.signature !== undefined)
    t.deepEqual(
      (await replays(bound)).filter((said) => !said.startsWith('402 ')),
      [],
    )
    t.is(await claimedInAll(database), sold)
  },
)
