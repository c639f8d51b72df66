// What every torture is told: how often to kill, with which seed, and for whom to print.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

export interface TortureArguments {
  readonly kills: number
  readonly seed: number
  readonly json: boolean
}

/** Ends the process with status 2 when a number is none. `name` is for the message. */
export function tortureArguments(name: string): TortureArguments {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '20' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      json: { type: 'boolean', default: false },
    },
  })
  const { kills, seed, json } = values
  return {
    kills: readNumber(name, 'kills', kills),
    seed: readNumber(name, 'seed', seed),
    json,
  }
}

function readNumber(torture: string, option: string, text: string): number {
  if (/^[0-9]{1,10}$/.test(text)) return Number(text)
  process.stderr.write(
    `torture ${torture}: --${option} ${text} is not a number. Write --${option} 20.\n`,
  )
  process.exit(2)
}
