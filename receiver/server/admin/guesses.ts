// Checking a secret is slow on purpose, so it is done one at a time. Whoever guesses must not keep out who
// knows: each network has one guess that waits, and those who have guessed wrong least come first.
import { addressGroup } from '../../../platform/http/address-group.ts'
import { isSecret, type SecretHash } from './secrets.ts'

/** A secret against its hash, from an address. */
export interface Guess {
  readonly from: string
  readonly secret: string
  readonly hash: SecretHash
}

export interface Guesses {
  /** Whether it is right; undefined when it cannot wait for its turn. */
  readonly check: (guess: Guess) => Promise<boolean | undefined>
}

/** At 50 ms each, nobody waits much longer than three seconds. */
const mostWaiting = 64

/** Networks whose wrong guesses are known; the ones that have not guessed for longest are forgotten. */
const mostKnown = 5000

interface Waiting extends Guess {
  readonly wrong: number
  readonly answer: Promise<boolean | undefined>
  readonly settle: (answer: Promise<boolean> | undefined) => void
}

export function createGuesses(isRight = isSecret): Guesses {
  /** By network, the one that is checked among them. */
  const waiting = new Map<string, Waiting>()
  const wrong = new Map<string, number>()
  let checking: string | undefined

  async function run(): Promise<void> {
    for (let next = best(); next !== undefined; next = best()) {
      const [network, { hash, secret, settle, answer }] = next
      checking = network
      settle(isRight(hash, secret))
      remember(network, await answer.catch(() => false))
      waiting.delete(network)
      checking = undefined
    }
  }

  function remember(network: string, isRight: boolean | undefined): void {
    const before = wrong.get(network) ?? 0
    wrong.delete(network)
    if (isRight) return
    wrong.set(network, before + 1)
    const [oldest] = wrong.keys()
    if (wrong.size > mostKnown && oldest !== undefined) wrong.delete(oldest)
  }

  const best = () =>
    [...waiting].reduce<[string, Waiting] | undefined>(
      (found, each) => (found === undefined || each[1].wrong < found[1].wrong ? each : found),
      undefined,
    )

  /** Room for one of a network with so many wrong ones, if need be in place of one with more. */
  function makeRoom(count: number): boolean {
    if (waiting.size < mostWaiting) return true
    const [worst] = [...waiting]
      .filter(([network]) => network !== checking)
      .sort(([, a], [, b]) => b.wrong - a.wrong)
    if (worst === undefined || worst[1].wrong <= count) return false
    waiting.delete(worst[0])
    worst[1].settle(undefined)
    return true
  }

  return {
    check: async (guess) => {
      const network = addressGroup(guess.from) ?? guess.from
      const before = waiting.get(network)
      if (before !== undefined) {
        // A browser asks for several things with the same login at once.
        const isSame = before.secret === guess.secret && before.hash === guess.hash
        return isSame ? before.answer : undefined
      }
      const count = wrong.get(network) ?? 0
      if (!makeRoom(count)) return undefined
      const { promise: answer, resolve: settle } = promised<boolean | undefined>()
      waiting.set(network, { ...guess, wrong: count, answer, settle })
      if (checking === undefined && waiting.size === 1) void run()
      return answer
    },
  }
}

function promised<Value>() {
  let resolve: (value: Promise<Value> | Value) => void = () => undefined
  const promise = new Promise<Value>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
