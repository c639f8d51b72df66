// ./scripts/bench bound: what tying payments and answers to their requests costs both sides, beside the same
// purchases untied and the same requests unpaid. Figures of one run can be compared with each other only.
import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { integer } from '../scripts/lib/shared/arguments.ts'
import { measurePair, type PairCost } from './lib/bound/pair.ts'
import { contractKey } from './lib/bound/parties.ts'

const { payments, rounds, json } = new Command('./scripts/bench bound')
  .option('--payments <n>', 'of each kind in a round', integer(1, 1_000_000), 1000)
  .option('--rounds <n>', 'of all kinds', integer(1, 1000), 5)
  .option('--json', 'print JSON')
  .parse()
  .opts<{ payments: number; rounds: number; json?: true }>()
const modes = ['free', 'unbound', 'bound'] as const
type Mode = (typeof modes)[number]

type Cost = Pick<PairCost, 'agent' | 'receiver' | 'sent' | 'received'>

const folder = await mkdtemp(join(tmpdir(), 'uraiden-bench-'))
try {
  const runs: { mode: Mode; cost: Cost }[] = []
  // Round by round, so that what else the machine does meets all of them.
  for (let round = 0; round < rounds; round++) {
    for (const mode of modes) {
      runs.push({ mode, cost: await measure(mode, join(folder, `${mode}-${round}`)) })
    }
  }
  const costs = modes.map((mode) => ({
    mode,
    ...median(runs.filter((run) => run.mode === mode).map(({ cost }) => cost)),
  }))
  process.stdout.write(
    json ? `${JSON.stringify({ node: process.version, payments, rounds, costs })}\n` : table(costs),
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}

function measure(mode: Mode, state: string): Promise<PairCost> {
  const program = (name: string) => fileURLToPath(new URL(`./lib/bound/${name}`, import.meta.url))
  return measurePair(
    {
      receiver: () => fork(program('receiver-process.ts'), [join(state, 'receiver'), contractKey]),
      agent: (base) =>
        fork(program('agent-process.ts'), [mode, base, join(state, 'agent'), `${payments}`]),
    },
    payments,
  )
}

/** Of each figure: one round in which the machine did much else says little. */
function median(costs: readonly Cost[]): Cost {
  const of = (name: keyof Cost) => {
    const sorted = costs.map((cost) => cost[name]).sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? 0
  }
  return {
    agent: of('agent'),
    receiver: of('receiver'),
    sent: of('sent'),
    received: of('received'),
  }
}

function table(costs: readonly (Cost & { readonly mode: Mode })[]): string {
  const unbound = costs.find(({ mode }) => mode === 'unbound')
  const rows = costs.map(({ mode, agent, receiver, sent, received }) => {
    const times = (value: number, base: number | undefined) =>
      `${value.toFixed(0)} (${(value / (base ?? 1)).toFixed(2)})`
    const cells = [
      mode,
      times(agent, unbound?.agent),
      times(receiver, unbound?.receiver),
      times(sent, unbound?.sent),
      times(received, unbound?.received),
    ]
    return `| ${cells.join(' | ')} |`
  })
  const head = ['', 'agent CPU µs', 'receiver CPU µs', 'bytes to the receiver', 'bytes back']
  return [
    `| ${head.join(' | ')} |`,
    `|${'---|'.repeat(head.length)}`,
    ...rows,
    'all per request, in brackets of unbound',
    '',
  ].join('\n')
}
