// What every torture is told: how often to kill, with which seed, and for whom to print.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

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

/** Ends the process with status 2 when a number is none. `name` is for the message. */
export function tortureArguments(name: string): TortureArguments {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '20' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      json: { type: 'boolean', default: false },
      card: { type: 'string', default: 'careful' },
      store: { type: 'string', default: 'leveldb' },
    },
  })
  const { kills, seed, json, card, store } = values
  return {
    kills: readNumber(name, 'kills', kills),
    seed: readNumber(name, 'seed', seed),
    json,
    card: readCard(name, card),
    store: readStore(name, store),
  }
}

function readCard(name: string, text: string): Card {
  if (text === 'careful' || text === 'gentle') return text
  process.stderr.write(`torture ${name}: --card ${text} is not known. Write careful or gentle.\n`)
  process.exit(2)
}

function readStore(name: string, text: string): Store {
  if (text === 'leveldb' || text === 'postgres') return text
  process.stderr.write(
    `torture ${name}: --store ${text} is not known. Write leveldb or postgres.\n`,
  )
  process.exit(2)
}

function readNumber(torture: string, option: string, text: string): number {
  if (/^[0-9]{1,10}$/.test(text)) return Number(text)
  process.stderr.write(
    `torture ${torture}: --${option} ${text} is not a number. Write --${option} 20.\n`,
  )
  process.exit(2)
}
