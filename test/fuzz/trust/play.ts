// One run: an honest agent buys from an honest receiver through an attacker, as the plan says; afterwards
// everything is counted.
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { Agent } from '../../../agent/index.ts'
import { isUraidenError } from '../../../protocol/index.ts'
import { stillChain } from '../../lab/chains/still-chain.ts'
import { countProofs, type ProofCounts } from '../../lab/torture/paid-by.ts'
import { field } from '../../support/bound-receiver.ts'
import { crashCopy, temporaryFolder } from '../../support/folder.ts'
import {
  agentOn,
  agentWithChannel,
  chainId,
  contract,
  receiverKey,
  sender,
  terms,
  token,
} from '../../support/lying-receiver.ts'
import { Attacker } from './attacker.ts'
import { auditClosing, auditDelivery, auditMoney, auditSignatures } from './audit.ts'
import { Cheater, cheaterChannels } from './cheat.ts'
import { type Fault, plant, signAnew } from './faults.ts'
import type { Scene } from './scene.ts'
import type { Plan, Purchase, Step } from './schedule.ts'
import { Shop } from './shop.ts'

/** `ProofCounts`: of what was served to the agent. */
export interface Played extends ProofCounts {
  readonly seed: number
  /** Promises that were broken. */
  readonly troubles: readonly string[]
  readonly served: number
  /** Requests of the agent. */
  readonly messages: number
  /** Purchases by what came of them: `bought`, or the error's code. */
  readonly outcomes: { readonly [outcome: string]: number }
  /** What the sender that cheats has tried, and what of it was served. */
  readonly cheats: { readonly [kind: string]: number }
  readonly servedToCheat: number
}

const openBlock = 7
const deposit = 1_000_000n

export async function play(plan: Plan, fault?: Fault): Promise<Played> {
  const endings: (() => unknown)[] = []
  const t = { teardown: (end: () => unknown) => void endings.push(end) }
  try {
    const stage = await setStage(plan, t, fault)
    for (const step of plan.steps) await stage.play(step)
    const { scene } = stage
    await stage.finish()
    return {
      seed: plan.seed,
      troubles: scene.troubles,
      served: scene.shop.served.length,
      messages: scene.attacker.exchanges.length,
      outcomes: Object.fromEntries(scene.outcomes),
      ...countProofs(scene.shop.served.map(({ paidBy }) => paidBy)),
      cheats: Object.fromEntries(scene.cheater.tried),
      servedToCheat: scene.shop.servedToCheat.length,
    }
  } finally {
    for (const end of endings.reverse()) await end()
  }
}

type Endings = { readonly teardown: (end: () => unknown) => void }

async function setStage(plan: Plan, t: Endings, fault: Fault | undefined) {
  const folder = await temporaryFolder(t as Parameters<typeof temporaryFolder>[0])
  const channel = { sender, receiver: terms.receiver, openBlock }
  const chain = stillChain({
    ...{ chainId, contract, token, head: 20 },
    version: versionOf(plan),
    channels: [{ ...channel, deposit }, ...cheaterChannels],
  })
  const shop = new Shop({
    ...{ key: receiverKey, contract, chain, state: join(folder, 'receiver') },
    plant: (receiver, server) => plant(fault, receiver, server),
  })
  await shop.start()
  t.teardown(() => shop.stop())
  const attacker = new Attacker({
    target: () => shop.origin,
    channelPath: `/channels/${sender}/${openBlock}`,
    resign: (asked, said) =>
      fault === 'answers' ? signAnew(shop.receiver.requestKeys.find(channel), asked, said) : said,
  })
  await attacker.start(t)
  const stores = new Stores(plan, t, folder)
  const troubles: string[] = []
  const scene: Scene = {
    ...{ shop, attacker, purchases: [], bought: [], outcomes: new Map(), troubles },
    cheater: new Cheater({ seed: plan.seed, shop, attacker, troubles }),
    agent: await stores.first(),
    closing: false,
  }
  return {
    scene,
    play: async (step: Step) => {
      await playStep(scene, stores, step)
      auditMoney(scene)
      auditSignatures(scene)
      auditClosing(scene)
    },
    finish: async () => {
      await finish(scene)
      if (plan.ticks) await scene.cheater.payHonestly()
    },
  }
}

/** Of the contract. */
function versionOf({ ticks }: Plan): string {
  return ticks ? '0.4.0' : '0.3.0'
}

/** The folders of the agent: a crash goes on with a copy. */
class Stores {
  readonly #plan: Plan
  readonly #t: Endings
  readonly #folder: string
  #count = 0

  constructor(plan: Plan, t: Endings, folder: string) {
    this.#plan = plan
    this.#t = t
    this.#folder = folder
  }

  get #options() {
    const { policy: bound, reservation } = this.#plan
    return {
      ...{ bound, reservation, receivers: [terms.receiver], retryInterval: 1, confirmTimeout: 1 },
      budget: { request: 50n },
      deposit: { mostInAll: 0n },
    }
  }

  #path(number: number): string {
    return join(this.#folder, `agent-${number}`)
  }

  get #context() {
    return this.#t as Parameters<typeof agentOn>[0]
  }

  first(): Promise<Agent> {
    const options = { ...this.#options, store: this.#path(0) }
    return agentWithChannel(this.#context, options, { deposit }, versionOf(this.#plan))
  }

  async restarted(agent: Agent): Promise<Agent> {
    await agent.stop()
    return agentOn(this.#context, this.#path(this.#count), this.#options)
  }

  async crashed(agent: Agent): Promise<Agent> {
    const next = this.#count + 1
    await crashCopy(this.#path(this.#count), this.#path(next))
    await agent.stop()
    this.#count = next
    return agentOn(this.#context, this.#path(next), this.#options)
  }
}

async function playStep(scene: Scene, stores: Stores, step: Step): Promise<void> {
  const { attacker, shop } = scene
  switch (step.kind) {
    case 'buy': {
      attacker.order({ purchases: step.purchases, closing: [] })
      scene.purchases.push(...step.purchases)
      await Promise.all(step.purchases.map((each) => buy(scene, each)))
      return
    }
    case 'cheat':
      return scene.cheater.play(step.cheats)
    case 'attack':
      return attacker.attack(step.attacks)
    case 'price':
      return shop.ask(BigInt(step.price))
    case 'restart':
      if (step.who === 'agent') scene.agent = await stores.restarted(scene.agent)
      else {
        await shop.stop()
        await shop.start()
      }
      return
    case 'crash':
      scene.agent = await stores.crashed(scene.agent)
      return
    case 'close':
      attacker.order({ purchases: [], closing: step.meddling })
      return close(scene)
  }
}

async function buy(scene: Scene, purchase: Purchase): Promise<string> {
  const outcome = await attempt(scene, () => fetchWith(scene, purchase))
  scene.outcomes.set(outcome, (scene.outcomes.get(outcome) ?? 0) + 1)
  return outcome
}

async function fetchWith({ agent, attacker, bought }: Scene, purchase: Purchase): Promise<void> {
  const { id, resource, method, accept, read } = purchase
  const url = `${attacker.origin}/r/${resource}/${id}?unit=%63`
  const options = {
    method,
    ...(method === 'POST' && { body: `order ${id}` }),
    headers: {
      ...(accept !== undefined && { accept }),
      ...(method === 'POST' && { 'content-type': 'text/plain' }),
    },
  }
  if (read === 'stream') {
    const { status, body, payment } = await agent.stream(url, options)
    const content = (await buffer(body)).toString()
    const { price, authentic } = payment ?? {}
    bought.push({ purchase, status, content, price, authentic, cost: undefined })
    return
  }
  const answer = await agent.request(url, options)
  const { price, cost, authentic } = answer.payment ?? {}
  bought.push({ purchase, status: answer.status, content: answer.text(), price, cost, authentic })
}

async function close(scene: Scene): Promise<void> {
  const [channel] = scene.agent.channels()
  if (channel === undefined) return
  scene.closing = true
  const { receiver } = channel
  await attempt(scene, () =>
    scene.agent.closeChannel(`${receiver}/${channel.openBlock}`, scene.attacker.origin),
  )
}

/** `bought`, or the code of an error of ours; any other error is a trouble. */
async function attempt(scene: Scene, act: () => Promise<unknown>): Promise<string> {
  try {
    await act()
    return 'bought'
  } catch (error) {
    if (isUraidenError(error)) return error.code
    scene.troubles.push(`not an error of ours: ${String(error)}`)
    return 'defect'
  }
}

const honest: Omit<Purchase, 'id'> = {
  ...{ resource: 'plain', method: 'GET', accept: undefined, read: 'body', meddling: {} },
}

/**
 * The attacker has gone: the agent can buy again, unless it has ended the channel itself or leaves a receiver
 * alone for a while that was never heard.
 */
async function finish(scene: Scene): Promise<void> {
  const { attacker, outcomes, troubles, closing, bought } = scene
  attacker.order({ purchases: [], closing: [] })
  const before = bought.length
  let outcome = ''
  for (let id = 900; id < 903 && !closing && bought.length === before; id++) {
    const purchase = { ...honest, id }
    scene.purchases.push(purchase)
    outcome = await buy(scene, purchase)
  }
  if (!closing && bought.length === before && outcome !== 'receiver_left_alone') {
    troubles.push(`nothing could be bought at the end: ${[...outcomes.keys()].join(', ')}`)
  }
  auditMoney(scene)
  auditSignatures(scene)
  auditClosing(scene)
  auditDelivery(scene)
  const unsigned = attacker.exchanges.some(
    ({ asked, kind }) => kind === 'payment' && field(asked, 'signature') === '',
  )
  if (unsigned) troubles.push('a payment left the agent without a signature on its request')
}
