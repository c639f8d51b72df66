// What a daemon does without being asked: ends channels whose challenge period is over, or whose close was
// begun and not finished; tops up before a channel runs dry; and finds its channels again after the disk
// was lost.

import { shortPeriodWarning } from '../../../platform/chain/index.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { Address, TokenAmount } from '../../../protocol/index.ts'
import { type DepositPolicy, defaultDeposits } from '../../channels/choose.ts'
import { keptText } from '../../channels/credit.ts'
import type { ChannelBalance } from '../../channels/ledger-types.ts'
import { channelOf, type PaidThrough } from '../../channels/records.ts'
import type { Agent } from '../../options.ts'
import type { ChainFacts } from '../configuration/chain.ts'
import type { Capability } from './capability.ts'
import { ClosingClock } from './closing-clock.ts'
import type { SharedAgent } from './shared-agent.ts'
import { dueTopUp } from './top-up.ts'

type Work = 'recover' | 'settle' | 'topUp'

export interface UpkeepOptions {
  readonly shared: SharedAgent
  /** Between two rounds. */
  readonly interval: Milliseconds
  readonly onFailed: (what: Work, error: unknown) => void
  /** Of a challenge period that is short, and of tokens that do not arrive. */
  readonly onWarning: (warning: string) => void
  /** Told what is to be said of the challenge period, once a chain is old enough to show it: '' for a long one. */
  readonly onPeriod?: (warning: string) => void
}

interface UpkeepSettings {
  readonly policy: { readonly deposit: Partial<DepositPolicy> }
  /** Where it is known already, the chain is not asked for it: that would load ethers at each start. */
  readonly facts?: Pick<ChainFacts, 'periodWarning'>
}

/** After a top-up that failed, or could not be made large enough. */
const pauseAfterFailure: Milliseconds = 10 * 60_000

export class Upkeep implements Capability<UpkeepSettings> {
  /** Read in each round while a channel is closing. */
  readonly clock: ClosingClock
  readonly #options: UpkeepOptions
  readonly #toppedUpNotBefore = new Map<Address, Milliseconds>()
  #deposits: DepositPolicy = defaultDeposits
  #agent: Agent | undefined
  #recovered = true
  #knowsPeriod = true
  /** Channels that were over when it was last asked what the contract keeps. */
  #ended = 0
  #kept = 0n
  #round: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: UpkeepOptions) {
    this.#options = options
    this.clock = new ClosingClock(options.shared)
  }

  async start({ policy, facts }: UpkeepSettings): Promise<void> {
    const { shared, interval, onWarning } = this.#options
    this.#deposits = { ...defaultDeposits, ...policy.deposit }
    this.#timer ??= setInterval(() => this.#look(), interval)
    const agent = shared.current()
    if (agent === this.#agent) return
    // It was made anew, perhaps on another disk.
    this.#agent = agent
    this.#recovered = false
    this.#knowsPeriod = facts?.periodWarning !== undefined
    if (facts?.periodWarning) onWarning(facts.periodWarning)
    this.#ended = 0
    this.#kept = 0n
    this.#look()
  }

  /** Resolves when the round under way is over. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#round
  }

  paid(through: PaidThrough, price: TokenAmount): void {
    const channel = channelOf(through)
    if (channel === undefined) return
    const [receiver = ''] = channel.split('/')
    void this.#topUp(receiver as Address, price)
  }

  #look(): void {
    this.#round ??= this.#lookOnce().finally(() => {
      this.#round = undefined
    })
  }

  async #lookOnce(): Promise<void> {
    const { shared } = this.#options
    const agent = shared.current()
    if (agent === undefined) return
    if (!this.#recovered) {
      // An empty store is a new one, or that of a disk that was replaced: the chain knows.
      this.#recovered =
        agent.channels().length > 0 ||
        (await this.#attempt('recover', () => shared.use((each) => each.recoverChannels())))
    }
    if (!this.#knowsPeriod) await this.#lookAtPeriod()
    const ended = endedOf(agent)
    if (agent.channels().some(isUnfinished) || ended !== this.#ended || this.#kept > 0n) {
      await this.#attempt('settle', () => shared.use((each) => this.#settle(each)))
    }
  }

  /** However a channel ended, the token may have refused to pay. */
  async #settle(agent: Agent): Promise<void> {
    await agent.settle()
    if (agent.channels().some(({ state }) => state === 'closing')) await this.clock.read()
    const ended = endedOf(agent)
    if (ended === this.#ended && this.#kept === 0n) return
    const kept = await agent.payoutCredit()
    if (kept > this.#kept) this.#options.onWarning(keptText(kept, await agent.token()))
    this.#ended = ended
    this.#kept = kept
  }

  /** Again in the next round while the chain is away. */
  async #lookAtPeriod(): Promise<void> {
    const { shared, onWarning, onPeriod } = this.#options
    const time = await shared.use((each) => each.challengeTime()).catch(() => undefined)
    if (time === undefined) return
    this.#knowsPeriod = true
    const short = shortPeriodWarning(time)
    if (short !== undefined) onWarning(short)
    if (time.seconds !== undefined) onPeriod?.(short ?? '')
  }

  async #attempt(what: Work, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      this.#options.onFailed(what, error)
      return false
    }
  }

  async #topUp(receiver: Address, price: TokenAmount): Promise<void> {
    const { shared } = this.#options
    const agent = shared.current()
    const notBefore = this.#toppedUpNotBefore
    if (agent === undefined || performance.now() < (notBefore.get(receiver) ?? 0)) return
    const { limits } = agent.budget()
    const purse = { channels: agent.channels(), limits, deposits: this.#deposits }
    const due = dueTopUp(purse, receiver, { price, perDay: agent.perDay(receiver) })
    if (due === undefined) return
    // One at a time, and none again for a while where the chain or the purse says no.
    notBefore.set(receiver, Number.POSITIVE_INFINITY)
    let added = 0n
    await this.#attempt('topUp', async () => {
      const { channel, added: wanted, least } = due
      added = await shared.use((each) => each.topUpAhead(channel, wanted, least))
    })
    notBefore.set(receiver, added > 0n ? 0 : performance.now() + pauseAfterFailure)
  }
}

function endedOf(agent: Agent): number {
  return agent.channels().filter(({ state }) => state === 'closed').length
}

function isUnfinished({ state, closeApi }: ChannelBalance): boolean {
  return state === 'closing' || (state === 'open' && closeApi !== undefined)
}
