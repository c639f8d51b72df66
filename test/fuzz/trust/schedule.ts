// What agent, receiver and attacker do one after the other: drawn from a seed, so that a run can be played
// again. Plans are plain data; a pick is a number from 0 up to 1 that chooses from what there is by then.
import { seededRandom } from '../../lab/random/random.ts'

/** Which of the agent's messages it is. */
export const messages = ['terms', 'offer', 'put', 'payment', 'receipt', 'close'] as const
export type MessageKind = (typeof messages)[number]

/** What the resource does. */
export const resources = [
  'plain',
  'long',
  'broken',
  'cheaper',
  'empty',
  'missing',
  'coded',
] as const
export type ResourceKind = (typeof resources)[number]

export type RequestChange =
  | { readonly kind: 'method' | 'path' | 'query' | 'body' | 'stripped'; readonly pick: number }
  /** A field gets another value: one that was seen, or one that means something. */
  | { readonly kind: 'field' | 'added' | 'doubled' | 'removed'; readonly pick: number }
  /** A field, or all of them, of another message that was seen. */
  | { readonly kind: 'swapped'; readonly pick: number; readonly from: number }
  | { readonly kind: 'cookie'; readonly pick: number }
  /** The tick or its commitment is another one, or is not there. */
  | { readonly kind: 'tick'; readonly pick: number; readonly from: number }

export type AnswerChange =
  | { readonly kind: 'status' | 'body' | 'cut' | 'longer' | 'packed'; readonly pick: number }
  | { readonly kind: 'field' | 'added' | 'removed' | 'stripped'; readonly pick: number }
  /** The whole answer, or its body, is of another exchange that was seen. */
  | { readonly kind: 'swapped' | 'body of'; readonly pick: number }
  | { readonly kind: 'forged'; readonly pick: number }
  /** It says something else of ticks. */
  | { readonly kind: 'tick'; readonly pick: number }

/** What the attacker asks the receiver for by itself. */
export type Attack =
  | {
      readonly kind: 'replay'
      readonly pick: number
      readonly changes: readonly RequestChange[]
      readonly times: number
    }
  | { readonly kind: 'close'; readonly pick: number; readonly form: 'json' | 'query' | 'form' }
  | { readonly kind: 'look'; readonly pick: number }
  | { readonly kind: 'own key'; readonly pick: number }

/** What happens to one message of the agent and its answer. */
export interface Meddling {
  readonly before: readonly Attack[]
  readonly request: readonly RequestChange[]
  /** Nothing gets to the receiver: what the agent hears is forged, or nothing. */
  readonly lost?: 'silent' | 'forged'
  readonly after: readonly Attack[]
  /** It was on its way: it arrives after this one, once more. */
  readonly late: boolean
  readonly answer: readonly AnswerChange[]
  readonly answerLost: boolean
  readonly pick: number
}

/** What a sender with channels of its own tries, whose requests are well signed. */
export const cheats = [
  ...(['tick', 'tick', 'signature', 'new commitment', 'new commitment', 'below', 'ahead'] as const),
  ...(['lower', 'neighbour', 'other commitment', 'off the grid', 'other step', 'altered'] as const),
  ...(['other channel', 'stranger', 'stolen', 'beyond the end', 'garbage', 'zero'] as const),
  ...(['beside', 'nothing', 'over the deposit', 'unbound', 'again', 'race', 'close'] as const),
] as const
type CheatKind = (typeof cheats)[number]

export interface Cheat {
  readonly kind: CheatKind
  /** Which of its channels. */
  readonly channel: 0 | 1
  readonly pick: number
}

export interface Purchase {
  readonly id: number
  readonly resource: ResourceKind
  readonly method: 'GET' | 'POST' | 'HEAD'
  readonly accept: string | undefined
  readonly read: 'body' | 'stream'
  /** The first, second … message of a kind; what comes later passes. */
  readonly meddling: { readonly [Kind in MessageKind]?: readonly Meddling[] }
}

export type Step =
  | { readonly kind: 'buy'; readonly purchases: readonly Purchase[] }
  | { readonly kind: 'attack'; readonly attacks: readonly Attack[] }
  | { readonly kind: 'cheat'; readonly cheats: readonly Cheat[] }
  | { readonly kind: 'price'; readonly price: number }
  | { readonly kind: 'restart'; readonly who: 'agent' | 'receiver' }
  /** The agent's process dies, with what it had not written. */
  | { readonly kind: 'crash' }
  | { readonly kind: 'close'; readonly meddling: readonly Meddling[] }

export interface Plan {
  readonly seed: number
  readonly policy: 'require' | 'prefer'
  /** Whether the contract knows them. Without, a seed is the plan that it was before there were any. */
  readonly ticks: boolean
  /** Payments that one synced write of the agent covers. */
  readonly reservation: number
  readonly steps: readonly Step[]
}

export function planOf(seed: number, ticks = true): Plan {
  const draw = drawing(seededRandom(seed), ticks)
  const policy = draw.chance(0.15) ? 'prefer' : 'require'
  const reservation = draw.one([1, 4, 16])
  let id = 0
  const next = () => id++
  const count = 4 + draw.below(12)
  const steps = Array.from({ length: count }, () => drawStep(draw, next))
  // A receiver that is honestly known from the first contact on is what `prefer` promises for.
  const first: Step = { kind: 'buy', purchases: [{ ...drawPurchase(draw, next), meddling: {} }] }
  const last: readonly Step[] = draw.chance(0.2)
    ? [{ kind: 'close', meddling: draw.list(2, () => drawMeddling(draw)) }, drawStep(draw, next)]
    : []
  const begun = policy === 'prefer' ? [first, ...steps] : steps
  return { seed, policy, ticks, reservation, steps: [...begun, ...last] }
}

type Draw = ReturnType<typeof drawing>

function drawing(random: () => number, ticks: boolean) {
  const below = (limit: number) => Math.floor(random() * limit)
  const one = <Item>(items: readonly [Item, ...Item[]]): Item =>
    items[below(items.length)] ?? items[0]
  return {
    random,
    ticks,
    below,
    one,
    chance: (probability: number) => random() < probability,
    /** Up to `most`, each with even chances. */
    list: <Item>(most: number, make: () => Item): readonly Item[] =>
      Array.from({ length: below(most + 1) }, make),
  }
}

function drawStep(draw: Draw, next: () => number): Step {
  if (draw.ticks && draw.chance(0.3)) {
    return { kind: 'cheat', cheats: [drawCheat(draw), ...draw.list(5, () => drawCheat(draw))] }
  }
  const roll = draw.random()
  if (roll < 0.7) {
    const purchases = Array.from({ length: draw.chance(0.25) ? 3 : 1 }, () =>
      drawPurchase(draw, next),
    )
    return { kind: 'buy', purchases }
  }
  if (roll < 0.84) return { kind: 'attack', attacks: draw.list(6, () => drawAttack(draw)) }
  if (roll < 0.9) return { kind: 'price', price: 3 + draw.below(6) }
  if (roll < 0.94) return { kind: 'restart', who: 'receiver' }
  return roll < 0.97 ? { kind: 'restart', who: 'agent' } : { kind: 'crash' }
}

function drawCheat(draw: Draw): Cheat {
  return { kind: draw.one(cheats), channel: draw.one([0, 1]), pick: draw.random() }
}

function drawPurchase(draw: Draw, next: () => number): Purchase {
  const meddling: { [Kind in MessageKind]?: readonly Meddling[] } = {}
  for (const kind of messages) {
    const rate = kind === 'payment' ? 0.6 : 0.12
    if (draw.chance(rate)) meddling[kind] = draw.list(3, () => drawMeddling(draw))
  }
  return {
    id: next(),
    resource: draw.one(resources),
    method: draw.one(['GET', 'GET', 'POST', 'HEAD']),
    accept: draw.chance(0.4) ? 'text/plain' : undefined,
    read: draw.chance(0.3) ? 'stream' : 'body',
    meddling,
  }
}

function drawMeddling(draw: Draw): Meddling {
  const roll = draw.random()
  const lost = roll < 0.08 ? 'silent' : roll < 0.16 ? 'forged' : undefined
  return {
    before: draw.chance(0.3) ? draw.list(2, () => drawAttack(draw)) : [],
    request: draw.chance(0.4) ? draw.list(2, () => drawRequestChange(draw)) : [],
    ...(lost && { lost }),
    after: draw.chance(0.3) ? draw.list(2, () => drawAttack(draw)) : [],
    late: draw.chance(0.1),
    answer: draw.chance(0.45) ? draw.list(2, () => drawAnswerChange(draw)) : [],
    answerLost: draw.chance(0.12),
    pick: draw.random(),
  }
}

function drawRequestChange(draw: Draw): RequestChange {
  if (draw.ticks && draw.chance(0.3)) {
    return { kind: 'tick', pick: draw.random(), from: draw.random() }
  }
  const pick = draw.random()
  const kind = draw.one([
    ...(['method', 'path', 'query', 'body', 'stripped', 'field', 'field', 'added'] as const),
    ...(['doubled', 'removed', 'swapped', 'swapped', 'cookie'] as const),
  ] as const)
  return kind === 'swapped' ? { kind, pick, from: draw.random() } : { kind, pick }
}

function drawAnswerChange(draw: Draw): AnswerChange {
  if (draw.ticks && draw.chance(0.15)) return { kind: 'tick', pick: draw.random() }
  const kind = draw.one([
    ...(['status', 'body', 'cut', 'longer', 'packed', 'field', 'field', 'added'] as const),
    ...(['removed', 'stripped', 'swapped', 'swapped', 'body of', 'forged'] as const),
  ] as const)
  return { kind, pick: draw.random() }
}

function drawAttack(draw: Draw): Attack {
  const pick = draw.random()
  const roll = draw.random()
  if (roll < 0.7) {
    const changes = draw.chance(0.7) ? draw.list(3, () => drawRequestChange(draw)) : []
    return { kind: 'replay', pick, changes, times: draw.one([1, 1, 2]) }
  }
  if (roll < 0.85) return { kind: 'close', pick, form: draw.one(['json', 'query', 'form']) }
  return roll < 0.95 ? { kind: 'look', pick } : { kind: 'own key', pick }
}
