// What one run of the fuzzer has: who takes part, and what has come of it so far.
import type { Agent } from '../../../agent/index.ts'
import type { Attacker } from './attacker.ts'
import type { Cheater } from './cheat.ts'
import type { Purchase } from './schedule.ts'
import type { Shop } from './shop.ts'

/** What a program has got for a purchase. */
export interface Bought {
  readonly purchase: Purchase
  readonly status: number
  readonly content: string
  readonly cost: bigint | undefined
  readonly price: bigint | undefined
  readonly authentic: boolean | undefined
}

/** Everything of one run. */
export interface Scene {
  readonly shop: Shop
  readonly attacker: Attacker
  readonly cheater: Cheater
  readonly purchases: Purchase[]
  readonly bought: Bought[]
  readonly outcomes: Map<string, number>
  readonly troubles: string[]
  agent: Agent
  /** The agent has asked for a close. */
  closing: boolean
}
