// What was told is told once, and once that it is over: pure functions. What was told is on the disk, in one write
// with the messages.

export interface Condition {
  /** The same as long as it is the same thing. */
  readonly key: string
  /** Of which kind, for programs. */
  readonly alert: string
  readonly subject: string
  readonly text: string
  /** What is nearly so begins nothing, and ends nothing that was told. */
  readonly is: 'so' | 'nearly'
}

export interface Conditions {
  readonly found: readonly Condition[]
  /** Beginnings of keys of which nobody knows now: what was told of them stays told. */
  readonly unknown: readonly string[]
}

export interface Alert extends Pick<Condition, 'alert' | 'subject' | 'text'> {
  readonly state: 'raised' | 'over'
}

/** By key. */
export interface Told {
  readonly [key: string]: Pick<Condition, 'alert' | 'subject' | 'text'>
}

/** So much at a time: an owner reads no more. */
const mostTold = 100

export function step(
  before: Told,
  { found, unknown }: Conditions,
): { readonly told: Told; readonly alerts: readonly Alert[] } {
  const here = new Map(found.map((each) => [each.key, each]))
  const isOver = (key: string) =>
    !here.has(key) && !unknown.some((beginning) => key.startsWith(beginning))
  const stays = Object.entries(before).filter(([key]) => !isOver(key))
  const over = Object.entries(before)
    .filter(([key]) => isOver(key))
    .map(([, { alert, subject, text }]): Alert => {
      return { alert, subject, state: 'over', text: `Over: ${text}` }
    })
  const raised = found
    .filter(({ key, is }) => is === 'so' && !Object.hasOwn(before, key))
    .slice(0, mostTold - stays.length)
  return {
    told: Object.fromEntries([
      ...stays,
      ...raised.map(({ key, alert, subject, text }) => [key, { alert, subject, text }] as const),
    ]),
    alerts: [
      ...over,
      ...raised.map(({ alert, subject, text }): Alert => {
        return { alert, subject, state: 'raised', text }
      }),
    ],
  }
}

/** Whether there is less than `least`; undefined where there is well more, so that what hovers about it is told once. */
export function shortage(has: bigint, least: bigint): Condition['is'] | undefined {
  if (has * 10n >= least * 11n) return undefined
  return has < least ? 'so' : 'nearly'
}

/** A damaged record is worth one message too many, not an agent that does not start. */
export function toldIn(text: string | undefined): Told {
  try {
    const told: unknown = JSON.parse(text ?? '{}')
    return typeof told === 'object' && told !== null ? (told as Told) : {}
  } catch {
    return {}
  }
}
