// What a daemon does without being asked: ends channels whose challenge period is over, or whose close was
// begun and not finished; tops up before a channel runs dry; and finds its channels again after the disk
// was lost.

import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { Address, TokenAmount } from '../../../protocol/index.ts'
import { type DepositPolicy, defaultDeposits } from '../../channels/choose.ts'
import type { ChannelBalance } from '../../channels/ledger-types.ts'
import type { ChannelName } from '../../channels/records.ts'
import type { SharedAgent } from './shared-agent.ts'
import { dueTopUp } from './top-up.ts'

export interface UpkeepOptions {
  readonly shared: SharedAgent
  readonly deposits: () => Partial<DepositPolicy>
  /** Between two rounds. */
  readonly interval: Milliseconds
  readonly onFailed: (what: 'recover' | 'settle' | 'topUp', error: unknown) => void
}

export interface Upkeep {
  readonly paid: (channel: ChannelName, price: TokenAmount) => void
  /** The agent was made anew. */
  readonly begun: () => void
  /** Resolves when the round under way is over. */
  readonly stop: () => Promise<void>
}

function isUnfinished({ state, closeApi }: ChannelBalance): boolean {
  return state === 'closing' || (state === 'open' && closeApi !== undefined)
}

/** After a top-up that failed. */
const pauseAfterFailure: Milliseconds = 10 * 60_000

export function createUpkeep(options: UpkeepOptions): Upkeep {
  const { shared, deposits, interval, onFailed } = options
  const toppedUpNotBefore = new Map<Address, Milliseconds>()
  let recovered = true
  let round: Promise<void> | undefined
  const timer = setInterval(look, interval)

  function look(): void {
    round ??= lookOnce().finally(() => {
      round = undefined
    })
  }

  async function lookOnce(): Promise<void> {
    const agent = shared.current()
    if (agent === undefined) return
    if (!recovered) {
      // An empty store is a new one, or that of a disk that was replaced: the chain knows.
      recovered =
        agent.channels().length > 0 ||
        (await attempt('recover', () => shared.use((each) => each.recoverChannels())))
    }
    if (agent.channels().some(isUnfinished)) {
      await attempt('settle', () => shared.use((each) => each.settle()))
    }
  }

  async function attempt(
    what: 'recover' | 'settle' | 'topUp',
    work: () => Promise<unknown>,
  ): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      onFailed(what, error)
      return false
    }
  }

  async function topUp(receiver: Address, price: TokenAmount): Promise<void> {
    const agent = shared.current()
    if (agent === undefined || performance.now() < (toppedUpNotBefore.get(receiver) ?? 0)) return
    const policy = { ...defaultDeposits, ...deposits() }
    const { limits } = agent.budget()
    const purse = { channels: agent.channels(), limits, deposits: policy }
    const due = dueTopUp(purse, receiver, price)
    if (due === undefined) return
    // One at a time, and none again for a while where the chain or the purse says no.
    toppedUpNotBefore.set(receiver, Number.POSITIVE_INFINITY)
    const done = await attempt('topUp', () =>
      shared.use((each) => each.topUp(due.channel, due.added)),
    )
    toppedUpNotBefore.set(receiver, done ? 0 : performance.now() + pauseAfterFailure)
  }

  return {
    paid: (channel, price) => {
      const [receiver = ''] = channel.split('/')
      void topUp(receiver as Address, price)
    },
    begun: () => {
      recovered = false
      look()
    },
    stop: async () => {
      clearInterval(timer)
      await round
    },
  }
}
