// What every torture is told: how often to kill, with which seed, and for whom to print.
import { randomInt } from 'node:crypto'
import { Command } from 'commander'
import { integer, oneOf } from '../../../scripts/lib/shared/arguments.ts'

export interface TortureArguments {
  readonly kills: number
  readonly seed: number
  readonly json: boolean
  /** Whether each change goes to the disk at once, or waits in memory. */
  readonly card: Card
  /** What a receiver keeps its channels in. */
  readonly store: Store
}

type Card = 'careful' | 'gentle'
type Store = 'leveldb' | 'postgres'

/** Ends the process with status 1 when one of them is wrong. `name` is for the message. */
export function tortureArguments(name: 'agent' | 'receiver' | 'x402'): TortureArguments {
  const command = new Command(`./scripts/torture ${name}`)
    .option('--kills <n>', 'how often', integer(0, 2 ** 31), 20)
    .option('--seed <n>', 'of what happens when', integer(0, 2 ** 31), randomInt(2 ** 31))
    .option('--json', 'print JSON', false)
  if (name === 'agent') {
    command.option(
      '--card <mode>',
      'careful or gentle',
      oneOf<Card>(['careful', 'gentle']),
      'careful',
    )
  }
  if (name === 'receiver') {
    const stores = oneOf<Store>(['leveldb', 'postgres'])
    command.option('--store <kind>', 'leveldb or postgres', stores, 'leveldb')
  }
  return command.parse().opts<TortureArguments>()
}
